/** Completed jobs of errand on PostgreSQL: the rows that enqueue, claim and completion leave behind, many at once. */
import pg from "pg";
import { tidyMax } from "../../src/core/defaults.ts";
import { broker } from "../../src/index.ts";
import { blockSize } from "../../src/postgres/completions.ts";
import { postgres } from "../../src/postgres/index.ts";
import { codeOf } from "../../src/postgres/numbers.ts";
import { realRuntime } from "../../src/runtime/real.ts";
import type { History } from "../postgres/system.ts";

const batch = 100_000;
/** Handed out and completed together, by a worker of so many hands. */
const together = 100;
const hour = 3_600_000;
/** Enqueued over this time, which ended an hour ago: nothing is due to go yet. */
const spanMs = 10 * hour;
const ranMs = 10;
/** Of what was filled in, found by their ids. */
const samples = 100;

/** After one that did complete. `$1` … `$4`: from, to, of how many, when it all ended; `$5`: payloads, with a % for the number. */
const fillJobs = `
WITH made AS (
  INSERT INTO errand.jobs (seq, id, line, keep, flags, payload, content, enqueued_at, urgency, head_start, due_at, remember_until, extra, state, since)
  SELECT nextval('errand.seqs'), lpad(to_hex(g.at), 12, '0') || '7' || substr(md5(g.n::text), 1, 19), t.line, t.keep, t.flags, replace($5::text, '%', g.n::text), t.content,
    g.at, g.at - t.head_start, t.head_start, g.at, NULL, t.extra, 0, g.at
  FROM (SELECT * FROM errand.jobs ORDER BY seq LIMIT 1) t, (SELECT n, $4::bigint - ${spanMs} + n * ${spanMs} / $3::bigint AS at FROM generate_series($1::bigint, $2::bigint) n) g
  RETURNING seq, line, keep, enqueued_at
), completed AS (
  INSERT INTO errand.completions (block, ended_at, purge_at, places)
  SELECT m.seq / ${blockSize}, max(m.enqueued_at) + ${ranMs}, max(m.enqueued_at) + ${ranMs} + k.completed, array_agg((m.seq % ${blockSize})::smallint ORDER BY m.seq)
  FROM made m JOIN errand.keeps k ON k.id = m.keep GROUP BY m.seq / ${blockSize}, m.seq / ${together}, k.completed ORDER BY min(m.seq)
)
INSERT INTO errand.counts (line, state, jobs) SELECT m.line, ${codeOf("completed")}, count(*) FROM made m GROUP BY m.line`;

/** The oldest blocks, a day ago: what is kept for a day is due. Answers how many jobs. */
const age = `
WITH aged AS (
  UPDATE errand.completions c SET ended_at = c.ended_at - k.completed, purge_at = c.purge_at - k.completed
  FROM (SELECT max(completed) AS completed FROM errand.keeps) k WHERE c.block < (SELECT min(block) FROM errand.completions) + $1::bigint / ${blockSize}
  RETURNING cardinality(c.places) AS jobs
)
SELECT coalesce(sum(jobs), 0) AS jobs FROM aged`;

/** `payloadOf`: as errand stores the payload of the job with this number. */
export async function errandHistory(url: string, payloadOf: (id: number) => string): Promise<History> {
  const runtime = realRuntime();
  const pool = new pg.Pool({ connectionString: url, max: 1 }).on("error", () => undefined);
  const [engine, work] = [postgres(url), broker(url)];
  await engine.open({ runtime });
  await work.open();
  let ids: readonly string[] = [];
  let filled = 0;
  return {
    async fill(jobs) {
      const before = await pool.query<{ seq: string }>("SELECT max(seq) AS seq FROM errand.jobs");
      const endedAt = runtime.now() - hour;
      const payload = payloadOf(1).replace("1", "%");
      for (let from = 1; from <= jobs; from += batch) await pool.query(fillJobs, [from, Math.min(jobs, from + batch - 1), jobs, endedAt, payload]);
      filled = jobs;
      ids = await sampled(pool, Number(before.rows[0]?.seq), jobs);
    },
    async found() {
      const found = await Promise.all(ids.map((id) => work.find(id)));
      return (found.filter((job) => job?.state === "completed").length / ids.length) * filled;
    },
    completed: async () => (await work.count()).completed,
    retention: {
      age: async (jobs) => Number((await pool.query<{ jobs: string }>(age, [Math.floor(jobs)])).rows[0]?.jobs),
      async pass() {
        const { purged, hasMore } = await engine.tidy({ items: tidyMax, mayExpire: false }, {});
        return { removed: purged, hasMore };
      },
    },
    async close() {
      await pool.end();
      await work.close();
      await engine.close();
    },
  };
}

async function sampled(pool: pg.Pool, after: number, jobs: number): Promise<readonly string[]> {
  const seqs = Array.from({ length: samples }, (_, nth) => after + 1 + Math.floor(((jobs - 1) * nth) / (samples - 1)));
  const { rows } = await pool.query<{ id: string }>("SELECT id FROM errand.jobs WHERE seq = ANY ($1::bigint[])", [seqs]);
  if (rows.length === 0) throw new Error("nothing was filled in");
  return rows.map(({ id }) => id);
}
