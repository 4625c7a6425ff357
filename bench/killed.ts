/** Worker processes are killed with what they hold, one after the other, and others take their places: what is left of the throughput, and when does what they held run? */
import type { Kit } from "./store.ts";
import { Supply } from "./supply.ts";
import type { Asked, Figures } from "./systems/system.ts";
import { Workers } from "./workers.ts";
import type { How, Producer, WorkingSystem } from "./working.ts";

const processes = 4;
const how: How = { hands: 25, for: "throughput", waitMs: 1 };
/** Plans, caches and code are those of processes at work by then. */
const warmUpMs = 3_000;
const killEveryMs = 2_000;
const secondMs = 1_000;
const lookEveryMs = 50;
/** After the last kill; leases of most are over by then. */
const recoversWithinMs = 60_000;

/** `backlog`: about so many jobs wait all the time. Half of the time nobody is killed. */
export async function killed(system: WorkingSystem, kit: Kit, url: string, backlog: number, { seconds }: Asked): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await kit.meterOn(url)];
  const supply = new Supply(producer, kit);
  await supply.upTo(backlog);
  await meter.settle();
  const workers = await Workers.ready(system.name, url, how, processes);
  await workers.start();
  const ended = async (): Promise<number> => supply.enqueued - (await producer.counts()).unended;
  const half = (seconds / 2) * secondMs;
  const nothing = (): Promise<void> => Promise.resolve();
  await during(warmUpMs, supply, workers, backlog, ended, nothing);
  const calm = await during(half, supply, workers, backlog, ended, nothing);
  let kills = 0;
  const disturbed = await during(half, supply, workers, backlog, ended, async () => {
    kills++;
    await workers.replaceOne();
  });
  const recovery = await recovered(producer);
  const workersSeconds = await workers.cpuSeconds();
  workers.end();
  await producer.close();
  await meter.close();
  return { calmPerSecond: calm, perSecond: disturbed, share: disturbed / calm, kills, ...recovery, workersSeconds };
}

/** Jobs that ended in a second of it, by the store's own count. */
async function during(
  ms: number,
  supply: Supply,
  workers: Workers,
  backlog: number,
  ended: () => Promise<number>,
  disturb: () => Promise<void>,
): Promise<number> {
  const before = await ended();
  const begin = performance.now();
  let after = before;
  let tookMs = ms;
  const disturbing = (async (): Promise<void> => {
    for (let at = killEveryMs; at < ms; at += killEveryMs) {
      await new Promise((resolve) => setTimeout(resolve, begin + at - performance.now()));
      await disturb();
    }
  })();
  const counting = (async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    tookMs = performance.now() - begin;
    after = await ended();
  })();
  let isOver = false;
  const supplying = supply.whileNot(
    () => isOver,
    () => workers.runs + backlog,
  );
  await Promise.all([disturbing, counting]);
  isOver = true;
  await supplying;
  return ((after - before) * secondMs) / tookMs;
}

/** Until all has ended; what the dead held is left for longer than anybody waits here, or runs when their leases are over. */
async function recovered(producer: Producer): Promise<Figures> {
  const begin = performance.now();
  for (let unended = 1; ; await new Promise((resolve) => setTimeout(resolve, lookEveryMs))) {
    ({ unended } = await producer.counts());
    const ms = performance.now() - begin;
    if (unended === 0) return { recoveredSeconds: ms / secondMs, stranded: 0 };
    if (ms > recoversWithinMs) return { stranded: unended };
  }
}
