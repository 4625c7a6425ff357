/** Very many jobs fall due at the same moment, and a worker is there: how fast are they run, and how long is one step of a server then, during which it answers nobody else? */
import { clientSecondsWith } from "./drain.ts";
import { allEnded } from "./ended.ts";
import { fillDue, until } from "./falling.ts";
import type { Kit } from "./store.ts";
import type { Figures } from "./systems/system.ts";
import { Workers } from "./workers.ts";
import type { WorkingSystem } from "./working.ts";

const shortlyMs = 50;

export async function due(system: WorkingSystem, kit: Kit, url: string, jobs: number): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await kit.meterOn(url)];
  const at = await fillDue(system, kit, producer, jobs);
  const workers = await Workers.ready(system.name, url, { hands: 100, for: "due", waitMs: 0 }, 1);
  await workers.start();
  await meter.watch();
  await until(at - shortlyMs);
  if (workers.runs > 0) throw new Error(`${system.name} ran ${workers.runs} jobs before they were due`);
  await until(at);
  const figures = await meter.during(jobs, () => allEnded(system.name, workers, producer, jobs), clientSecondsWith(workers));
  // A timer may have come late.
  const perSecond = jobs / ((Date.now() - at) / 1_000);
  const steps = await meter.steps();
  await workers.stop();
  if (workers.runs !== jobs) throw new Error(`${system.name} ran ${jobs} jobs ${workers.runs} times`);
  const workersSeconds = await workers.cpuSeconds();
  workers.end();
  await producer.close();
  await meter.close();
  return { ...figures, ...steps, perSecond, workersSeconds };
}
