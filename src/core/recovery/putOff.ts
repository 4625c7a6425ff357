/** Where too many of the starts of a ramp would be second tries, some of those are put off until it has come further. */
import { breakerRampGrowth, breakerRampGrowthMs } from "../defaults.ts";
import type { ClaimedJob } from "../engine.ts";
import type { Ms, Runtime } from "../runtime.ts";
import type { Draft } from "../worker/run.ts";
import type { Breaker } from "./breaker.ts";
import { dependencyWords } from "./breakerPolicy.ts";

const leastMs: Ms = 2_000;
const spreadMs: Ms = 5_000;

/** Undefined: it may start. */
export function putOff(job: ClaimedJob, breaker: Breaker, runtime: Pick<Runtime, "random">): Draft | undefined {
  if (breaker.state.is !== "ramping" || breaker.budget.admits(job.attempt, secondOf(breaker))) return undefined;
  // To put it off would clear its name: a suspect keeps its turn.
  if (job.suspects > 0) return undefined;
  const leftMs = restOfRampMs(breaker);
  return {
    is: "snoozed",
    delayMs: Math.round(leastMs + leftMs / 2 + runtime.random() * (leftMs / 2 + spreadMs)),
    reason: `put off while ${dependencyWords(breaker.name)} recovers: second tries take a fifth of its starts`,
  };
}

/** So many starts of this process as come in about a second. */
function secondOf({ state: { startRate, told } }: Breaker): number {
  return Math.max(1, startRate / Math.max(1, told.length));
}

function restOfRampMs({ state: { rate, startRate } }: Breaker): Ms {
  return startRate >= rate ? 0 : (Math.log(rate / startRate) / Math.log(breakerRampGrowth)) * breakerRampGrowthMs;
}
