/**
 * A steady pace that every system can keep, for a long time, while a transaction of somebody else's is held open: what does a start cost in the end,
 * and what is left lying about?
 */
import { instant } from "../instant.ts";
import { clientSecondsWith } from "../drain.ts";
import type { Asked, Figures } from "../systems/system.ts";
import type { Producer } from "../working.ts";
import { Workers } from "../workers.ts";
import { holding } from "./holder.ts";
import { Meter } from "./meter.ts";
import type { PostgresSystem } from "./system.ts";

const callEveryMs = 10;
const callsAtOnce = 4;
/** What was missed is made up for, in calls of no more than so many. */
const callMost = 1_000;
const secondMs = 1_000;
const quarters = 4;
/** What so many seconds bring is run first, so that VACUUM ANALYZE finds tables that were at work: plans made for empty ones would be all that is measured. */
const secondsBefore = 5;
const endsWithinMs = 120_000;
/** Backends that have ended tell their counts when they are gone. */
const untilToldMs = 1_500;

/** `perSecond`: jobs to enqueue in a second. */
export async function paced(system: PostgresSystem, url: string, perSecond: number, { held = "nothing", seconds }: Asked): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await Meter.on(url)];
  const workers = await Workers.ready(system.name, url, { hands: 100, for: "throughput", waitMs: 0, isTimed: true }, 1);
  await workers.start();
  const before = perSecond * secondsBefore;
  await warmUp(system.name, producer, workers, before);
  await meter.settle();
  const holder = await holding(url, held, producer);
  const pace = new Pace(producer, perSecond);
  const delays: Figures[] = [];
  const cost = await meter.during(
    perSecond * seconds,
    async () => {
      const begin = performance.now();
      await workers.delays();
      for (let quarter = 1; quarter <= quarters; quarter++) {
        await pace.until(begin + (quarter * seconds * secondMs) / quarters);
        delays.push(await workers.delays());
      }
    },
    clientSecondsWith(workers),
  );
  const backlogAtEnd = pace.enqueued + before - workers.runs;
  const perSecondRun = (workers.runs - before) / seconds;
  await pace.ended();
  await workers.stop();
  await allThere(system.name, producer, workers.runs, pace.enqueued + before);
  const workersSeconds = await workers.cpuSeconds();
  workers.end();
  await producer.close();
  await new Promise((resolve) => setTimeout(resolve, untilToldMs));
  const left = await meter.tablesOf(system.schema);
  await holder.end();
  await meter.close();
  return { ...cost, ...quartersOf(delays), perSecond: perSecondRun, backlogAtEnd, ...left, workersSeconds };
}

async function warmUp(name: string, producer: Producer, workers: Workers, jobs: number): Promise<void> {
  for (let left = jobs; left > 0; left -= callMost) await producer.enqueue(Array.from({ length: Math.min(left, callMost) }, instant));
  for (const begin = performance.now(); workers.runs < jobs;) {
    if (performance.now() - begin > endsWithinMs) throw new Error(`${name} ran ${workers.runs} of the first ${jobs} jobs`);
    await new Promise((resolve) => setTimeout(resolve, callEveryMs));
  }
}

/** So many in a second, whatever became of the earlier ones. */
class Pace {
  enqueued = 0;
  readonly #producer: Producer;
  readonly #perMs: number;
  #due = 0;
  #from = performance.now();
  readonly #calls = new Set<Promise<void>>();
  #failure: Error | undefined;

  constructor(producer: Producer, perSecond: number) {
    this.#producer = producer;
    this.#perMs = perSecond / secondMs;
  }

  async until(end: number): Promise<void> {
    if (this.#due === 0) this.#from = performance.now();
    while (performance.now() < end) {
      if (this.#failure !== undefined) throw this.#failure;
      this.#due = Math.floor((performance.now() - this.#from) * this.#perMs);
      const missing = Math.min(callMost, this.#due - this.enqueued);
      if (missing > 0 && this.#calls.size < callsAtOnce) this.#call(missing);
      await new Promise((resolve) => setTimeout(resolve, callEveryMs));
    }
  }

  async ended(): Promise<void> {
    await Promise.all(this.#calls);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #call(jobs: number): void {
    this.enqueued += jobs;
    const at = instant();
    const call: Promise<void> = this.#producer
      .enqueue(Array.from({ length: jobs }, () => at))
      .then(
        () => undefined,
        (error: unknown) => void (this.#failure ??= new Error("a call failed", { cause: error })),
      )
      .finally(() => this.#calls.delete(call));
    this.#calls.add(call);
  }
}

/** A worker that has stopped well has stored what it ran, and has given back the rest. */
async function allThere(name: string, producer: Producer, runs: number, enqueued: number): Promise<void> {
  const { unended, done } = await producer.counts();
  if (enqueued - unended !== runs || (done ?? runs) !== runs) {
    throw new Error(`${name} ran ${runs} jobs; of ${enqueued} ${unended} are left, and ${done ?? "?"} are stored as done`);
  }
}

function quartersOf(delays: readonly Figures[]): Figures {
  const [first, last] = [delays[0] ?? {}, delays.at(-1) ?? {}];
  const nan = Number.NaN;
  return { firstP50ms: first["p50ms"] ?? nan, firstP99ms: first["p99ms"] ?? nan, lastP50ms: last["p50ms"] ?? nan, lastP99ms: last["p99ms"] ?? nan };
}
