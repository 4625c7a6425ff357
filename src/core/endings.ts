/** How a run ends other than by returning or failing: by throwing one of these. */
import { durationMs, type Duration } from "./duration.ts";
import type { Ms } from "./runtime.ts";

export type Ending = { readonly is: "giveUp" | "skip"; readonly reason: string } | { readonly is: "snooze"; readonly delayMs: Ms };

/** Ends the job dead now, whatever attempts are left. Throws, so what follows is not reached. */
export function giveUp(reason: string): never {
  throw new EndingSignal({ is: "giveUp", reason: String(reason) });
}

/** Ends the job skipped, with a reason. Throws. */
export function skip(reason: string): never {
  throw new EndingSignal({ is: "skip", reason: String(reason) });
}

/** Runs the job again after `delay`, without costing an attempt. Throws. */
export function snooze(delay: Duration): never {
  throw new EndingSignal({ is: "snooze", delayMs: durationMs(delay, "snooze(delay)") });
}

/** Not an error: the worker takes it for the run's outcome. */
export class EndingSignal extends Error {
  readonly ending: Ending;
  constructor(value: Ending) {
    super(`${value.is}: let this pass through to errand, do not catch it`);
    this.name = "EndingSignal";
    this.ending = value;
  }
}
