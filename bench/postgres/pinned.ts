/**
 * Enqueue and drain at full speed, while a transaction of somebody else's is held open: vacuum then removes nothing that ended since,
 * and whoever finds its next job by walking over those gets slower by the second.
 */
import { clientSecondsWith } from "../drain.ts";
import { Supply } from "../supply.ts";
import type { Asked, Figures } from "../systems/system.ts";
import { Workers } from "../workers.ts";
import { holding } from "./holder.ts";
import { Meter } from "./meter.ts";
import type { PostgresSystem } from "./system.ts";

const calls = { batch: 5_000, callsAtOnce: 2 };
/** A second is over when it is: what is told a little later belongs to the next. */
const secondMs = 1_000;

/** `backlog`: about so many jobs wait all the time. */
export async function pinned(system: PostgresSystem, url: string, backlog: number, { held = "nothing", seconds }: Asked): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await Meter.on(url)];
  const supply = new Supply(producer, calls);
  await supply.upTo(backlog);
  await meter.settle();
  const holder = await holding(url, held, producer);
  const workers = await Workers.ready(system.name, url, { hands: 100, for: "throughput", waitMs: 0 }, 1);
  const series: number[] = [];
  const cost = await meter.during(
    1,
    async () => {
      await workers.start();
      const end = performance.now() + seconds * secondMs;
      const counting = count(workers, series, seconds);
      await supply.whileNot(
        () => performance.now() >= end,
        () => workers.runs + backlog,
      );
      await counting;
    },
    clientSecondsWith(workers),
  );
  const backlogAtEnd = supply.enqueued - workers.runs;
  await workers.stop();
  // A worker that has stopped well has stored what it ran, and has given back the rest.
  const { unended } = await producer.counts();
  if (supply.enqueued - unended !== workers.runs) throw new Error(`${system.name} ran ${workers.runs} jobs, of ${supply.enqueued} ${unended} are left`);
  const workersSeconds = await workers.cpuSeconds();
  workers.end();
  await holder.end();
  await producer.close();
  await meter.close();
  return { ...figuresOf(series), ...perJob(cost, workers.runs), backlogAtEnd, workersSeconds };
}

async function count(workers: Workers, series: number[], seconds: number): Promise<void> {
  const begin = performance.now();
  let [runsBefore, atBefore] = [workers.runs, begin];
  for (let second = 1; second <= seconds; second++) {
    await new Promise((resolve) => setTimeout(resolve, begin + second * secondMs - performance.now()));
    const [runs, at] = [workers.runs, performance.now()];
    series.push(((runs - runsBefore) * secondMs) / (at - atBefore));
    [runsBefore, atBefore] = [runs, at];
  }
}

/** The first third against the rest: of 30 s, the first 10 against the last 20. */
function figuresOf(series: readonly number[]): Figures {
  const first = Math.max(1, Math.floor(series.length / 3));
  return {
    perSecond: mean(series),
    firstPerSecond: mean(series.slice(0, first)),
    lastPerSecond: mean(series.slice(first)),
    ...Object.fromEntries(series.map((jobs, index) => [`second ${index + 1}`, Math.round(jobs)])),
  };
}

function perJob({ walBytes = 0, clientMicroseconds = 0, serverMicroseconds = 0 }: Figures, jobs: number): Figures {
  return { walBytes: walBytes / jobs, clientMicroseconds: clientMicroseconds / jobs, serverMicroseconds: serverMicroseconds / jobs };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
