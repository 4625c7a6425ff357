/** plainjob, as its README configures it: its own WAL at synchronous=NORMAL, which a power cut can roll back. */
import Database from "better-sqlite3";
import { better, defineQueue, defineWorker, JobStatus } from "plainjob";
import { callers, quantiles, rate, type System } from "./system.ts";

const silent = { error() {}, warn() {}, info() {}, debug() {} };

export const plainjob: System = {
  name: "plainjob",
  settings: "0.0.14, its own WAL and synchronous=NORMAL, addMany of 1,000, one worker polling each 10 ms",
  answers: {
    bulk: async (file, jobs) => {
      const { queue } = open(file);
      return rate(jobs, () => fill(queue, jobs));
    },
    single: async (file, jobs) => {
      const { queue } = open(file);
      return rate(jobs, async () => {
        for (let id = 0; id < jobs; id++) await queue.add("noop", { id });
      });
    },
    awaiting64: async (file, jobs) => {
      const { queue } = open(file);
      return rate(jobs, () => callers(jobs, async () => queue.add("noop", { id: 1 })));
    },
    drain: async (file, jobs) => {
      const { queue } = open(file);
      fill(queue, jobs);
      return rate(jobs, () => drained(queue, jobs));
    },
    latency: async (file, jobs) => latency(open(file).queue, jobs),
  },
};

type Queue = ReturnType<typeof defineQueue>;

function open(file: string): { queue: Queue } {
  return { queue: defineQueue({ connection: better(new Database(file)), logger: silent }) };
}

function fill(queue: Queue, jobs: number): void {
  for (let at = 0; at < jobs; at += 1_000) {
    queue.addMany(
      "noop",
      Array.from({ length: Math.min(1_000, jobs - at) }, (_, index) => ({ id: at + index })),
    );
  }
}

async function drained(queue: Queue, jobs: number): Promise<void> {
  let done = 0;
  let finish: () => void = () => undefined;
  const all = new Promise<void>((resolve) => (finish = resolve));
  const worker = defineWorker(
    "noop",
    async (job) => {
      JSON.parse(job.data);
      if (++done === jobs) finish();
    },
    { queue, logger: silent, pollIntervall: 10 } as never,
  );
  void worker.start();
  await all;
  await worker.stop();
  if (queue.countJobs({ status: JobStatus.Done }) !== jobs) throw new Error("plainjob left jobs undone");
}

async function latency(queue: Queue, jobs: number): Promise<Record<string, number>> {
  let started = 0;
  const samples: number[] = [];
  const worker = defineWorker("noop", () => void started++, { queue, logger: silent, pollIntervall: 10 } as never);
  void worker.start();
  for (let id = 0; id < jobs; id++) {
    const before = started;
    const begin = performance.now();
    queue.add("noop", { id });
    while (started === before) await new Promise((resolve) => setImmediate(resolve));
    samples.push(performance.now() - begin);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await worker.stop();
  return { ...quantiles(samples) };
}
