/** Very many jobs fall due at the same moment, and a worker is there: how long is one step of the server then, during which it answers nobody else? */
import { allEnded } from "../ended.ts";
import { ownSeconds } from "../ownSeconds.ts";
import type { Figures } from "../systems/system.ts";
import { Workers } from "../workers.ts";
import { fillDue, until } from "./falling.ts";
import { Meter } from "./meter.ts";
import type { RedisSystem } from "./system.ts";

const shortlyMs = 50;

export async function due(system: RedisSystem, url: string, jobs: number): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await Meter.on(url)];
  const at = await fillDue(system, producer, jobs);
  const workers = await Workers.ready(system.name, url, { hands: 100, for: "due", waitMs: 0 }, 1);
  const clientSeconds = async (): Promise<number> => (await ownSeconds()) + (await workers.cpuSeconds());
  await workers.start();
  await meter.watchScripts();
  await until(at - shortlyMs);
  if (workers.runs > 0) throw new Error(`${system.name} ran ${workers.runs} jobs before they were due`);
  await until(at);
  const figures = await meter.during(jobs, () => allEnded(system.name, workers, producer, jobs), clientSeconds);
  const scripts = await meter.scripts();
  await workers.stop();
  if (workers.runs !== jobs) throw new Error(`${system.name} ran ${jobs} jobs ${workers.runs} times`);
  const workersSeconds = await workers.cpuSeconds();
  workers.end();
  await producer.close();
  await meter.close();
  return { ...figures, ...scripts, workersSeconds };
}
