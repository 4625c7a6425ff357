/** groupmq: jobs of a group run one at a time, in their order. */
import { Queue, Worker } from "groupmq";
import { Redis } from "ioredis";
import type { RedisSystem } from "../redis/system.ts";

interface Data {
  readonly id: number;
}
const name = "noop";
/** It stores what its callers have waiting in one call; each awaits that. */
const autoBatch = { size: 100, maxWaitMs: 10 };

export function groupmq(groups: number): RedisSystem {
  const entry = (id: number): { groupId: string; data: Data } => ({ groupId: `group ${id % groups}`, data: { id } });
  return {
    name: `groupmq, ${groups.toLocaleString("en-US")} groups`,
    settings: `1.1.0 on ioredis 6.0.0, groupId one of ${groups.toLocaleString("en-US")}, autoBatch of 100, one Worker with concurrency 100; completed jobs are deleted`,
    produce(url) {
      const queue = new Queue<Data>({ redis: new Redis(url, { maxRetriesPerRequest: null }), namespace: name, autoBatch });
      return Promise.resolve({
        enqueue: (ids) => Promise.all(ids.map((id) => queue.add(entry(id)))),
        enqueueOne: (id) => queue.add(entry(id)),
        async counts() {
          const { active, waiting, delayed } = await queue.getJobCounts();
          return { unended: active + waiting + delayed };
        },
        close: () => queue.close(),
      });
    },
    async work(url, { hands }, run) {
      const queue = new Queue<Data>({ redis: new Redis(url, { maxRetriesPerRequest: null }), namespace: name });
      const worker = new Worker<Data>({ queue, concurrency: hands, handler: async ({ data }) => run(data.id), onError: (error) => console.error(error) });
      await queue.redis.ping();
      return {
        start: () => Promise.resolve(void worker.run()),
        async stop() {
          await worker.close();
          await queue.close();
        },
      };
    },
  };
}
