/** Dead rows are bounded while a snapshot is pinned, and nothing is lost by it. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import type { Engine } from "../../src/core/engine.ts";
import { postgres } from "../../src/postgres/index.ts";
import { job, start } from "../port/stage.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { freshPlace, type Place } from "./places.ts";
import { postgresMissing } from "./server.ts";

const turn = promisify(setImmediate);
const hour = 3_600_000;
/** Above what is left to vacuum. */
const dead = 110_000;

describe("compaction", { skip: postgresMissing ?? false }, () => {
  let place: Place;
  let engine: Engine;

  before(async () => {
    place = await freshPlace();
    engine = postgres(place.pool, { schema: place.schema });
    await engine.open({ runtime: new StillRuntime() });
  });
  after(async () => {
    await engine.close();
    await place.done();
  });

  it("empties a table of what is dead, and keeps what lives", async () => {
    const holder = await pinned();
    await engine.enqueue([{ works: [job("a"), job("b", { headStartMs: 5 }), job("c", { delayMs: hour })] }], { now: start });
    await litter("ready", "(line, urgency, seq, flags) SELECT 99, n, n, 0");
    await litter("scheduled", "(due_at, seq) SELECT n, n");
    const before = await bytes("ready");
    await shrunk("ready", before);
    await shrunk("scheduled", before);
    assert.deepEqual(await claimed(start), ["b", "a"]);
    assert.deepEqual(await claimed(start + hour), ["c"]);
    await holder.done();
  });

  it("leaves one alone that somebody's open transaction has touched, and waits for nobody", async () => {
    await engine.enqueue([{ works: [job("d")] }], { now: start });
    await litter("ready", "(line, urgency, seq, flags) SELECT 99, n, n, 0");
    const app = await place.pool.connect();
    await app.query("BEGIN");
    await app.query(`INSERT INTO ${place.schema}.ready (line, urgency, seq, flags) VALUES (98, 1, 1, 0)`);
    const before = await bytes("ready");
    await compacted();
    assert.equal(await bytes("ready"), before);
    await app.query("ROLLBACK");
    app.release();
    await shrunk("ready", before);
    assert.deepEqual(await claimed(start + hour), ["d"]);
  });

  it("does nothing where more lives than is worth it", async () => {
    await litter("ready", "(line, urgency, seq, flags) SELECT CASE WHEN n % 2 = 0 THEN 98 ELSE 99 END, n, n, 0", 2 * dead);
    const before = await bytes("ready");
    await compacted();
    assert.equal(await bytes("ready"), before);
  });

  async function litter(table: string, row: string, rows: number = dead): Promise<void> {
    const client = await place.pool.connect();
    await client.query(`INSERT INTO ${place.schema}.${table} ${row} FROM generate_series(1, ${rows}) n`);
    await client.query(`DELETE FROM ${place.schema}.${table} WHERE ${table === "ready" ? "line = 99" : `due_at <= ${dead}`}`);
    // A connection tells what it did from time to time, when it does something.
    const [lives, died] = ["live", "dead"].map((which) => `pg_stat_get_${which}_tuples('${place.schema}.${table}'::regclass)`);
    const told = `SELECT ${died} >= ${dead} AND ${lives} >= ${rows - dead} AS told`;
    while ((await client.query<{ told: boolean }>(told)).rows[0]?.told !== true) await turn();
    client.release();
  }

  async function compacted(): Promise<void> {
    await place.pool.query(`SELECT ${place.schema}.compact()`);
  }

  /** One that somebody is at, such as autovacuum, is left to a later pass. */
  async function shrunk(table: string, before: number): Promise<void> {
    for (const deadline = performance.now() + 20_000; (await bytes(table)) >= before / 10; await compacted()) assert.ok(performance.now() < deadline, table);
  }

  async function bytes(table: string): Promise<number> {
    const { rows } = await place.pool.query<{ size: string }>(`SELECT pg_relation_size('${place.schema}.${table}') AS size`);
    return Number(rows[0]?.size);
  }

  async function pinned(): Promise<{ done: () => Promise<void> }> {
    const client = await place.pool.connect();
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    await client.query("SELECT 1");
    return {
      done: async () => {
        await client.query("COMMIT");
        client.release();
      },
    };
  }

  async function claimed(now: number): Promise<string[]> {
    const queues = [{ queue: "mail", slots: 10, ahead: 0 }];
    const wanted = { process: "p", leaseMs: 2 * hour, claim: `c${now}`, lastFence: 0, queues, tasks: ["send"], alone: "no", settling: [] } as const;
    return (await engine.claim(wanted, { now })).jobs.map(({ id }) => id);
  }
});
