/** What does a job that runs take up in the memory of its worker? Those that run do not end; twice as many are compared with so many. */
import type { Figures } from "./systems/system.ts";
import { Workers } from "./workers.ts";
import type { Producer, WorkingSystem } from "./working.ts";

const startsWithinMs = 60_000;
const lookEveryMs = 20;
/** Answers of the server that are still on their way. */
const restMs = 500;

export async function inFlight(system: WorkingSystem, url: string, jobs: number): Promise<Figures> {
  const producer = await system.produce(url);
  const workers = await Workers.ready(system.name, url, { hands: 2 * jobs, for: "throughput", waitMs: 1, isHeld: true }, 1);
  await workers.start();
  const some = await bytesWith(system.name, producer, workers, jobs, jobs);
  const twice = await bytesWith(system.name, producer, workers, jobs, 2 * jobs);
  const workersSeconds = await workers.cpuSeconds();
  workers.end();
  await producer.close();
  return { bytes: (twice - some) / jobs, workersSeconds };
}

async function bytesWith(name: string, producer: Producer, workers: Workers, jobs: number, inAll: number): Promise<number> {
  await producer.enqueue(Array.from({ length: jobs }, (_, id) => inAll + id));
  for (const begin = performance.now(); workers.runs < inAll;) {
    if (performance.now() - begin > startsWithinMs) throw new Error(`${name} started ${workers.runs} of ${inAll} jobs that do not end`);
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  await new Promise((resolve) => setTimeout(resolve, restMs));
  return await workers.heapBytes();
}
