/** A primary that is killed and a replica that is promoted, again and again; or all is emptied. What was acknowledged may be gone. */
import { machineMs } from "../../../src/runtime/machineClock.ts";
import type { Seeded } from "../../../src/verify/seeded.ts";
import { sleep } from "../../../src/verify/sleep.ts";
import { redisPlace } from "../../../src/verify/stores/redisPlace.ts";
import { Proxy } from "../../../test/postgres/proxy.ts";
import { PrivateServer, type Settings } from "../../../test/redis/privateServer.ts";
import type { Made, Stage } from "../stage.ts";
import { beside, own } from "./names.ts";

/** What the last moment before a kill may have left on its way, or unwritten. */
const lagMs = 2_500;
const separateMostMs = 1_500;

export async function redisPairStage(settings: Settings): Promise<Stage> {
  const pair = await ServerPair.start(settings);
  return {
    place: await redisPlace(pair.url, own),
    neighbour: await redisPlace(pair.url, beside),
    app: undefined,
    replicas: 0,
    disturbances: [
      { kind: "promote", make: (chance) => pair.failOver(chance) },
      { kind: "wipe", make: () => pair.empty() },
      { kind: "crash", make: (chance) => pair.crash(chance) },
    ],
    mayForget: true,
    [Symbol.asyncDispose]: () => pair.close(),
  };
}

class ServerPair {
  readonly #keepsFile: boolean;
  readonly #address: Proxy;
  #wire: Proxy;
  #primary: PrivateServer;
  #replica: PrivateServer;

  private constructor(keepsFile: boolean, address: Proxy, wire: Proxy, servers: readonly [PrivateServer, PrivateServer]) {
    this.#keepsFile = keepsFile;
    this.#address = address;
    this.#wire = wire;
    [this.#primary, this.#replica] = servers;
  }

  static async start(settings: Settings): Promise<ServerPair> {
    const primary = await PrivateServer.start({ settings });
    const wire = await Proxy.before(primary.url);
    const replica = await primary.replica(wire.url);
    return new ServerPair(settings["appendonly"] === "yes", await Proxy.before(primary.url), wire, [primary, replica]);
  }

  get url(): string {
    return this.#address.url;
  }

  async failOver(chance: Seeded): Promise<Made> {
    const from = machineMs();
    if (chance.isIn(0.7)) {
      this.#wire.freeze();
      await sleep(chance.between(100, separateMostMs));
    }
    await this.#primary.kill();
    const [old, promoted] = [this.#primary, this.#replica];
    await promoted.ask("replicaof", "no", "one");
    this.#address.leadTo(promoted.url);
    this.#address.cut();
    await this.#wire[Symbol.asyncDispose]();
    await old.stop();
    this.#primary = promoted;
    this.#wire = await Proxy.before(promoted.url);
    this.#replica = await promoted.replica(this.#wire.url);
    return { from, to: machineMs(), forgetsFrom: from - lagMs };
  }

  /** Every key of it, at once. */
  async empty(): Promise<Made> {
    const from = machineMs();
    await this.#primary.ask("flushall");
    return { from, to: machineMs(), forgetsFrom: 0 };
  }

  /** With a file it lacks the last second or two; without, all. */
  async crash(chance: Seeded): Promise<Made> {
    const from = machineMs();
    await this.#primary.kill();
    await sleep(chance.between(0, 1_000));
    await this.#primary.start({ replicaof: "no one" }); // it may have been a replica when it was made
    return { from, to: machineMs(), forgetsFrom: this.#keepsFile ? from - lagMs : 0 };
  }

  async close(): Promise<void> {
    await this.#address[Symbol.asyncDispose]();
    await this.#wire[Symbol.asyncDispose]();
    await this.#replica.stop();
    await this.#primary.stop();
  }
}
