/** Redis engines that hand over what an app's transactions leave in an outbox: on PostgreSQL, and in a SQLite file. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import type pg from "pg";
import type { Atom, Engine, JobRow, Outbox } from "../../src/core/engine.ts";
import { postgres } from "../../src/postgres/index.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import { examine } from "../../src/storeCare.ts";
import { freshPlace as freshSchema } from "../postgres/places.ts";
import { freshPlace } from "./places.ts";
import { redis } from "../../src/redis/index.ts";
import { ToldRuntime } from "./stage.ts";
import type { Open } from "./stage.ts";

const lookEveryMs = 5;
const comesWithinMs = 30_000;

export type Kind = "postgres" | "sqlite";

/** The database of an app: its transactions, and what its outbox holds. */
export interface App extends AsyncDisposable {
  /** As `redis(…, { outbox })` takes it; another one each time. */
  lender(): Engine;
  /** In a transaction of its own, which commits unless `work` throws. */
  transaction<T>(work: (tx: unknown, sql: (text: string) => Promise<unknown>) => Promise<T>): Promise<T>;
  /** `@.` is what the outbox's tables begin with. */
  rows(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** As if the holder's time were over. */
  endLease(): Promise<void>;
  /** What the doctor says of the tables there. */
  complaints(): Promise<readonly string[]>;
}

export async function appOn(kind: Kind): Promise<App> {
  return kind === "postgres" ? onPostgres() : onSqlite();
}

async function onPostgres(): Promise<App> {
  const place = await freshSchema();
  const rows = async (text: string, on: pg.Pool | pg.PoolClient = place.pool): Promise<Record<string, unknown>[]> =>
    (await on.query<Record<string, unknown>>(text.replaceAll("@.", `${place.schema}.`))).rows;
  return {
    lender: () => postgres(place.pool, { schema: place.schema }),
    transaction: async (work) => {
      const client = await place.apps.connect();
      try {
        await client.query("BEGIN");
        const answer = await work(client, (text) => rows(text, client));
        await client.query("COMMIT");
        return answer;
      } catch (error) {
        await client.query("ROLLBACK");
        throw error;
      } finally {
        client.release();
      }
    },
    rows,
    endLease: async () => void (await rows("UPDATE @.outbox_relay SET lease_until = '2000-01-01' WHERE holder IS NOT NULL")),
    complaints: () => complaintsOf(place.url, place.schema),
    [Symbol.asyncDispose]: async () => {
      await place.pool.query(`DROP SCHEMA IF EXISTS ${place.schema} CASCADE`);
      await place.done();
    },
  };
}

function onSqlite(): App {
  const folder = mkdtempSync(path.join(tmpdir(), "errand-outbox-"));
  const file = path.join(folder, "app.db");
  const handles: Database.Database[] = [];
  const handle = (): Database.Database => {
    const free = handles.find((one) => !one.inTransaction);
    if (free !== undefined) return free;
    const made = new Database(file, { timeout: 0 });
    made.pragma("journal_mode = WAL");
    made.pragma("synchronous = FULL");
    handles.push(made);
    return made;
  };
  const rows = (text: string, on: Database.Database = handle()): Record<string, unknown>[] => {
    const statement = on.prepare(text.replaceAll("@.", "errand_"));
    return statement.reader ? (statement.all() as Record<string, unknown>[]) : (statement.run(), []);
  };
  return {
    lender: () => sqlite(file),
    transaction: async (work) => {
      const tx = await begun(handle);
      try {
        const answer = await work(tx, (text) => Promise.resolve(rows(text, tx)));
        tx.exec("COMMIT");
        return answer;
      } catch (error) {
        tx.exec("ROLLBACK");
        throw error;
      }
    },
    rows: (text) => Promise.resolve(rows(text)),
    endLease: async () => void rows("UPDATE @.outbox_relay SET lease_until = 0 WHERE holder IS NOT NULL"),
    complaints: () => complaintsOf(`sqlite:${file}`),
    [Symbol.asyncDispose]: async () => {
      for (const one of handles) one.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function complaintsOf(url: string, schema?: string): Promise<readonly string[]> {
  return (await examine(url, schema)).findings.filter(({ about }) => about !== "settings").map(({ what }) => what);
}

/** Waiting for the write lock, it does not block the others of this process. */
async function begun(handle: () => Database.Database): Promise<Database.Database> {
  for (let waitedMs = 0; ; waitedMs += lookEveryMs) {
    const tx = handle();
    try {
      tx.exec("BEGIN IMMEDIATE");
      return tx;
    } catch (error) {
      if (waitedMs > comesWithinMs) throw error;
      await sleep(lookEveryMs);
    }
  }
}

export interface Scene extends AsyncDisposable {
  readonly app: App;
  readonly url: string;
  readonly prefix: string;
  /** Another broker's process on both; closed with the scene. */
  open(lender?: Engine): Promise<Open>;
}

/** Ids differ between processes. */
class OwnIds extends ToldRuntime {
  override id(): string {
    return randomUUID();
  }
}

export async function openedWith(outbox: Engine, { url, prefix }: { readonly url: string; readonly prefix: string }): Promise<Open> {
  const engine = redis(url, { prefix, outbox });
  const runtime = new OwnIds();
  await engine.open({ runtime });
  return { engine, runtime, [Symbol.asyncDispose]: () => engine.close() };
}

/** `url`: of a server of the test's own. */
export async function sceneOn(kind: Kind, url?: string): Promise<Scene> {
  const app = await appOn(kind);
  const place = url === undefined ? await freshPlace() : { url, prefix: "errand", done: () => Promise.resolve() };
  const all: Open[] = [];
  return {
    app,
    url: place.url,
    prefix: place.prefix,
    open: async (lender = app.lender()) => {
      const open = await openedWith(lender, place);
      all.push(open);
      return open;
    },
    [Symbol.asyncDispose]: async () => {
      for (const open of all) await open[Symbol.asyncDispose]();
      await place.done();
      await app[Symbol.asyncDispose]();
    },
  };
}

/** An engine to borrow from, whose outbox is `wrapped`. */
export function lending(lender: Engine, wrapped: (outbox: Outbox) => Partial<Outbox>): Engine {
  const own = lender.outbox?.();
  if (own === undefined) throw new Error("it lends none");
  const changed = wrapped(own);
  const outbox = new Proxy(own, {
    get: (target, name) => {
      const member: unknown = Reflect.get(name in changed ? changed : target, name);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
  return { ...lender, outbox: () => outbox };
}

export async function handIn({ app }: Scene, { engine }: Open, ...atoms: readonly Atom[]): Promise<void> {
  await app.transaction(async (tx) => engine.enqueue(atoms, { tx }));
}

/** In the order of storing. */
export async function stored({ engine }: Open): Promise<readonly JobRow[]> {
  const rows: JobRow[] = [];
  for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const page = await engine.find({ of: "jobs", where: {}, limit: 1_000, ...(after !== undefined && { after }) }, {});
    rows.push(...page.rows);
    after = page.next;
  }
  return rows;
}

export async function idsIn(open: Open): Promise<readonly string[]> {
  return (await stored(open)).map(({ id }) => id);
}

/** Until all that was committed is moved on, or set aside. */
export async function emptied({ app }: Scene): Promise<void> {
  await until(async () => (await app.rows("SELECT count(*) AS n FROM @.outbox")).every(({ n }) => Number(n) === 0), "the outbox is not empty");
}

export async function until(isTrue: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (let waitedMs = 0; !(await isTrue()); waitedMs += lookEveryMs) {
    if (waitedMs > comesWithinMs) throw new Error(`${what} within ${comesWithinMs} ms`);
    await sleep(lookEveryMs);
  }
}
