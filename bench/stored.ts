/** How much of the store is a job that waits, its payload a number, without a key? */
import { fill } from "./fill.ts";
import type { Kit } from "./store.ts";
import type { Figures } from "./systems/system.ts";
import type { WorkingSystem } from "./working.ts";

const batch = 1_000;
/** Tables, scripts and whatever else comes once are there by then. */
const first = 1_000;

export async function stored(system: WorkingSystem, kit: Kit, url: string, jobs: number): Promise<Figures> {
  const meter = await kit.meterOn(url);
  await store(system, url, first, first);
  const before = await meter.storedBytes();
  await store(system, url, jobs, first + jobs);
  const after = await meter.storedBytes();
  await meter.close();
  return { bytes: (after - before) / jobs };
}

async function store(system: WorkingSystem, url: string, jobs: number, inAll: number): Promise<void> {
  const producer = await system.produce(url);
  await fill(jobs, batch, 1, (ids) => producer.enqueue(ids));
  const { unended } = await producer.counts();
  if (unended !== inAll) throw new Error(`${system.name} stored ${unended} of ${inAll} jobs`);
  await producer.close();
}
