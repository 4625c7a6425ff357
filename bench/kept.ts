/** Does a start take longer, and what is stored, when very many jobs have completed and are kept? They are enqueued and run by the system itself. */
import { clientSecondsWith } from "./drain.ts";
import { allEnded } from "./ended.ts";
import { fill } from "./fill.ts";
import { latency } from "./latency.ts";
import type { Kit } from "./store.ts";
import type { Figures } from "./systems/system.ts";
import { Workers } from "./workers.ts";
import type { WorkingSystem } from "./working.ts";

const starts = 150;
/** The first ones make connections and plans. */
const startsBefore = 20;
const mebibyte = 2 ** 20;
/** Run so many after so many: no backlog of a million is measured here. */
const part = 50_000;

export async function kept(system: WorkingSystem, kit: Kit, url: string, jobs: number): Promise<Figures> {
  await latency(system, url, startsBefore);
  const empty = await latency(system, url, starts);
  const before = startsBefore + starts;
  const { done, ...made } = await completed(system, kit, url, jobs, before);
  if (done !== before + jobs) throw new Error(`${system.name} keeps ${done} of ${before + jobs} completed jobs`);
  const full = await latency(system, url, starts);
  const meter = await kit.meterOn(url);
  const mebibytes = (await meter.storedBytes()) / mebibyte;
  await meter.close();
  const { p50ms: emptyP50ms = Number.NaN, p99ms: emptyP99ms = Number.NaN } = empty;
  return { ...full, emptyP50ms, emptyP99ms, ...made, mebibytes };
}

/** Answers how many are stored as done, with what the first part and the last one cost. */
async function completed(system: WorkingSystem, kit: Kit, url: string, jobs: number, before: number): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await kit.meterOn(url)];
  const workers = await Workers.ready(system.name, url, { hands: 100, for: "throughput", waitMs: 0 }, 1);
  await workers.start();
  const costs: number[] = [];
  for (let ran = 0; ran < jobs; ran += part) {
    const count = Math.min(part, jobs - ran);
    const cost = await meter.during(
      count,
      async () => {
        await fill(count, kit.batch, kit.callsAtOnce, (ids) => producer.enqueue(ids));
        await allEnded(system.name, workers, producer, ran + count, before);
      },
      clientSecondsWith(workers),
    );
    costs.push((cost["clientMicroseconds"] ?? Number.NaN) + (cost["serverMicroseconds"] ?? 0));
  }
  const { done = Number.NaN } = await producer.counts();
  await workers.stop();
  const workersSeconds = await workers.cpuSeconds();
  workers.end();
  await producer.close();
  await meter.close();
  // The first part is one of a process that has just begun.
  return { done, firstMicroseconds: costs[1] ?? Number.NaN, lastMicroseconds: costs.at(-1) ?? Number.NaN, workersSeconds };
}
