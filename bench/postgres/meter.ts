/** What a part of an answer cost: its time, the WAL it wrote, and the CPU of the server apart from that of its clients. */
import { readdirSync, readFileSync } from "node:fs";
import pg from "pg";
import { ownSeconds } from "../ownSeconds.ts";
import type { Meter as AnyMeter } from "../store.ts";
import type { Figures } from "../systems/system.ts";

/** Linux counts a process's CPU in these, everywhere that Node.js runs. */
const ticksPerSecond = 100;

interface Reading {
  readonly wal: number;
  readonly clientSeconds: number;
  /** Of the backends of this database. */
  readonly backends: ReadonlyMap<number, number>;
}

export class Meter implements AnyMeter {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async on(url: string): Promise<Meter> {
    const client = new pg.Client({ connectionString: url });
    client.on("error", () => undefined);
    await client.connect();
    return new Meter(client);
  }

  /** Per job. `clientSeconds`: CPU of the clients until now; this process, unless there are others. */
  async during(jobs: number, part: () => Promise<unknown>, clientSeconds: () => Promise<number> = ownSeconds): Promise<Figures> {
    const before = await this.#read(await clientSeconds());
    const begin = performance.now();
    await part();
    const ms = performance.now() - begin;
    const after = await this.#read(await clientSeconds());
    return {
      perSecond: jobs / (ms / 1_000),
      walBytes: (after.wal - before.wal) / jobs,
      clientMicroseconds: ((after.clientSeconds - before.clientSeconds) * 1e6) / jobs,
      serverMicroseconds: (grown(before.backends, after.backends) * 1e6) / jobs,
    };
  }

  /** As autovacuum would leave the tables, and no checkpoint soon. */
  async settle(): Promise<void> {
    await this.#client.query("VACUUM ANALYZE");
    await this.#client.query("CHECKPOINT");
  }

  /** The whole database, after VACUUM. */
  async storedBytes(): Promise<number> {
    await this.settle();
    const { rows } = await this.#client.query<{ bytes: string }>("SELECT pg_database_size(current_database()) AS bytes");
    return Number(rows[0]?.bytes);
  }

  /** Several of its steps are under way at once: none is measured. */
  watch(): Promise<void> {
    return Promise.resolve();
  }

  steps(): Promise<Figures> {
    return Promise.resolve({});
  }

  /** Commits in other databases, by database: somebody else uses the server. */
  async foreignCommits(): Promise<ReadonlyMap<string, number>> {
    const { rows } = await this.#client.query<{ name: string; commits: string }>(
      "SELECT coalesce(datname, '') AS name, xact_commit AS commits FROM pg_stat_database WHERE datname IS DISTINCT FROM current_database()",
    );
    return new Map(rows.map(({ name, commits }) => [name, Number(commits)]));
  }

  /** CPU of the whole server since it started, also of processes that have ended; not a number where that cannot be seen. */
  async serverSeconds(): Promise<number> {
    const { rows } = await this.#client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const parent = statOf(rows[0]?.pid ?? 0)?.parent;
    const own = parent === undefined ? undefined : statOf(parent);
    if (own === undefined) return Number.NaN;
    const children = readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry))
      .map((entry) => statOf(Number(entry)))
      .filter((stat) => stat?.parent === parent);
    return own.seconds + own.endedSeconds + children.reduce((sum, stat) => sum + (stat?.seconds ?? 0), 0);
  }

  /** What is dead in the tables of a schema, by the server's own counts, and what they take up with their indexes. */
  async tablesOf(schema: string): Promise<Figures> {
    await this.#client.query("SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()");
    const { rows } = await this.#client.query<{ dead: string; bytes: string }>(
      "SELECT coalesce(sum(n_dead_tup), 0) AS dead, coalesce(sum(pg_total_relation_size(relid)), 0) AS bytes FROM pg_stat_user_tables WHERE schemaname = $1",
      [schema],
    );
    return { deadRows: Number(rows[0]?.dead), mebibytes: Number(rows[0]?.bytes) / 2 ** 20 };
  }

  async close(): Promise<void> {
    await this.#client.end();
  }

  async #read(clientSeconds: number): Promise<Reading> {
    const { rows } = await this.#client.query<{ wal: string; pids: number[] }>(
      "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS wal, ARRAY(SELECT pid FROM pg_stat_activity WHERE datname = current_database()) AS pids",
    );
    const backends = new Map((rows[0]?.pids ?? []).map((pid) => [pid, statOf(pid)?.seconds ?? Number.NaN]));
    return { wal: Number(rows[0]?.wal), clientSeconds, backends };
  }
}

/** What came since then started at nothing; what is gone is not counted. */
export function grown(before: ReadonlyMap<string | number, number>, after: ReadonlyMap<string | number, number>): number {
  return [...after].reduce((sum, [key, value]) => sum + value - (before.get(key) ?? 0), 0);
}

/** Undefined where there is no such process, or no /proc: the server is elsewhere. */
function statOf(pid: number): { readonly parent: number; readonly seconds: number; readonly endedSeconds: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    if (!/\((postgres|postmaster)/.test(stat)) return undefined;
    // After the name, which may hold anything: state, parent, … and from the twelfth on its own ticks and those of ended children.
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    const ticks = (at: number): number => ((fields[at] ?? 0) + (fields[at + 1] ?? 0)) / ticksPerSecond;
    return { parent: fields[1] ?? 0, seconds: ticks(11), endedSeconds: ticks(13) };
  } catch {
    return undefined;
  }
}
