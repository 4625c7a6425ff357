/** errand as a user has it: default settings, SQLite at synchronous=FULL. */
import { broker, task, type Broker } from "../../src/index.ts";
import { orderedBy } from "./ordered.ts";
import { callers, quantiles, rate, type System } from "./system.ts";

let started = 0;
const noop = task("noop", { run: (_input: { id: number }) => void started++ });

export const errand: System = {
  name: "errand",
  settings: "default settings, synchronous=FULL, completed jobs kept, 1 worker of 100 hands",
  answers: {
    bulk: (file, jobs) => using(file, (work) => rate(jobs, () => fill(work, jobs))),
    single: (file, jobs) =>
      using(file, (work) =>
        rate(jobs, async () => {
          for (let id = 0; id < jobs; id++) await work.enqueue(noop.with({ id }));
        }),
      ),
    awaiting64: (file, jobs) => using(file, (work) => rate(jobs, () => callers(jobs, () => work.enqueue(noop.with({ id: 1 }))))),
    drain: (file, jobs) => using(file, (work) => drain(work, jobs)),
    ...orderedBy(undefined).answers,
    latency: (file, jobs) => using(file, (work) => latency(work, jobs)),
  },
};

async function using<T>(file: string, use: (work: Broker) => Promise<T>): Promise<T> {
  const work = broker(`sqlite:${file}`, { noop });
  await work.open();
  try {
    return await use(work);
  } finally {
    await work.close();
  }
}

async function fill(work: Broker, jobs: number): Promise<void> {
  const batch = 1_000;
  for (let at = 0; at < jobs; at += batch) await work.enqueue(Array.from({ length: Math.min(batch, jobs - at) }, (_, index) => noop.with({ id: at + index })));
}

/** From `start()` until the last outcome is stored. */
async function drain(work: Broker, jobs: number): Promise<{ perSecond: number }> {
  await fill(work, jobs);
  const begin = performance.now();
  const worker = await work.start({ queues: { default: 100 }, signals: false });
  while ((await work.count()).completed < jobs) await new Promise((resolve) => setTimeout(resolve, 5));
  const perSecond = jobs / ((performance.now() - begin) / 1_000);
  await worker.stop();
  return { perSecond };
}

/** Enqueue call to the start of run, an idle worker in the same process, 50 a second. */
async function latency(work: Broker, jobs: number): Promise<Record<string, number>> {
  const samples: number[] = [];
  const worker = await work.start({ queues: { default: 10 }, signals: false });
  for (let id = 0; id < jobs; id++) {
    const before = started;
    const begin = performance.now();
    void work.enqueue(noop.with({ id }));
    while (started === before) await new Promise((resolve) => setImmediate(resolve));
    samples.push(performance.now() - begin);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await worker.stop();
  return { ...quantiles(samples) };
}
