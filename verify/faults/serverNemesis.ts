/** Disturbs the servers of a stage, one thing after the other, and writes down what it did. */
import { machineMs } from "../../src/runtime/machineClock.ts";
import { Seeded } from "../../src/verify/seeded.ts";
import { sleep } from "../../src/verify/sleep.ts";
import type { ServerFaultLine } from "./history.ts";
import type { Disturbance } from "./stage.ts";

export interface ServerNemesisOptions {
  readonly disturbances: readonly Disturbance[];
  readonly seed: number;
  /** The mean time from the end of one to the next. */
  readonly everyMs: number;
  readonly made: (line: ServerFaultLine) => void;
  readonly signal: AbortSignal;
}

/** Each kind comes once before any comes again; the first one soon. Nothing is begun in the last moments. */
export async function disturb({ disturbances, seed, everyMs, made, signal }: ServerNemesisOptions, lastsMs: number): Promise<void> {
  const chance = new Seeded(seed, "servers");
  const until = machineMs() + lastsMs;
  let left: Disturbance[] = [];
  let waitMs = everyMs * chance.between(0.1, 0.6);
  while (disturbances.length > 0 && machineMs() + waitMs < until) {
    await sleep(waitMs, signal);
    if (left.length === 0) left = [...disturbances];
    const [next] = left.splice(chance.below(left.length), 1);
    if (next === undefined) return;
    const { from, to, forgetsFrom } = await next.make(chance);
    made({ is: "fault", kind: next.kind, on: "*", from, to, ...(forgetsFrom !== undefined && { forgetsFrom }) });
    waitMs = everyMs * chance.between(0.4, 1.6);
  }
}
