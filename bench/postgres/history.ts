/** Does anything grow with what has ended and is kept? The same starts and counts before and after so many completed jobs; and retention, when a part of them is due to go. */
import { quantiles, type Figures } from "../systems/system.ts";
import { latency } from "../latency.ts";
import { Meter } from "./meter.ts";
import type { History, PostgresSystem, Retention } from "./system.ts";

const starts = 150;
/** The first ones make connections and plans. */
const startsBefore = 20;
const counts = 50;
/** So much of what is kept is due to go, but no more than this: a hundred passes are enough to tell. */
const dueShare = 0.1;
const dueMost = 100_000;
const passesMost = 1_000;

export async function history(system: PostgresSystem, url: string, jobs: number): Promise<Figures> {
  if (system.history === undefined) throw new Error(`${system.name} keeps no history`);
  const [producer, meter] = [await system.produce(url), await Meter.on(url)];
  await latency(system, url, startsBefore);
  await meter.settle();
  const past = await system.history(url);
  const empty = await latency(system, url, starts);
  const emptyCountMs = await countMs(past, startsBefore + starts);
  await past.fill(jobs);
  await meter.settle();
  const { done } = await producer.counts();
  if (done !== jobs + startsBefore + starts) throw new Error(`${system.name} counts ${done} completed jobs; ${jobs} were filled in`);
  const found = await past.found();
  if (found !== jobs) throw new Error(`${system.name} finds ${found} of ${jobs} jobs that were filled in, by samples`);
  const full = await latency(system, url, starts);
  const fullCountMs = await countMs(past, jobs + startsBefore + 2 * starts);
  const { mebibytes = Number.NaN } = await meter.tablesOf(system.schema);
  const removal = past.retention === undefined ? {} : await removing(past.retention, meter, Math.min(jobs * dueShare, dueMost));
  await past.close();
  await producer.close();
  await meter.close();
  return {
    ...full,
    emptyP50ms: empty["p50ms"] ?? Number.NaN,
    emptyP99ms: empty["p99ms"] ?? Number.NaN,
    emptyCountMs,
    countMs: fullCountMs,
    mebibytes,
    ...removal,
  };
}

/** The median of some; not a number where the system has no such verb. */
async function countMs(past: History, expected: number): Promise<number> {
  if (past.completed === undefined) return Number.NaN;
  const samples: number[] = [];
  for (let nth = 0; nth < counts; nth++) {
    const begin = performance.now();
    const completed = await past.completed();
    samples.push(performance.now() - begin);
    if (completed !== expected) throw new Error(`${completed} completed jobs are counted, there are ${expected}`);
  }
  return quantiles(samples)["p50ms"] ?? Number.NaN;
}

/** Pass after pass, until nothing is due any more. */
async function removing(retention: Retention, meter: Meter, jobs: number): Promise<Figures> {
  const due = await retention.age(jobs);
  await meter.settle();
  const samples: number[] = [];
  let removed = 0;
  for (let hasMore = true; hasMore;) {
    if (samples.length >= passesMost) throw new Error(`${removed} of ${due} jobs were removed in ${passesMost} passes`);
    const begin = performance.now();
    const pass = await retention.pass();
    samples.push(performance.now() - begin);
    removed += pass.removed;
    hasMore = pass.hasMore;
  }
  if (removed !== due) throw new Error(`${removed} of ${due} jobs were removed`);
  const { p50ms = Number.NaN, p99ms = Number.NaN, maxMs = Number.NaN } = quantiles(samples);
  return { tidyP50ms: p50ms, tidyP99ms: p99ms, tidyMaxMs: maxMs, passes: samples.length, removed };
}
