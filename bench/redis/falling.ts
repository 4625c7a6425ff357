/** Very many jobs that fall due at the same moment. */
import { fill } from "../fill.ts";
import type { RedisProducer, RedisSystem } from "./system.ts";

const batch = 1_000;
const callsAtOnce = 2;
/** Every system stores so many in this time, and more. */
const perMs = 10;
const leadMs = 3_000;

/** Answers when, in ms since 1970: at least `leadMs / 2` from now. */
export async function fillDue(system: RedisSystem, producer: RedisProducer, jobs: number): Promise<number> {
  const store = producer.enqueueDue?.bind(producer);
  if (store === undefined) throw new Error(`${system.name} has no jobs that fall due`);
  const at = Date.now() + jobs / perMs + leadMs;
  await fill(jobs, batch, callsAtOnce, (ids) => store(ids, at));
  if (Date.now() > at - leadMs / 2) throw new Error(`${system.name} took too long to store ${jobs} jobs`);
  const { unended } = await producer.counts();
  if (unended !== jobs) throw new Error(`${system.name} stored ${unended} of ${jobs} jobs`);
  return at;
}

export async function until(at: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - Date.now())));
}
