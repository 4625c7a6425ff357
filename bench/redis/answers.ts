/** The questions, asked of any system on Redis. Where counts do not come out, there is no answer. */
import { allEnded } from "../ended.ts";
import { fill } from "../fill.ts";
import { latency, latencyAcross } from "../latency.ts";
import { ownSeconds } from "../ownSeconds.ts";
import { callers, type Figures, type System } from "../systems/system.ts";
import type { How, Producer } from "../working.ts";
import { Workers } from "../workers.ts";
import { due } from "./due.ts";
import { dueClaims } from "./dueClaims.ts";
import { idle } from "./idle.ts";
import { Meter } from "./meter.ts";
import { stored } from "./stored.ts";
import type { RedisSystem } from "./system.ts";

const batch = 1_000;
const callsAtOnce = 2;
const noop: How = { hands: 100, for: "throughput", waitMs: 0 };
const waiting1ms: How = { ...noop, waitMs: 1 };

export function answersOf(system: RedisSystem): System {
  return {
    name: system.name,
    settings: system.settings,
    store: "redis",
    ...(system.on && { on: system.on }),
    answers: {
      bulk: (url, jobs) => enqueue(system, url, jobs, (producer) => fill(jobs, batch, callsAtOnce, (ids) => producer.enqueue(ids))),
      awaiting64: (url, jobs) =>
        enqueue(system, url, jobs, (producer) => {
          let id = 0;
          return callers(jobs, () => producer.enqueueOne(id++));
        }),
      single: (url, jobs) =>
        enqueue(system, url, jobs, async (producer) => {
          for (let id = 0; id < jobs; id++) await producer.enqueueOne(id);
        }),
      drain: (url, jobs) => drain(system, url, jobs, noop, 1),
      "drain-2": (url, jobs) => drain(system, url, jobs, noop, 2),
      "drain-1ms": (url, jobs) => drain(system, url, jobs, waiting1ms, 1),
      ordered: (url, jobs) => drain(system, url, jobs, noop, 1),
      "ordered-1ms": (url, jobs) => drain(system, url, jobs, waiting1ms, 1),
      latency: (url, jobs) => latency(system, url, jobs),
      "latency-across": (url, jobs) => latencyAcross(system, url, jobs),
      stored: (url, jobs) => stored(system, url, jobs),
      due: (url, jobs) => due(system, url, jobs),
      "due-claims": (url, jobs) => dueClaims(system, url, jobs),
      idle: (url, jobs, asked) => idle(system, url, jobs, asked),
    },
  };
}

async function enqueue(system: RedisSystem, url: string, jobs: number, how: (producer: Producer) => Promise<void>): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await Meter.on(url)];
  const figures = await meter.during(jobs, () => how(producer));
  const { unended } = await producer.counts();
  if (unended !== jobs) throw new Error(`${system.name} stored ${unended} of ${jobs} jobs`);
  await producer.close();
  await meter.close();
  return figures;
}

/** From `start` in connected worker processes until the last outcome is stored. */
async function drain(system: RedisSystem, url: string, jobs: number, how: How, processes: number): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await Meter.on(url)];
  await fill(jobs, batch, callsAtOnce, (ids) => producer.enqueue(ids));
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
  return { ...drained, workersSeconds };
}
