/** A primary and its standby, both real, behind one address that is led from one to the other. The standby receives through a network of its own that can be frozen. */
import { setTimeout } from "node:timers/promises";
import pg from "pg";
import { PrivateServer } from "./privateServer.ts";
import { Proxy } from "./proxy.ts";

const standbyName = "second";
const lookEveryMs = 10;
const followsWithinMs = 20_000;

export class Pair implements AsyncDisposable {
  readonly primary: PrivateServer;
  readonly standby: PrivateServer;
  /** What clients connect to. Leads to the primary first. */
  readonly address: Proxy;
  /** Between the two. */
  readonly wire: Proxy;

  private constructor(primary: PrivateServer, standby: PrivateServer, address: Proxy, wire: Proxy) {
    this.primary = primary;
    this.standby = standby;
    this.address = address;
    this.wire = wire;
  }

  /** "synchronous": a commit is acknowledged when the standby has it on its disk. */
  static async start(mode: "synchronous" | "asynchronous"): Promise<Pair> {
    const primary = await PrivateServer.start();
    const wire = await Proxy.before(primary.url);
    const pair = new Pair(primary, await primary.standby({ name: standbyName, through: wire.url }), await Proxy.before(primary.url), wire);
    if (mode === "synchronous") {
      await pair.onPrimary("ALTER SYSTEM SET synchronous_standby_names = '*'");
      await pair.onPrimary("SELECT pg_reload_conf()");
    }
    await pair.#follows(mode === "synchronous" ? "sync" : "async");
    return pair;
  }

  /** From now on the standby hears nothing, and nobody is told: a network that drops everything. */
  separate(): void {
    this.wire.freeze();
  }

  /** The standby has all that the primary has written until now. */
  async caughtUp(): Promise<void> {
    const [{ at } = { at: "" }] = await this.onPrimary<{ at: string }>("SELECT pg_current_wal_flush_lsn()::text AS at");
    await until(async () => (await on(this.standby, `SELECT pg_last_wal_replay_lsn() >= '${at}' AS is`))[0]?.["is"] === true);
  }

  /** Kills the primary, promotes the standby and leads clients there. */
  async failOver(): Promise<void> {
    await this.primary.kill();
    await this.standby.promote();
    this.leadTo(this.standby);
  }

  /** All clients, also those that are connected. */
  leadTo(server: PrivateServer): void {
    this.address.leadTo(server.url);
    this.address.cut();
  }

  onPrimary<R extends pg.QueryResultRow>(sql: string): Promise<R[]> {
    return on(this.primary, sql);
  }

  onStandby<R extends pg.QueryResultRow>(sql: string): Promise<R[]> {
    return on(this.standby, sql);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.address[Symbol.asyncDispose]();
    await this.wire[Symbol.asyncDispose]();
    await this.standby.stop();
    await this.primary.stop();
  }

  #follows(state: "sync" | "async"): Promise<void> {
    return until(async () => (await this.onPrimary<{ sync_state: string }>("SELECT sync_state FROM pg_stat_replication"))[0]?.sync_state === state);
  }
}

async function on<R extends pg.QueryResultRow>(server: PrivateServer, sql: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    return (await client.query<R>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; !(await isTrue()); waitedMs += lookEveryMs) {
    if (waitedMs > followsWithinMs) throw new Error(`the standby does not follow within ${followsWithinMs} ms`);
    await setTimeout(lookEveryMs);
  }
}
