/** Jobs that are enqueued, and jobs that are drained by worker processes. Where counts do not come out, there is no answer. */
import { allEnded } from "./ended.ts";
import { fill } from "./fill.ts";
import { ownSeconds } from "./ownSeconds.ts";
import type { Kit } from "./store.ts";
import type { Figures } from "./systems/system.ts";
import type { How, Producer, WorkingSystem } from "./working.ts";
import { Workers } from "./workers.ts";

export async function enqueue(system: WorkingSystem, kit: Kit, url: string, jobs: number, how: (producer: Producer) => Promise<void>): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await kit.meterOn(url)];
  const figures = await meter.during(jobs, () => how(producer));
  const { unended } = await producer.counts();
  if (unended !== jobs) throw new Error(`${system.name} stored ${unended} of ${jobs} jobs`);
  await producer.close();
  await meter.close();
  return figures;
}

/** From `start` in connected worker processes until the last outcome is stored. */
export async function drain(system: WorkingSystem, kit: Kit, url: string, jobs: number, how: How, processes: number): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await kit.meterOn(url)];
  const filled = await meter.during(jobs, () => fill(jobs, kit.batch, kit.callsAtOnce, (ids) => producer.enqueue(ids)));
  await meter.settle();
  const workers = await Workers.ready(system.name, url, how, processes);
  const drained = await meter.during(
    jobs,
    async () => {
      await workers.start();
      await allEnded(system.name, workers, producer, jobs);
    },
    clientSecondsWith(workers),
  );
  await workers.stop();
  if (workers.runs !== jobs) throw new Error(`${system.name} ran ${jobs} jobs ${workers.runs} times`);
  const workersSeconds = await workers.cpuSeconds();
  workers.end();
  await producer.close();
  await meter.close();
  const { walBytes } = filled;
  return { ...drained, ...(walBytes !== undefined && { walEnqueueBytes: walBytes }), workersSeconds };
}

/** CPU of this process and of the workers until now. */
export function clientSecondsWith(workers: Workers): () => Promise<number> {
  return async () => (await ownSeconds()) + (await workers.cpuSeconds());
}
