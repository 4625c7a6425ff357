/** Single enqueues, one after the other, to a worker that has nothing else to do: how long until the run starts? */
import { quantiles, type Figures } from "./systems/system.ts";
import type { How, WorkingSystem } from "./working.ts";
import { Workers } from "./workers.ts";

const idle: How = { hands: 10, for: "latency", waitMs: 0 };
/** 50 a second. */
const everyMs = (): number => 20;

/** Enqueue call to the start of run, an idle worker in the same process. */
export async function latency(system: WorkingSystem, url: string, jobs: number): Promise<Figures> {
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
export async function latencyAcross(system: WorkingSystem, url: string, jobs: number): Promise<Figures> {
  const { samples, workersSeconds } = await startsAcross(system, url, jobs, everyMs);
  return { ...quantiles(samples), workersSeconds };
}

export async function startsAcross(
  system: WorkingSystem,
  url: string,
  jobs: number,
  pauseMs: () => number,
): Promise<{ readonly samples: readonly number[]; readonly workersSeconds: number }> {
  let started: (at: string | undefined) => void = () => undefined;
  const producer = await system.produce(url);
  const workers = await Workers.ready(system.name, url, { ...idle, isTold: true }, 1);
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
