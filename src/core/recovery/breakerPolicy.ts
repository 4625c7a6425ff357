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
  /** The task states how many may start in a time: that holds what it depends on to its rate once it has recovered. */
  readonly isRated: boolean;
  /** By options of the task, not by default. */
  readonly isGiven: boolean;
}

interface BreakerSource {
  readonly breaker: BreakerOptions | false | undefined;
  readonly dependsOn: string | undefined;
  readonly isRated: boolean;
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
export function breakerPolicyOf(task: string, { breaker: options, dependsOn, isRated }: BreakerSource): BreakerPolicy | undefined {
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
    isRated,
    isGiven: options !== undefined,
  };
}

/** How people call what a breaker of that name stands for: "task send-receipt", or "mail-api". */
export function dependencyWords(name: string): string {
  return name.startsWith("task/") ? name.replace("/", " ") : name.replace("dependency/", "");
}

/** One for all tasks that depend on the same thing. Throws `definition-invalid` where two of them give different options. */
export function sharedBreakers(
  tasks: Iterable<{ readonly name: string; readonly policy: { readonly breaker: BreakerPolicy | undefined } }>,
): Map<string, BreakerPolicy> {
  const shared = new Map<string, BreakerPolicy>();
  for (const { name: task, policy } of tasks) {
    const { breaker } = policy;
    if (breaker === undefined) continue;
    const other = shared.get(breaker.name);
    shared.set(breaker.name, other === undefined ? breaker : merged(task, breaker, other));
  }
  return shared;
}

function merged(task: string, one: BreakerPolicy, other: BreakerPolicy): BreakerPolicy {
  const isSame = one.failing === other.failing && one.of === other.of && one.withinMs === other.withinMs;
  if (one.isGiven && other.isGiven && !isSame)
    throw new ErrandError(
      "definition-invalid",
      `task("${task}").breaker differs from that of another task with the same dependsOn; they share one, so give both the same options`,
    );
  return { ...(one.isGiven ? one : other), isRated: one.isRated && other.isRated };
}

function aSpan(value: unknown, path: string): void {
  if (durationMs(value as Duration, path) < 1_000) refuse(path, value, "at least 1s");
}
