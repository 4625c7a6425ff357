/** errand as a user has it, on PostgreSQL: default settings, a pool of its own. */
import { broker, task, type Broker, type Task } from "../../src/index.ts";
import type { PostgresSystem } from "../postgres/system.ts";
import type { Counts, Run } from "../working.ts";
import { errandHistory } from "./errandHistory.ts";

interface Entry {
  readonly id: number;
  readonly key: string;
}

/** Without a key, or ordered by one of so many. */
export function errandPostgres(keys?: number): PostgresSystem {
  const entry = (id: number): Entry => ({ id, key: keys === undefined ? "" : `key ${id % keys}` });
  return {
    name: keys === undefined ? "errand (postgres)" : `errand (postgres), ${keys.toLocaleString("en-US")} keys`,
    settings: `default settings, a pool of 4, completed jobs kept${keys === undefined ? "" : `, orderedBy one of ${keys.toLocaleString("en-US")} keys`}`,
    schema: "errand",
    async produce(url) {
      const { work, noop } = await opened(url, keys, () => undefined);
      return {
        enqueue: (ids) => work.enqueue(ids.map((id) => noop.with(entry(id)))),
        enqueueOne: (id) => work.enqueue(noop.with(entry(id))),
        enqueueWithin: (client, id) => work.within(client).enqueue(noop.with(entry(id))),
        counts: () => countsOf(work),
        close: () => work.close(),
      };
    },
    async work(url, { hands }, run) {
      const { work, noop } = await opened(url, keys, run);
      return {
        start: async () => void (await work.start({ queues: { default: hands }, signals: false })),
        enqueueOne: (id) => work.enqueue(noop.with(entry(id))),
        stop: () => work.close(),
      };
    },
    history: (url) => errandHistory(url, (id) => JSON.stringify(entry(id))),
  };
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
