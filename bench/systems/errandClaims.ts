/** Claims of errand by the engine's own verb, as a worker of 100 hands makes them: one after the other, each with the outcomes of the one before. */
import type { Claimed } from "../../src/core/engine.ts";
import { redis } from "../../src/redis/index.ts";
import { realRuntime } from "../../src/runtime/real.ts";

const slots = 100;
const leaseMs = 60_000;

/** Until there is nothing to claim, at most so many: ms of each. */
export async function errandClaims(url: string, task: string, times: number): Promise<readonly number[]> {
  const engine = redis(url);
  const runtime = realRuntime();
  await engine.open({ runtime });
  const samples: number[] = [];
  let held: Claimed | undefined;
  for (let claim = "", time = 0; time < times; time++) {
    const settling = (held?.jobs ?? []).map((job) => ({ id: job.id, claim, fence: held?.fence ?? 0, is: "completed" as const, ranMs: 0 }));
    claim = runtime.id();
    const begin = performance.now();
    const queues = [{ queue: "default", slots, ahead: 0 }];
    held = await engine.claim({ process: "bench", leaseMs, claim, lastFence: held?.fence ?? 0, queues, tasks: [task], alone: "no", settling }, {});
    if (held.jobs.length === 0) break;
    samples.push(performance.now() - begin);
  }
  await engine.close();
  if (samples.length === 0) throw new Error("errand claimed no job");
  return samples;
}
