/** The questions, asked of any system on PostgreSQL. Where counts do not come out, there is no answer. */
import { callers, quantiles, type Figures, type System } from "../systems/system.ts";
import { PgBouncer } from "../../test/postgres/pgbouncer.ts";
import { committers } from "./committers.ts";
import { Meter, ownSeconds } from "./meter.ts";
import { paced } from "./paced.ts";
import { pinned } from "./pinned.ts";
import type { How, PostgresSystem, Producer } from "./system.ts";
import { Workers } from "./workers.ts";

/** Large calls, and more than one on the way, are what each of them documents for bulk. */
const batch = 5_000;
const callsAtOnce = 2;
const lookEveryMs = 5;
const endsWithinMs = 120_000;
const noop: How = { hands: 100, for: "throughput", waitMs: 0 };
const waiting1ms: How = { ...noop, waitMs: 1 };
const idle: How = { hands: 10, for: "latency", waitMs: 0 };
/** 50 a second. */
const everyMs = (): number => 20;
/** Where the worker looks at a pace of its own, which must not be met at the same moment of it each time. */
const atRandomMs = (): number => 100 * Math.random();

export function answersOf(system: PostgresSystem): System {
  return {
    name: system.name,
    settings: system.settings,
    store: "postgres",
    answers: {
      bulk: (url, jobs) => enqueue(system, url, jobs, (producer) => fill(producer, jobs)),
      awaiting64: (url, jobs) => enqueue(system, url, jobs, (producer) => callers(jobs, () => producer.enqueueOne(1))),
      single: (url, jobs) =>
        enqueue(system, url, jobs, async (producer) => {
          for (let id = 0; id < jobs; id++) await producer.enqueueOne(id);
        }),
      drain: (url, jobs) => drain(system, url, jobs, noop, 1),
      "drain-2": (url, jobs) => drain(system, url, jobs, noop, 2),
      "drain-4": (url, jobs) => drain(system, url, jobs, noop, 4),
      "drain-1ms": (url, jobs) => drain(system, url, jobs, waiting1ms, 1),
      ordered: (url, jobs) => drain(system, url, jobs, noop, 1),
      "ordered-1ms": (url, jobs) => drain(system, url, jobs, waiting1ms, 1),
      latency: (url, jobs) => latency(system, url, jobs),
      "latency-across": (url, jobs) => latencyAcross(system, url, jobs),
      "latency-pooled": (url, jobs) => latencyPooled(system, url, jobs),
      committers: (url, jobs) => committers(system, url, jobs),
      pinned: (url, jobs, asked) => pinned(system, url, jobs, asked),
      "paced-pinned": (url, jobs, asked) => paced(system, url, jobs, asked),
    },
  };
}

/** Several calls at once, of so many jobs each. */
async function fill(producer: Producer, jobs: number): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: callsAtOnce }, async () => {
      while (next < jobs) {
        const from = next;
        next = Math.min(jobs, from + batch);
        await producer.enqueue(Array.from({ length: next - from }, (_, index) => from + index));
      }
    }),
  );
}

async function enqueue(system: PostgresSystem, url: string, jobs: number, how: (producer: Producer) => Promise<void>): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await Meter.on(url)];
  const figures = await meter.during(jobs, () => how(producer));
  const { unended } = await producer.counts();
  if (unended !== jobs) throw new Error(`${system.name} stored ${unended} of ${jobs} jobs`);
  await producer.close();
  await meter.close();
  return figures;
}

