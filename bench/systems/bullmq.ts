/** BullMQ: jobs added in bulk, one worker of many hands, ended jobs removed. */
import { Job, Queue, Worker } from "bullmq";
import type { RedisSystem } from "../redis/system.ts";

interface Data {
  readonly id: number;
}
const name = "noop";
const defaultJobOptions = { removeOnComplete: true, removeOnFail: true };
const token = "bench";

export const bullmq: RedisSystem = {
  name: "BullMQ",
  settings:
    "6.7.0 on ioredis 6.0.0, addBulk of 1,000, removeOnComplete and removeOnFail, one Worker with concurrency 100 (10 for latency); done jobs are deleted",
  async produce(url) {
    const queue = new Queue<Data>(name, { connection: connectionOf(url), defaultJobOptions });
    await queue.waitUntilReady();
    return {
      enqueue: (ids) => queue.addBulk(ids.map((id) => ({ name, data: { id } }))),
      enqueueOne: (id) => queue.add(name, { id }),
      enqueueDue: (ids, at) => queue.addBulk(ids.map((id) => ({ name, data: { id }, opts: { delay: Math.max(0, at - Date.now()) } }))),
      counts: async () => ({ unended: sum(await queue.getJobCounts()) }),
      close: () => queue.close(),
    };
  },
  async work(url, { hands }, run) {
    const worker = new Worker<Data>(name, async ({ data }) => run(data.id), { connection: connectionOf(url), concurrency: hands, autorun: false });
    worker.on("error", (error) => console.error(error));
    await worker.waitUntilReady();
    return {
      // Its promise is kept as long as it runs.
      start: () => Promise.resolve(void worker.run()),
      stop: () => worker.close(),
    };
  },
  /** As its page on fetching by hand says: the settlement of a job brings the next one. */
  async claims(url, times) {
    const worker = new Worker<Data>(name, null, { connection: connectionOf(url) });
    await worker.waitUntilReady();
    const samples: number[] = [];
    let fetched = [await worker.getNextJob(token, { block: false })];
    for (let time = 0; time < times; time++) {
      const begin = performance.now();
      const [job] = fetched;
      if (job === undefined) break;
      const next = await job.moveToCompleted(undefined, token, true);
      samples.push(performance.now() - begin);
      fetched = Array.isArray(next) && next[0] ? [Job.fromJSON<Data>(worker, next[0], next[1])] : [];
    }
    await worker.close();
    return samples;
  },
};

/** Of connections that it makes itself, and closes; a worker's blocking calls wait as long as it takes. */
function connectionOf(url: string): { host: string; port: number; maxRetriesPerRequest: null } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port), maxRetriesPerRequest: null };
}

/** Of all states; what has ended is gone. */
function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, jobs) => all + jobs, 0);
}
