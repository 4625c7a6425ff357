/** plainjob, as its README configures it: its own WAL at synchronous=NORMAL, which a power cut can roll back. */
import Database from "better-sqlite3";
import { better, defineQueue, defineWorker, JobStatus } from "plainjob";
import type { WorkingSystem } from "../working.ts";

const silent = { error() {}, warn() {}, info() {}, debug() {} };
const name = "noop";
/** Its page says how far apart looks are to be; a worker runs one job at a time. */
const pollMs = 10;

type Queue = ReturnType<typeof defineQueue>;

export const plainjob: WorkingSystem = {
  name: "plainjob",
  settings: "0.0.14, its own WAL and synchronous=NORMAL, addMany of 1,000, a worker polling each 10 ms, one job at a time, done jobs kept",
  produce(file) {
    const queue = open(file);
    const count = (status: JobStatus): number => queue.countJobs({ status });
    return Promise.resolve({
      enqueue: (ids) => Promise.resolve(queue.addMany(name, entries(ids))),
      enqueueOne: (id) => Promise.resolve(queue.add(name, { id })),
      enqueueDue: (ids, at) => Promise.resolve(queue.addMany(name, entries(ids), { delay: Math.max(0, at - Date.now()) })),
      counts: () => Promise.resolve({ unended: count(JobStatus.Pending) + count(JobStatus.Processing) + count(JobStatus.Failed), done: count(JobStatus.Done) }),
      close: () => Promise.resolve(queue.close()),
    });
  },
  work(file, _how, run) {
    const queue = open(file);
    const worker = defineWorker(name, async ({ data }) => run((JSON.parse(data) as { readonly id: number }).id), {
      queue,
      logger: silent,
      pollIntervall: pollMs,
    } as never);
    return Promise.resolve({
      // Its promise is kept as long as it runs.
      start: () => Promise.resolve(void worker.start()),
      enqueueOne: (id) => Promise.resolve(queue.add(name, { id })),
      stop: async () => {
        await worker.stop();
        queue.close();
      },
    });
  },
};

function open(file: string): Queue {
  return defineQueue({ connection: better(new Database(file)), logger: silent });
}

function entries(ids: readonly number[]): { readonly id: number }[] {
  return ids.map((id) => ({ id }));
}