/** From `start` in connected worker processes until the last outcome is stored. */
async function drain(system: PostgresSystem, url: string, jobs: number, how: How, processes: number): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await Meter.on(url)];
  const filled = await meter.during(jobs, () => fill(producer, jobs));
  await meter.settle();
  const workers = await Workers.ready(system.name, url, how, processes);
  const clientSeconds = async (): Promise<number> => (await ownSeconds()) + (await workers.cpuSeconds());
  const drained = await meter.during(jobs, () => allEnded(system.name, workers, producer, jobs), clientSeconds);
  await workers.stop();
  if (workers.runs !== jobs) throw new Error(`${system.name} ran ${jobs} jobs ${workers.runs} times`);
  const workersSeconds = await workers.cpuSeconds();
  workers.end();
  await producer.close();
  await meter.close();
  return { ...drained, walEnqueueBytes: filled["walBytes"] ?? Number.NaN, workersSeconds };
}

/** While jobs run, the workers' own counts tell; the store is asked when all have run. */
async function allEnded(name: string, workers: Workers, producer: Producer, jobs: number): Promise<void> {
  const begin = performance.now();
  await workers.start();
  for (;;) {
    if (workers.runs >= jobs) {
      const { unended, done } = await producer.counts();
      if (unended === 0 && (done ?? jobs) === jobs) return;
    }
    if (performance.now() - begin > endsWithinMs) throw new Error(`${name} ran ${workers.runs} of ${jobs} jobs and left some undone`);
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}

/** Enqueue call to the start of run, an idle worker in the same process. */
async function latency(system: PostgresSystem, url: string, jobs: number): Promise<Figures> {
  let started: () => void = () => undefined;
  const producer = await system.produce(url);
  const worker = await system.work(url, idle, () => {
    started();
    return undefined;
  });
  await worker.start();
  const enqueueOne = worker.enqueueOne?.bind(worker) ?? producer.enqueueOne.bind(producer);
  const samples: number[] = [];
  for (let id = 0; id < jobs; id++) {
    const begin = performance.now();
    const hasStarted = new Promise<number>((resolve) => (started = () => resolve(performance.now())));
    await enqueueOne(id);
    samples.push((await hasStarted) - begin);
    await new Promise((resolve) => setTimeout(resolve, everyMs()));
  }
  await worker.stop();
  await producer.close();
  return quantiles(samples);
}

/** The same, in another process. */
async function latencyAcross(system: PostgresSystem, url: string, jobs: number): Promise<Figures> {
  const { samples, workersSeconds } = await startsAcross(system, url, jobs, everyMs);
  return { ...quantiles(samples), workersSeconds };
}

/** In another process, which hears of nothing: the first job, before which nothing came, is left out. */
async function latencyPooled(system: PostgresSystem, url: string, jobs: number): Promise<Figures> {
  await using pooler = await PgBouncer.before(url);
  const { samples, workersSeconds } = await startsAcross(system, pooler.url, 1 + jobs, atRandomMs);
  return { ...quantiles(samples.slice(1)), workersSeconds };
}

async function startsAcross(
  system: PostgresSystem,
  url: string,
  jobs: number,
  pauseMs: () => number,
): Promise<{ readonly samples: readonly number[]; readonly workersSeconds: number }> {
  let started: (at: string | undefined) => void = () => undefined;
  const producer = await system.produce(url);
  const workers = await Workers.ready(system.name, url, idle, 1);
  workers.onRuns = (at) => started(at);
  await workers.start();
  const samples: number[] = [];
  for (let id = 0; id < jobs; id++) {
    const begin = process.hrtime.bigint();
    const hasStarted = new Promise<bigint>((resolve, reject) => {
      started = (at) => (at === undefined ? hasProcess(workers, reject) : resolve(BigInt(at)));
    });
    await producer.enqueueOne(id);
    samples.push(Number((await hasStarted) - begin) / 1e6);
    await new Promise((resolve) => setTimeout(resolve, pauseMs()));
  }
  await workers.stop();
  const workersSeconds = await workers.cpuSeconds();
  workers.end();
  await producer.close();
  return { samples, workersSeconds };
}

function hasProcess(workers: Workers, reject: (error: unknown) => void): void {
  try {
    void workers.runs;
  } catch (error) {
    reject(error);
  }
}
