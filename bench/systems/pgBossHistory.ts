/** Completed jobs of pg-boss: rows like that of one which did complete, many at once. */
import { PgBoss } from "pg-boss";
import pg from "pg";
import type { History } from "../postgres/system.ts";

const batch = 100_000;
/** Of what was filled in, found by their ids. */
const samples = 100;
/** Over ten hours, the last of which is one ago. `n` of `$1`. */
const at = "now() - interval '1 hour' - interval '10 hours' * (1 - n::float8 / $1::bigint)";

/** What each has of its own; all else is that of the one. */
const own: Readonly<Record<string, string>> = {
  id: "gen_random_uuid()",
  data: "jsonb_build_object('id', n)",
  created_on: at,
  start_after: at,
  started_on: at,
  completed_on: at,
  keep_until: `${at} + interval '14 days'`,
};

export async function pgBossHistory(url: string, queue: string): Promise<History> {
  const pool = new pg.Pool({ connectionString: url, max: 1 }).on("error", () => undefined);
  const boss = new PgBoss({ connectionString: url, schedule: false, supervise: false });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  let filled = 0;
  return {
    async fill(jobs) {
      const { rows } = await pool.query<{ name: string }>(
        "SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'pgboss' AND table_name = 'job' AND is_generated = 'NEVER' AND is_identity = 'NO'",
      );
      const names = rows.map(({ name }) => name);
      const insert = `INSERT INTO pgboss.job (${names.join(", ")}) SELECT ${names.map((name) => own[name] ?? `t.${name}`).join(", ")}
        FROM (SELECT * FROM pgboss.job WHERE name = $4 AND state = 'completed' LIMIT 1) t, generate_series($2::bigint, $3::bigint) n`;
      for (let from = 1; from <= jobs; from += batch) await pool.query(insert, [jobs, from, Math.min(jobs, from + batch - 1), queue]);
      filled = jobs;
    },
    async found() {
      const { rows } = await pool.query<{ id: string }>("SELECT id FROM pgboss.job WHERE name = $1 AND created_on < now() - interval '50 minutes' LIMIT $2", [
        queue,
        samples,
      ]);
      const found = await Promise.all(rows.map(({ id }) => boss.getJobById(queue, id)));
      return (found.filter((job) => job?.state === "completed").length / rows.length) * filled;
    },
    async close() {
      await pool.end();
      await boss.stop({ graceful: true });
    },
  };
}
