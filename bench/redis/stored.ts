/** How much of the server's memory is a job that waits, its payload a number, without a key? */
import { fill } from "../fill.ts";
import type { Figures } from "../systems/system.ts";
import { Meter } from "./meter.ts";
import type { RedisSystem } from "./system.ts";

const batch = 1_000;
/** Scripts and whatever else comes once are there by then. */
const first = 1_000;
const goneWithinMs = 2_000;
const lookEveryMs = 20;

export async function stored(system: RedisSystem, url: string, jobs: number): Promise<Figures> {
  const meter = await Meter.on(url);
  await store(system, url, first, first);
  const before = await memory(meter);
  await store(system, url, jobs, first + jobs);
  const after = await memory(meter);
  await meter.close();
  return { bytes: (after - before) / jobs };
}

async function store(system: RedisSystem, url: string, jobs: number, inAll: number): Promise<void> {
  const producer = await system.produce(url);
  await fill(jobs, batch, 1, (ids) => producer.enqueue(ids));
  const { unended } = await producer.counts();
  if (unended !== inAll) throw new Error(`${system.name} stored ${unended} of ${inAll} jobs`);
  await producer.close();
}

/** When nobody else is connected any more. */
async function memory(meter: Meter): Promise<number> {
  for (const until = performance.now() + goneWithinMs; performance.now() < until && (await meter.others()) > 0;) {
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  return await meter.memoryBytes();
}
