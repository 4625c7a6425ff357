/**
 * Jobs that arrive at random, whatever became of those before them: how long from the moment one was to arrive until its run starts in another process?
 * Nothing is left out when a call waits: what was late to be handed over counts from when it was due.
 */
import { instant } from "./instant.ts";
import { clientSecondsWith } from "./drain.ts";
import { allEnded } from "./ended.ts";
import type { Kit } from "./store.ts";
import type { Figures } from "./systems/system.ts";
import { Workers } from "./workers.ts";
import type { How, Producer, WorkingSystem } from "./working.ts";

const how: How = { hands: 100, for: "latency", waitMs: 0, isTimed: true };
const secondMs = 1_000;
const microsecondsPerMs = 1_000;
/** Calls that have not returned: more of them wait in here, and their time runs. */
const callsMax = 20_000;
/** A timer wakes up a millisecond late. Where arrivals are rare, the last of it is waited for without one. */
const rarePerSecond = 200;
const wakeEarlyMs = 1.5;
/** How what a system sustains is found out: so many callers, each awaiting its call, for so long. */
const probers = 64;
const probeSeconds = 5;
/** Whoever enqueues without waiting for anything lets others have a turn of the event loop after so many. */
const callsInTurn = 16;
const warmUpSeconds = 2;

/** `perSecond`: or half of what the system sustains, where it is not said. */
export async function openLoop(system: WorkingSystem, kit: Kit, url: string, seconds: number, perSecond?: number): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await kit.meterOn(url)];
  const workers = await Workers.ready(system.name, url, how, 1);
  await workers.start();
  const loop = new Loop(producer);
  const rate = perSecond ?? (await sustained(workers, loop)) / 2;
  await loop.during(warmUpSeconds, rate);
  await allEnded(system.name, workers, producer, loop.enqueued);
  await meter.settle();
  await workers.delays();
  const before = loop.enqueued;
  let lateAtEnd = 0;
  const cost = await meter.during(
    rate * seconds,
    async () => {
      await loop.during(seconds, rate);
      lateAtEnd = loop.enqueued - workers.runs;
    },
    clientSecondsWith(workers),
  );
  await allEnded(system.name, workers, producer, loop.enqueued);
  const delays = await workers.delays();
  await workers.stop();
  if (workers.runs !== loop.enqueued) throw new Error(`${system.name} ran ${loop.enqueued} jobs ${workers.runs} times`);
  const workersSeconds = await workers.cpuSeconds();
  workers.end();
  await producer.close();
  await meter.close();
  return { ...cost, ...delays, perSecond: (loop.enqueued - before) / seconds, lateAtEnd, workersSeconds };
}

/** The smaller of what is taken in and what is run, by callers that wait for each other. */
async function sustained(workers: Workers, loop: Loop): Promise<number> {
  const begin = performance.now();
  const end = begin + probeSeconds * secondMs;
  await Promise.all(
    Array.from({ length: probers }, async () => {
      while (performance.now() < end) {
        await loop.one();
        await turn();
      }
    }),
  );
  // Until it is known what has run by now.
  await workers.cpuSeconds();
  const seconds = (performance.now() - begin) / secondMs;
  return Math.min(loop.enqueued, workers.runs) / seconds;
}

class Loop {
  enqueued = 0;
  readonly #producer: Producer;
  readonly #calls = new Set<Promise<void>>();
  #failure: Error | undefined;

  constructor(producer: Producer) {
    this.#producer = producer;
  }

  one(at: number = instant()): Promise<unknown> {
    this.enqueued++;
    return this.#producer.enqueueOne(at);
  }

  /** Gaps are exponential: a process without a memory. */
  async during(seconds: number, perSecond: number): Promise<void> {
    const begin = performance.now();
    const [beganAt, end] = [instant(), begin + seconds * secondMs];
    const wakeEarly = perSecond <= rarePerSecond ? wakeEarlyMs : 0;
    let inTurn = 0;
    for (let next = begin + gapMs(perSecond); next < end; next += gapMs(perSecond)) {
      if (++inTurn % callsInTurn === 0) await turn();
      while (performance.now() < next || this.#calls.size >= callsMax) await restUntil(next, wakeEarly);
      if (this.#failure !== undefined) throw this.#failure;
      this.#call(beganAt + Math.round((next - begin) * microsecondsPerMs));
    }
    await Promise.all(this.#calls);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #call(at: number): void {
    const call: Promise<void> = this.one(at)
      .then(
        () => undefined,
        (error: unknown) => void (this.#failure ??= new Error("a call failed", { cause: error })),
      )
      .finally(() => this.#calls.delete(call));
    this.#calls.add(call);
  }
}

function gapMs(perSecond: number): number {
  return (-Math.log(1 - Math.random()) * secondMs) / perSecond;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function restUntil(next: number, wakeEarly: number): Promise<void> {
  const leftMs = next - performance.now() - wakeEarly;
  return new Promise((resolve) => (wakeEarly > 0 && leftMs < 1 ? setImmediate(resolve) : setTimeout(resolve, Math.max(0, leftMs))));
}
