/** Very many jobs that fall due at the same moment. */
import { fill } from "./fill.ts";
import type { Kit } from "./store.ts";
import type { Producer, WorkingSystem } from "./working.ts";

const leadMs = 3_000;

/** Answers when, in ms since 1970: at least `leadMs / 2` from now. */
export async function fillDue(system: WorkingSystem, kit: Kit, producer: Producer, jobs: number): Promise<number> {
  const store = producer.enqueueDue?.bind(producer);
  if (store === undefined) throw new Error(`${system.name} has no jobs that fall due`);
  const at = Date.now() + jobs / kit.leastPerMs + leadMs;
  await fill(jobs, kit.batch, kit.callsAtOnce, (ids) => store(ids, at));
  if (Date.now() > at - leadMs / 2) throw new Error(`${system.name} took too long to store ${jobs} jobs`);
  const { unended } = await producer.counts();
  if (unended !== jobs) throw new Error(`${system.name} stored ${unended} of ${jobs} jobs`);
  return at;
}

export async function until(at: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - Date.now())));
}
