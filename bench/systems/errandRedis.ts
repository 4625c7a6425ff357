/** errand as a user has it, on Redis: default settings. */
import { broker, task, type Broker, type Task } from "../../src/index.ts";
import type { RedisSystem } from "../redis/system.ts";
import type { Counts, Run } from "../working.ts";
import { errandClaims } from "./errandClaims.ts";

interface Entry {
  readonly id: number;
  readonly key: string;
}

/** Without a key, or ordered by one of so many; on a server, or with so many partitions on a cluster. */
export function errandRedis(keys?: number, partitions?: number): RedisSystem {
  const entry = (id: number): Entry => ({ id, key: keys === undefined ? "" : `key ${id % keys}` });
  const name = partitions === undefined ? "errand (redis)" : "errand (cluster)";
  const spread = partitions === undefined ? "" : `, ${partitions} partitions`;
  return {
    name: keys === undefined ? name : `${name}, ${keys.toLocaleString("en-US")} keys`,
    ...(partitions !== undefined && { on: "cluster" }),
    settings: `default settings${spread}, completed jobs kept${keys === undefined ? "" : `, orderedBy one of ${keys.toLocaleString("en-US")} keys`}`,
    async produce(url) {
      const { work, noop } = await opened(spreadOver(url, partitions), keys, () => undefined);
      return {
        enqueue: (ids) => work.enqueue(ids.map((id) => noop.with(entry(id)))),
        enqueueOne: (id) => work.enqueue(noop.with(entry(id))),
        enqueueDue: (ids, at) => work.enqueue(ids.map((id) => noop.with(entry(id), { at: new Date(at) }))),
        counts: () => countsOf(work),
        close: () => work.close(),
      };
    },
    async work(url, { hands }, run) {
      const { work, noop } = await opened(spreadOver(url, partitions), keys, run);
      return {
        start: async () => void (await work.start({ queues: { default: hands }, signals: false })),
        enqueueOne: (id) => work.enqueue(noop.with(entry(id))),
        stop: () => work.close(),
      };
    },
    claims: (url, times) => errandClaims(url, "noop", times),
  };
}

function spreadOver(url: string, partitions: number | undefined): string {
  return partitions === undefined ? url : `${url}?partitions=${partitions}`;
}

async function opened(url: string, keys: number | undefined, run: Run): Promise<{ readonly work: Broker; readonly noop: Task<Entry> }> {
  const noop = task<Entry>("noop", keys === undefined ? { run: ({ id }) => run(id) } : { orderedBy: "key", run: ({ id }) => run(id) });
  const work = broker(url, { noop });
  await work.open();
  return { work, noop };
}

/** Whatever did not complete has not ended well, and is never counted as done. */
async function countsOf(work: Broker): Promise<Counts> {
  const { completed, ...others } = await work.count();
  return { done: completed, unended: Object.values(others).reduce((sum, jobs) => sum + jobs, 0) };
}
