/** A connection of its own for the thread that beats, so that neither a busy main thread nor a long queue of calls loses a lease. */
import { leaseMs as usualLeaseMs, redisAnswerMs } from "../core/defaults.ts";
import type { Heard } from "../core/engine.ts";
import type { BeatConnection, BeatSource, Ms } from "../core/runtime.ts";
import type { Connection, Reach } from "./client.ts";
import { ClusterWay } from "./cluster.ts";
import { loadDriver } from "./driver.ts";
import type { Script } from "./fragment.ts";
import { RedisConnection } from "./redisConnection.ts";
import { ServerWay } from "./way.ts";

interface BeatData {
  readonly reach: Reach;
  /** Takes the process and the length of its lease; answers what was heard. */
  readonly script: Script;
  /** What all keys begin with. */
  readonly home: string;
}

/** A quarter of a lease: a beat that is not answered by then is tried again, on another connection, while there is time. */
const answerMs: Ms = Math.min(redisAnswerMs, usualLeaseMs / 4);

/** Undefined where the thread could not connect: then the main loop beats. */
export function beatSourceOf(connection: Connection, script: Script, home: string): BeatSource | undefined {
  const reach = connection.reach();
  if (reach === undefined) return undefined;
  // The sources are run as they are, the package as built.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const data: BeatData = { reach, script: { name: script.name, text: script.text }, home };
  return { module: new URL(`./beatConnection.${extension}`, import.meta.url).href, data };
}

export function openBeat(data: unknown): BeatConnection {
  const { reach, script, home } = data as BeatData;
  const Client = loadDriver([reach.driver]);
  const pattern = new Client({ ...reach.options, lazyConnect: true });
  const way = reach.cluster === undefined ? new ServerWay(pattern) : new ClusterWay(pattern, reach.cluster, home);
  return new RedisBeat(new RedisConnection(way, { answerMs }), script, home);
}

class RedisBeat implements BeatConnection {
  readonly #connection: Connection;
  readonly #script: Script;
  readonly #home: string;

  constructor(connection: Connection, script: Script, home: string) {
    this.#connection = connection;
    this.#script = script;
    this.#home = home;
  }

  async beat(process: string, leaseMs: Ms): Promise<Heard> {
    const [text] = (await this.#connection.run(this.#script, this.#home, ["", JSON.stringify({ process, leaseMs })])) as readonly string[];
    const heard = JSON.parse(text ?? "{}") as Heard;
    // An empty table of Lua is not told apart from a list.
    return { ...heard, cancelled: Array.isArray(heard.cancelled) ? (heard.cancelled as readonly string[]) : [] };
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}
