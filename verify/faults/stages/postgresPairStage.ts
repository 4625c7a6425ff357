/** A primary that is killed and a standby that is promoted, again and again: each that was promoted gets a standby of its own. */
import { machineMs } from "../../../src/runtime/machineClock.ts";
import type { Seeded } from "../../../src/verify/seeded.ts";
import { sleep } from "../../../src/verify/sleep.ts";
import { postgresPlace } from "../../../src/verify/stores/postgresPlace.ts";
import { PrivateServer } from "../../../test/postgres/privateServer.ts";
import { Proxy } from "../../../test/postgres/proxy.ts";
import type { Made, Stage } from "../stage.ts";
import { beside, own } from "./names.ts";
import { postgresSettings } from "./postgresStage.ts";
import { onServer } from "./postgresServer.ts";

export type Mode = "synchronous" | "asynchronous";

const lookEveryMs = 20;
const followsWithinMs = 30_000;
/** What the last moment before a kill may have left on its way to the standby. */
const lagMs = 2_000;
const separateMostMs = 1_500;

export async function postgresPairStage(mode: Mode): Promise<Stage> {
  const pair = await ServerPair.start(mode);
  return {
    place: postgresPlace(pair.url, own),
    neighbour: postgresPlace(pair.url, beside),
    app: { by: "postgres", url: pair.url },
    replicas: 0,
    disturbances: [
      { kind: "promote", make: (chance) => pair.failOver(chance) },
      { kind: "crash", make: (chance) => pair.crash(chance) },
    ],
    mayForget: mode === "asynchronous",
    [Symbol.asyncDispose]: () => pair.close(),
  };
}

class ServerPair {
  readonly #mode: Mode;
  /** What clients connect to. */
  readonly #address: Proxy;
  /** Between the two. */
  #wire: Proxy;
  #primary: PrivateServer;
  #standby: PrivateServer;
  #promoted = 0;

  private constructor(
    mode: Mode,
    servers: { readonly primary: PrivateServer; readonly standby: PrivateServer; readonly address: Proxy; readonly wire: Proxy },
  ) {
    this.#mode = mode;
    this.#primary = servers.primary;
    this.#standby = servers.standby;
    this.#address = servers.address;
    this.#wire = servers.wire;
  }

  static async start(mode: Mode): Promise<ServerPair> {
    const primary = await PrivateServer.start({ settings: { ...postgresSettings, wal_keep_size: "128MB" } });
    const wire = await Proxy.before(primary.url);
    const standby = await primary.standby({ name: "standby0", through: wire.url });
    const pair = new ServerPair(mode, { primary, standby, address: await Proxy.before(primary.url), wire });
    await pair.#follows();
    return pair;
  }

  get url(): string {
    return this.#address.url;
  }

  /** An asynchronous standby may not have heard of what came last. A new standby is made of the one that was promoted, which is stopped for that. */
  async failOver(chance: Seeded): Promise<Made> {
    const from = machineMs();
    if (this.#mode === "asynchronous" && chance.isIn(0.7)) {
      this.#wire.freeze();
      await sleep(chance.between(100, separateMostMs));
    }
    await this.#primary.kill();
    await this.#standby.promote();
    const [old, promoted] = [this.#primary, this.#standby];
    this.#address.leadTo(promoted.url);
    this.#address.cut();
    await this.#wire[Symbol.asyncDispose]();
    await old.stop();
    await sleep(chance.between(500, 1_500));
    this.#primary = promoted;
    this.#wire = await Proxy.before(promoted.url);
    this.#standby = await promoted.standby({ name: `standby${++this.#promoted}`, through: this.#wire.url });
    await this.#follows();
    return { from, to: machineMs(), ...(this.#mode === "asynchronous" && { forgetsFrom: from - lagMs }) };
  }

  async crash(chance: Seeded): Promise<Made> {
    const from = machineMs();
    await this.#primary.kill();
    await sleep(chance.between(0, 1_000));
    await this.#primary.start();
    await this.#follows();
    return { from, to: machineMs() };
  }

  async close(): Promise<void> {
    await this.#address[Symbol.asyncDispose]();
    await this.#wire[Symbol.asyncDispose]();
    await this.#standby.stop();
    await this.#primary.stop();
  }

  /** From when this resolves, a commit waits for the synchronous one. */
  async #follows(): Promise<void> {
    if (this.#mode === "synchronous") {
      await onServer(this.#primary.url, "ALTER SYSTEM SET synchronous_standby_names = '*'");
      await onServer(this.#primary.url, "SELECT pg_reload_conf()");
    }
    const wanted = this.#mode === "synchronous" ? "sync" : "async";
    for (let waitedMs = 0; ; waitedMs += lookEveryMs) {
      const [row] = await onServer<{ state: string; sync_state: string }>(this.#primary.url, "SELECT state, sync_state FROM pg_stat_replication");
      if (row?.state === "streaming" && row.sync_state === wanted) return;
      if (waitedMs > followsWithinMs) throw new Error(`the standby does not follow within ${followsWithinMs} ms`);
      await sleep(lookEveryMs);
    }
  }
}
