/** pg-boss: batches are fetched and completed at once, and a queue that notifies. */
import { PgBoss } from "pg-boss";
import pg from "pg";
import type { PostgresSystem } from "../postgres/system.ts";
import type { How } from "../working.ts";
import { pgBossHistory } from "./pgBossHistory.ts";

const queue = "noop";
const lanes = 2;
const batchMost = 2_000;

export const pgBoss: PostgresSystem = {
  name: "pg-boss",
  settings:
    "12.38.0, queue with notify and useListenNotify, work() of 2 x batches of 2,000 with burstWhenBatchFull (2 x 50 where jobs wait, 1 x 100 for latency), done jobs kept",
  schema: "pgboss",
  async produce(url) {
    const boss = await started(url);
    await boss.createQueue(queue, { notify: true });
    const pool = new pg.Pool({ connectionString: url, max: 1 }).on("error", () => undefined);
    return {
      enqueue: (ids) =>
        boss.insert(
          queue,
          ids.map((id) => ({ data: { id } })),
        ),
      enqueueOne: (id) => boss.send(queue, { id }),
      enqueueDue: (ids, at) =>
        boss.insert(
          queue,
          ids.map((id) => ({ data: { id }, startAfter: new Date(at) })),
        ),
      enqueueWithin: (client, id) => boss.send(queue, { id }, { db: { executeSql: (text, values) => client.query(text, values) } }),
      async counts() {
        const { rows } = await pool.query<{ unended: string; done: string }>(
          "SELECT count(*) FILTER (WHERE state <> 'completed') AS unended, count(*) FILTER (WHERE state = 'completed') AS done FROM pgboss.job WHERE name = $1",
          [queue],
        );
        return { unended: Number(rows[0]?.unended), done: Number(rows[0]?.done) };
      },
      async close() {
        await pool.end();
        await boss.stop({ graceful: true });
      },
    };
  },
  async work(url, how, run) {
    const boss = await started(url);
    return {
      start: async () =>
        void (await boss.work<{ id: number }>(queue, optionsOf(how), async (jobs) => void (await Promise.all(jobs.map((job) => run(job.data.id)))))),
      enqueueOne: (id) => boss.send(queue, { id }),
      stop: () => boss.stop({ graceful: true }),
    };
  },
  history: (url) => pgBossHistory(url, queue),
};

async function started(url: string): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString: url, useListenNotify: true, schedule: false });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  return boss;
}

/** A worker has a whole batch in hand, and asks for the next one when all of it has ended. */
function optionsOf({ hands, for: aim, waitMs }: How): { batchSize: number; localConcurrency: number; burstWhenBatchFull: boolean } {
  if (aim === "latency") return { batchSize: 100, localConcurrency: 1, burstWhenBatchFull: true };
  return { batchSize: waitMs === 0 ? batchMost : Math.ceil(hands / lanes), localConcurrency: lanes, burstWhenBatchFull: true };
}
