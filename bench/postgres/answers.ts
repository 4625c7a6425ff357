/** The questions, asked of any system on PostgreSQL. Where counts do not come out, there is no answer. */
import { allEnded } from "../ended.ts";
import { fill } from "../fill.ts";
import { latency, latencyAcross } from "../latency.ts";
import { ownSeconds } from "../ownSeconds.ts";
import { callers, type Figures, type System } from "../systems/system.ts";
import type { How, Producer } from "../working.ts";
import { Workers } from "../workers.ts";
import { committers } from "./committers.ts";
import { history } from "./history.ts";
import { latencyPooled } from "./latencyPooled.ts";
import { Meter } from "./meter.ts";
import { paced } from "./paced.ts";
import { pinned } from "./pinned.ts";
import type { PostgresSystem } from "./system.ts";

/** Large calls, and more than one on the way, are what each of them documents for bulk. */
const batch = 5_000;
const callsAtOnce = 2;
const noop: How = { hands: 100, for: "throughput", waitMs: 0 };
const waiting1ms: How = { ...noop, waitMs: 1 };

export function answersOf(system: PostgresSystem): System {
  return {
    name: system.name,
    settings: system.settings,
    store: "postgres",
    answers: {
      bulk: (url, jobs) => enqueue(system, url, jobs, (producer) => fill(jobs, batch, callsAtOnce, (ids) => producer.enqueue(ids))),
      awaiting64: (url, jobs) => enqueue(system, url, jobs, (producer) => callers(jobs, () => producer.enqueueOne(1))),
      single: (url, jobs) =>
        enqueue(system, url, jobs, async (producer) => {
          for (let id = 0; id < jobs; id++) await producer.enqueueOne(id);
        }),
      drain: (url, jobs) => drain(system, url, jobs, noop, 1),
      "drain-2": (url, jobs) => drain(system, url, jobs, noop, 2),
      "drain-4": (url, jobs) => drain(system, url, jobs, noop, 4),
      "drain-1ms": (url, jobs) => drain(system, url, jobs, waiting1ms, 1),
      ordered: (url, jobs) => drain(system, url, jobs, noop, 1),
      "ordered-1ms": (url, jobs) => drain(system, url, jobs, waiting1ms, 1),
      latency: (url, jobs) => latency(system, url, jobs),
      "latency-across": (url, jobs) => latencyAcross(system, url, jobs),
      "latency-pooled": (url, jobs) => latencyPooled(system, url, jobs),
      committers: (url, jobs) => committers(system, url, jobs),
      pinned: (url, jobs, asked) => pinned(system, url, jobs, asked),
      "paced-pinned": (url, jobs, asked) => paced(system, url, jobs, asked),
      history: (url, jobs) => history(system, url, jobs),
    },
  };
}

async function enqueue(system: PostgresSystem, url: string, jobs: number, how: (producer: Producer) => Promise<void>): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await Meter.on(url)];
  const figures = await meter.during(jobs, () => how(producer));
  const { unended } = await producer.counts();
  if (unended !== jobs) throw new Error(`${system.name} stored ${unended} of ${jobs} jobs`);
  await producer.close();
  await meter.close();
  return figures;
}

/** From `start` in connected worker processes until the last outcome is stored. */
async function drain(system: PostgresSystem, url: string, jobs: number, how: How, processes: number): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await Meter.on(url)];
  const filled = await meter.during(jobs, () => fill(jobs, batch, callsAtOnce, (ids) => producer.enqueue(ids)));
  await meter.settle();
  const workers = await Workers.ready(system.name, url, how, processes);
  const clientSeconds = async (): Promise<number> => (await ownSeconds()) + (await workers.cpuSeconds());
  const drained = await meter.during(
    jobs,
    async () => {
      await workers.start();
      await allEnded(system.name, workers, producer, jobs);
    },
    clientSeconds,
  );
  await workers.stop();
  if (workers.runs !== jobs) throw new Error(`${system.name} ran ${jobs} jobs ${workers.runs} times`);
  const workersSeconds = await workers.cpuSeconds();
  workers.end();
  await producer.close();
  await meter.close();
  return { ...drained, walEnqueueBytes: filled["walBytes"] ?? Number.NaN, workersSeconds };
}
