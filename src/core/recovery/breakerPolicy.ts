/** Which breaker a task has, and when it opens. */
import { breakerFailing, breakerOf, breakerWithinMs } from "../defaults.ts";
import { durationMs, type Duration } from "../duration.ts";
import { ErrandError } from "../errors.ts";
import { checkName } from "../names.ts";
import { aWholeNumber, checkOptions, refuse } from "../options.ts";
import type { Ms } from "../runtime.ts";

export interface BreakerOptions {
  /** It opens when so many different jobs failed … Default 10. */
  readonly failing?: number;
  /** … among the last so many runs of this process … Default 20. */
  readonly of?: number;
  /** … within that time. Default 1 min. */
  readonly within?: Duration;
}

export interface BreakerPolicy {
  /** "task/send-receipt", or "dependency/mail-api" for all tasks that depend on it. */
  readonly name: string;
  readonly failing: number;
  readonly of: number;
  readonly withinMs: Ms;
}

const ofMost = 1_000;

/** Accepts `false` or options. */
export function aBreaker(value: unknown, path: string): void {
  if (value === false) return;
  if (value === true) refuse(path, value, "false, or options: it is on without them");
  checkOptions(value, path, { failing: aWholeNumber(2, ofMost), of: aWholeNumber(2, ofMost), within: aSpan });
}

export function aDependency(value: unknown, path: string): void {
  checkName(value, path);
}

/** Undefined: it has none. Throws `definition-invalid` where its options contradict each other. */
export function breakerPolicyOf(task: string, options: BreakerOptions | false | undefined, dependsOn: string | undefined): BreakerPolicy | undefined {
  if (options === false) {
    if (dependsOn === undefined) return undefined;
    throw new ErrandError("definition-invalid", `task("${task}") depends on ${dependsOn} and has no breaker; leave one of the two options out`);
  }
  const { failing = breakerFailing, of = breakerOf, within } = options ?? {};
  if (failing > of) throw new ErrandError("definition-invalid", `task("${task}").breaker waits for ${failing} failing of ${of} runs; give failing at most of`);
  return {
    name: dependsOn === undefined ? `task/${task}` : `dependency/${dependsOn}`,
    failing,
    of,
    withinMs: within === undefined ? breakerWithinMs : durationMs(within, "within"),
  };
}

function aSpan(value: unknown, path: string): void {
  if (durationMs(value as Duration, path) < 1_000) refuse(path, value, "at least 1s");
}
