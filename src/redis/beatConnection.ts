/** Connections of its own for the thread that beats, so that neither a busy main thread nor a long queue of calls loses a lease. */
import { leaseMs as usualLeaseMs, redisAnswerMs } from "../core/defaults.ts";
import type { Heard } from "../core/engine.ts";
import type { BeatConnection, BeatSource, Ms } from "../core/runtime.ts";
import type { Connection, Reach } from "./client.ts";
import { ClusterWay } from "./cluster.ts";
import { loadDriver } from "./driver.ts";
import type { Script } from "./fragment.ts";
import { RedisConnection } from "./redisConnection.ts";
import type { Mailing } from "./spread/carrier.ts";
import { calledBy } from "./spread/homes.ts";
import { heardOf, partlyHeard } from "./spread/merged.ts";
import { answered } from "./spread/parted.ts";
import { ServerWay } from "./way.ts";

interface BeatHome {
  readonly reach: Reach;
  /** What all its keys begin with. */
  readonly key: string;
}

interface BeatData {
  readonly homes: readonly BeatHome[];
  /** Takes the process and the length of its lease; answers what was heard. */
  readonly script: Script;
}

interface BeatAt {
  readonly connection: Connection;
  readonly key: string;
}

/** A quarter of a lease: a beat that is not answered by then is tried again, on another connection, while there is time. */
const answerMs: Ms = Math.min(redisAnswerMs, usualLeaseMs / 4);

/** Undefined where the thread could not connect: then the main loop beats. */
export function beatSourceOf(homes: readonly BeatAt[], script: Script): BeatSource | undefined {
  const reached: BeatHome[] = [];
  for (const { connection, key } of homes) {
    const reach = connection.reach();
    if (reach === undefined) return undefined;
    reached.push({ reach, key });
  }
  // The sources are run as they are, the package as built.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const data: BeatData = { homes: reached, script: { name: script.name, text: script.text } };
  return { module: new URL(`./beatConnection.${extension}`, import.meta.url).href, data };
}

export function openBeat(data: unknown): BeatConnection {
  const { homes, script } = data as BeatData;
  return new RedisBeat(
    homes.map(({ reach, key }) => ({ connection: connectionTo(reach, key), key })),
    script,
  );
}

function connectionTo(reach: Reach, key: string): Connection {
  const Client = loadDriver([reach.driver]);
  const pattern = new Client({ ...reach.options, lazyConnect: true });
  return new RedisConnection(reach.cluster === undefined ? new ServerWay(pattern) : new ClusterWay(pattern, reach.cluster, key), { answerMs });
}

class RedisBeat implements BeatConnection {
  readonly #homes: readonly BeatAt[];
  readonly #script: Script;

  constructor(homes: readonly BeatAt[], script: Script) {
    this.#homes = homes;
    this.#script = script;
  }

  async beat(process: string, leaseMs: Ms): Promise<Heard> {
    const { answers: heard, failed } = await answered(this.#homes.map((home, number) => this.#beatAt(home, number, process, leaseMs)));
    if (failed.length > 0) return partlyHeard(heard, failed);
    const eras = heard.map(({ era }) => era);
    return heardOf(heard, new Set(eras).size === 1 ? (eras[0] ?? "") : await this.#oneEra(eras));
  }

  async close(): Promise<void> {
    await Promise.all(this.#homes.map(({ connection }) => connection.close()));
  }

  /** Rare: only then all of the Lua is loaded here. */
  async #oneEra(eras: readonly string[]): Promise<string> {
    const [{ Eras }, { scriptOf }] = await Promise.all([import("./spread/eras.ts"), import("./modules.ts")]);
    const homes = this.#homes.map(({ connection, key }, number): Mailing => ({
      call: (main, how, asked) => connection[how](scriptOf(main), key, [this.#as(number), JSON.stringify(asked)]) as Promise<readonly unknown[]>,
    }));
    return new Eras(homes).ofAll(eras, {});
  }

  #as(number: number): string {
    return calledBy(",", number, this.#homes.length);
  }

  async #beatAt({ connection, key }: BeatAt, number: number, process: string, leaseMs: Ms): Promise<Heard> {
    const [text] = (await connection.run(this.#script, key, [this.#as(number), JSON.stringify({ process, leaseMs })])) as readonly string[];
    const heard = JSON.parse(text ?? "{}") as Heard;
    // An empty table of Lua is not told apart from a list.
    return { ...heard, cancelled: Array.isArray(heard.cancelled) ? (heard.cancelled as readonly string[]) : [] };
  }
}
