/** The limit: one table and one index, rows in batches through the bare driver, with no features at all. */
import pg from "pg";
import type { PostgresSystem } from "../postgres/system.ts";
import type { Run } from "../working.ts";
import { coalesced } from "./coalesced.ts";
import { runAll } from "./runAll.ts";

const install = `
CREATE TABLE IF NOT EXISTS job (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state smallint NOT NULL DEFAULT 0, payload jsonb NOT NULL);
CREATE INDEX IF NOT EXISTS job_ready ON job (id) WHERE state = 0`;
const insert = "INSERT INTO job (payload) SELECT unnest($1::jsonb[])";
/** Removes the last batch and takes the next one: one round trip, one commit. */
const turn = `
WITH gone AS (DELETE FROM job WHERE id = ANY ($1::bigint[]))
UPDATE job SET state = 1 WHERE id = ANY (ARRAY(SELECT id FROM job WHERE state = 0 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING id, payload`;
const batch = 500;
const lanes = 2;
const emptyMs = 5;

interface Row {
  readonly id: string;
  readonly payload: { readonly id: number };
}

export const barePg: PostgresSystem = {
  name: "bare pg",
  settings:
    "one table, one index, INSERT by unnest, SKIP LOCKED batches of 500 with DELETE of the last one in the same statement, 2 at once; callers that wait share an INSERT",
  schema: "public",
  async produce(url) {
    const pool = poolOf(url);
    await pool.query(install);
    return {
      enqueue: (ids) => pool.query({ name: "insert", text: insert, values: [ids.map((id) => JSON.stringify({ id }))] }),
      enqueueOne: coalesced((ids) => pool.query({ name: "insert", text: insert, values: [ids.map((id) => JSON.stringify({ id }))] })),
      counts: async () => ({ unended: Number((await pool.query<{ jobs: string }>("SELECT count(*) AS jobs FROM job")).rows[0]?.jobs) }),
      close: () => pool.end(),
    };
  },
  async work(url, { hands }, run) {
    const pool = poolOf(url, lanes);
    await pool.query("SELECT 1");
    let isStopping = false;
    let atWork: Promise<unknown> = Promise.resolve();
    return {
      async start() {
        atWork = Promise.all(Array.from({ length: lanes }, () => lane(pool, hands / lanes, run, () => isStopping)));
      },
      async stop() {
        isStopping = true;
        await atWork;
        await pool.end();
      },
    };
  },
};

/** The database may be dropped before the last of its connections is gone. */
function poolOf(url: string, max = 10): pg.Pool {
  return new pg.Pool({ connectionString: url, max }).on("error", () => undefined);
}

async function lane(pool: pg.Pool, hands: number, run: Run, isStopping: () => boolean): Promise<void> {
  let held: readonly Row[] = [];
  while (held.length > 0 || !isStopping()) {
    const { rows } = await pool.query<Row>({ name: "turn", text: turn, values: [held.map(({ id }) => id), isStopping() ? 0 : batch] });
    held = rows;
    if (held.length === 0) await new Promise((resolve) => setTimeout(resolve, emptyMs));
    await runAll(
      held.map(({ payload }) => payload.id),
      hands,
      run,
    );
  }
}
