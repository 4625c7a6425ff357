/** bee-queue: jobs saved in bulk, no events, one worker of many hands, succeeded jobs removed. */
import BeeQueue from "bee-queue";
import type { RedisSystem } from "../redis/system.ts";
import type { How } from "../working.ts";

interface Data {
  readonly id: number;
}
const name = "noop";
/** Fetches are one job each, and are on the way while others run: more hands, more of them in one write of the socket. */
const handsOfNothing = 300;
const settings = { getEvents: false, sendEvents: false, storeJobs: false, removeOnSuccess: true, removeOnFailure: true };

export const beeQueue: RedisSystem = {
  name: "bee-queue",
  settings:
    "2.0.0, saveAll of 1,000, getEvents, sendEvents and storeJobs off, removeOnSuccess and removeOnFailure, concurrency 300 for jobs that wait for nothing, else 100 (10 for latency); succeeded jobs are deleted",
  async produce(url) {
    const queue = new BeeQueue<Data>(name, { ...settings, redis: addressOf(url), isWorker: false });
    await queue.ready();
    const saveAll = async (jobs: BeeQueue.Job<Data>[]): Promise<void> => {
      const [failed] = await queue.saveAll(jobs);
      if (failed !== undefined) throw new Error("bee-queue did not save a job", { cause: failed[1] });
    };
    return {
      enqueue: (ids) => saveAll(ids.map((id) => queue.createJob({ id }))),
      enqueueOne: (id) => queue.createJob({ id }).save(),
      enqueueDue: (ids, at) => saveAll(ids.map((id) => queue.createJob({ id }).delayUntil(at))),
      async counts() {
        const { waiting, active, delayed, succeeded, failed } = await queue.checkHealth();
        return { unended: waiting + active + delayed + succeeded + failed };
      },
      close: () => queue.close(),
    };
  },
  async work(url, how, run) {
    const queue = new BeeQueue<Data>(name, { ...settings, redis: addressOf(url), activateDelayedJobs: how.for === "due" });
    queue.on("error", (error) => console.error(error));
    await queue.ready();
    return {
      start() {
        queue.process(handsOf(how), async (job) => run(job.data.id));
        return Promise.resolve();
      },
      stop: () => queue.close(),
    };
  },
};

function handsOf({ hands, for: aim, waitMs }: How): number {
  return aim === "latency" || waitMs > 0 ? hands : handsOfNothing;
}

function addressOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
