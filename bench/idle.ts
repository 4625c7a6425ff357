/** A worker that has run what there was and waits for more: what does it ask of the server, and what does that cost both? */
import { allEnded } from "./ended.ts";
import type { Kit } from "./store.ts";
import type { Asked, Figures } from "./systems/system.ts";
import { Workers } from "./workers.ts";
import type { WorkingSystem } from "./working.ts";

/** Whoever asks less and less often has come to rest by then. */
const restMs = 5_000;
const percent = 100;

export async function idle(system: WorkingSystem, kit: Kit, url: string, jobs: number, { seconds }: Asked): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await kit.meterOn(url)];
  const workers = await Workers.ready(system.name, url, { hands: 100, for: "latency", waitMs: 0 }, 1);
  await producer.enqueue(Array.from({ length: jobs }, (_, id) => id));
  await workers.start();
  await allEnded(system.name, workers, producer, jobs);
  await producer.close();
  await new Promise((resolve) => setTimeout(resolve, restMs));
  const asked = await meter.during(
    seconds,
    () => new Promise((resolve) => setTimeout(resolve, seconds * 1_000)),
    () => workers.cpuSeconds(),
  );
  await workers.stop();
  const workersSeconds = await workers.cpuSeconds();
  workers.end();
  await meter.close();
  const ofACore = (figure: string): number => ((asked[figure] ?? Number.NaN) * percent) / 1e6;
  return {
    ...(asked["commands"] !== undefined && { commandsPerSecond: asked["commands"] }),
    clientPercent: ofACore("clientMicroseconds"),
    serverPercent: ofACore("serverMicroseconds"),
    workersSeconds,
  };
}
