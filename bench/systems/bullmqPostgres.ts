/** BullMQ on its PostgreSQL backend: jobs added in bulk, one worker of many hands, ended jobs removed. */
import { createPostgresBackend, Queue, Worker, type JobProgress, type PostgresConnectionOptions, type PostgresQueueBackend } from "bullmq";
import pg from "pg";
import type { PostgresSystem } from "../postgres/system.ts";

interface Data {
  readonly id: number;
}
type OnPostgres = Queue<Data, void, string, Data, void, string, PostgresQueueBackend, PostgresConnectionOptions>;
const name = "noop";
const poolMost = 10;
const defaultJobOptions = { removeOnComplete: true, removeOnFail: true };

export const bullmqPostgres: PostgresSystem = {
  name: "BullMQ (postgres)",
  settings:
    "6.7.0 with createPostgresBackend, a pool of 10, addBulk of 5,000, removeOnComplete and removeOnFail, one Worker with concurrency 100 (10 for latency); done jobs are deleted",
  schema: "bullmq",
  async produce(url) {
    const queue = await queueOn(url);
    const pool = new pg.Pool({ connectionString: url, max: 1 }).on("error", () => undefined);
    return {
      enqueue: (ids) => queue.addBulk(ids.map((id) => ({ name, data: { id } }))),
      enqueueOne: (id) => queue.add(name, { id }),
      enqueueDue: (ids, at) => queue.addBulk(ids.map((id) => ({ name, data: { id }, opts: { delay: Math.max(0, at - Date.now()) } }))),
      counts: async () => ({ unended: Object.values(await queue.getJobCounts()).reduce((all, jobs) => all + jobs, 0) }),
      async close() {
        await pool.end();
        await queue.close();
      },
    };
  },
  async work(url, { hands }, run) {
    const worker = new Worker<Data, void, string, PostgresQueueBackend, JobProgress, PostgresConnectionOptions>(
      name,
      async ({ data }) => run(data.id),
      { connection: connectionOf(url), concurrency: hands, autorun: false },
      createPostgresBackend,
    );
    worker.on("error", (error) => console.error(error));
    await worker.waitUntilReady();
    const queue = await queueOn(url);
    return {
      // Its promise is kept as long as it runs.
      start: () => Promise.resolve(void worker.run()),
      enqueueOne: (id) => queue.add(name, { id }),
      async stop() {
        await worker.close();
        await queue.close();
      },
    };
  },
};

async function queueOn(url: string): Promise<OnPostgres> {
  const queue: OnPostgres = new Queue<Data, void, string, Data, void, string, PostgresQueueBackend, PostgresConnectionOptions>(
    name,
    { connection: connectionOf(url), defaultJobOptions },
    createPostgresBackend,
  );
  await queue.waitUntilReady();
  return queue;
}

/** The first one makes the tables. */
function connectionOf(url: string): { connectionString: string; max: number; migrate: true } {
  return { connectionString: url, max: poolMost, migrate: true };
}
