/** Does a job cost more where more of them wait? So many wait all the time, while the same number of jobs is enqueued and run. */
import { clientSecondsWith } from "./drain.ts";
import type { Kit } from "./store.ts";
import { Supply } from "./supply.ts";
import type { Asked, Figures } from "./systems/system.ts";
import { Workers } from "./workers.ts";
import type { How, WorkingSystem } from "./working.ts";

/** Small enough for the smallest backlog. */
const batch = 250;
const callsAtOnce = 2;
const how: How = { hands: 100, for: "throughput", waitMs: 0 };
/** Run before, so that plans and caches are those of a worker at work. */
const warmUpShare = 0.2;
const lookEveryMs = 2;
const endsWithinMs = 300_000;

/** `jobs`: those that are measured; `backlog`: those that wait meanwhile. */
export async function backlogCost(system: WorkingSystem, kit: Kit, url: string, jobs: number, { backlog = jobs }: Asked): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await kit.meterOn(url)];
  const filling = new Supply(producer, kit);
  await filling.upTo(backlog);
  await meter.settle();
  const workers = await Workers.ready(system.name, url, how, 1);
  await workers.start();
  const supply = new Supply(producer, { batch, callsAtOnce });
  let runsBefore = 0;
  const more = (count: number): Promise<void> => {
    runsBefore = workers.runs;
    return running(system.name, workers, supply, runsBefore + count);
  };
  await more(Math.ceil(jobs * warmUpShare));
  const figures = await meter.during(jobs, () => more(jobs), clientSecondsWith(workers));
  const measured = workers.runs - runsBefore;
  const workersSeconds = await workers.cpuSeconds();
  // What is left is far more than what was measured.
  workers.end();
  await producer.close();
  await meter.close();
  return { ...figures, ...perRun(figures, jobs / measured), workersSeconds };
}

/** What runs is made up for at once. */
async function running(name: string, workers: Workers, supply: Supply, until: number): Promise<void> {
  const begin = performance.now();
  const isOver = (): boolean => {
    if (performance.now() - begin > endsWithinMs) throw new Error(`${name} ran ${workers.runs} of ${until} jobs`);
    return workers.runs >= until;
  };
  await supply.whileNot(isOver, () => workers.runs);
  while (!isOver()) await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
}

/** A worker goes on a little after the last of them. */
function perRun({ clientMicroseconds = Number.NaN, serverMicroseconds = Number.NaN, perSecond = Number.NaN }: Figures, factor: number): Figures {
  const [client, server] = [clientMicroseconds * factor, serverMicroseconds * factor];
  return {
    perSecond: perSecond / factor,
    clientMicroseconds: client,
    serverMicroseconds: server,
    costMicroseconds: client + (Number.isNaN(server) ? 0 : server),
  };
}
