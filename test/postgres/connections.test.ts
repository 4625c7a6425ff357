/** A process has as many connections as it says, however much it does; and a pool of one is enough. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import pg from "pg";
import postgresSql from "postgres";
import { broker, task } from "../../src/index.ts";
import type { Broker, Job } from "../../src/index.ts";
import { postgresPoolSize } from "../../src/core/defaults.ts";
import { postgres } from "../../src/postgres/index.ts";
import { freshPlace } from "./places.ts";
import type { Place } from "./places.ts";
import { postgresMissing } from "./server.ts";

const skip = postgresMissing ?? false;
const jobs = 300;
/** Beside the pool: one that listens, and one for each thread that beats: the worker's, and that of locks. */
const besideThePool = 3;

const note = task("note", { run: ({ n }: { readonly n: number }) => n, orderedBy: "n" });

describe("PostgreSQL", { skip }, () => {
  for (const poolSize of [undefined, 1]) {
    it(`a process with ${poolSize === undefined ? "the usual pool" : "a pool of 1"} has no more connections than that, one that listens and one for each heartbeat, whatever it does`, async () => {
      const place = await freshPlace();
      const size = poolSize ?? postgresPoolSize;
      const work = broker(postgres(place.url, { schema: place.schema, ...(poolSize !== undefined && { poolSize }) }), { note });
      await work.start({ signals: false, queues: { default: 50 } });
      const held = await work.lock("till", { for: "30s" });
      const [most] = await Promise.all([mostConnections(place, () => isDone(work)), busy(work)]);
      await held.release();
      await work.close();
      assert.ok(most > 0 && most <= size + besideThePool, `${most} connections, with a pool of ${size}`);
      // The server notices a little later that they were closed.
      await until(async () => (await connections(place)) === 0);
      await place.done();
    });
  }

  it("an app's pg.Pool of one does for all: the app's transactions, completions in them, and everything of errand's", async () => {
    const place = await freshPlace();
    const pool = new pg.Pool({ connectionString: place.url, max: 1, connectionTimeoutMillis: 10_000 });
    pool.on("error", () => undefined);
    await place.pool.query(`CREATE TABLE ${place.schema}_sums (n int)`);
    const add = task<{ readonly n: number }>("add", async ({ n }, job: Job) => {
      await inTransaction(pool, async (client) => {
        await client.query(`INSERT INTO ${place.schema}_sums VALUES ($1)`, [n]);
        await job.commit(client);
      });
    });
    const work = broker(postgres(pool, { schema: place.schema }), { note, add });
    await work.start({ signals: false });
    await inTransaction(pool, (client) => work.within(client).enqueue([add.with({ n: 1 }), note.with({ n: 1 }), note.with({ n: 1 }, { id: "own" })]));
    await Promise.all([5, 6, 7].map((n) => inTransaction(pool, (client) => work.within(client).enqueue(add.with({ n })))));
    await until(async () => (await work.count()).completed === 6);
    assert.deepEqual((await place.pool.query(`SELECT n FROM ${place.schema}_sums ORDER BY n`)).rows, [{ n: 1 }, { n: 5 }, { n: 6 }, { n: 7 }]);
    await work.close();
    await pool.end();
    await place.pool.query(`DROP TABLE ${place.schema}_sums`);
    await place.done();
  });

  it("an app's sql of one, of the package postgres, does for all as well", async () => {
    const place = await freshPlace();
    const sql = postgresSql(place.url, { max: 1, onnotice: () => undefined });
    const work = broker(postgres(sql, { schema: place.schema }), { note });
    await work.start({ signals: false });
    await sql.begin((tx) => work.within(tx).enqueue([note.with({ n: 1 }), note.with({ n: 1 }, { id: "own" })]));
    await busy(work);
    await until(() => isDone(work, 2));
    await work.close();
    await sql.end({ timeout: 1 });
    await place.done();
  });
});

async function busy(work: Broker): Promise<void> {
  const all = Array.from({ length: jobs }, (_, n) => work.enqueue(note.with({ n: n % 20 })));
  await Promise.all([...all, work.count(), work.list(), work.metrics({ of: "store" })]);
}

async function isDone(work: Broker, others: number = 0): Promise<boolean> {
  return (await work.count()).completed === jobs + others;
}

async function mostConnections(place: Place, isOver: () => Promise<boolean>): Promise<number> {
  let most = 0;
  do most = Math.max(most, await connections(place));
  while (!(await isOver()));
  return most;
}

async function connections({ pool }: Place): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'errand' AND datname = current_database()",
  );
  return rows[0]?.n ?? 0;
}

async function inTransaction(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<unknown>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await work(client);
    await client.query("COMMIT");
  } finally {
    client.release();
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 20_000; !(await holds());) assert.ok(performance.now() < deadline, "it did not come to that within 20 s");
}
