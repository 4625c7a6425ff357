/** What of a task's policy holds back its jobs: limits, resources, hours, and a breaker. */
import type { StoredKeyLimit } from "../notes.ts";
import { aBreaker, aDependency, breakerPolicyOf, type BreakerOptions, type BreakerPolicy } from "../recovery/breakerPolicy.ts";
import type { OneOrMany } from "../typing.ts";
import { hoursOf, someHours, type Hours } from "./hours.ts";
import { gatesOf, keyLimitsOf, someLimits, type Gate, type Limit } from "./limit.ts";
import { someNeeds } from "./resource.ts";

export interface FlowOptions<In> {
  /** Never more running, or started within a time: over all jobs of the task, or `per` key. Crashes included. */
  readonly limits?: readonly Limit<In>[];
  /** Amounts of named resources ({@link resource}) that a job holds while it runs. */
  readonly needs?: Readonly<Record<string, number>>;
  /** Its jobs start at these hours only; those that run when they end go on. Default: always. */
  readonly hours?: OneOrMany<Hours>;
  /** What its runs depend on: all tasks that name it share one breaker. Default: the task has its own. */
  readonly dependsOn?: string;
  /** When starts are held back after failures; false: never. Default: when 10 different jobs failed among the last 20 runs of a process, within a minute. */
  readonly breaker?: false | BreakerOptions;
}

export interface FlowPolicy {
  readonly gates: readonly Gate[];
  readonly keyLimits: readonly StoredKeyLimit[] | undefined;
  readonly needs: Readonly<Record<string, number>> | undefined;
  readonly hours: readonly Hours[] | undefined;
  readonly breaker: BreakerPolicy | undefined;
}

export const flowChecks: Readonly<Record<keyof FlowOptions<unknown>, (value: unknown, path: string) => void>> = {
  limits: someLimits,
  needs: someNeeds,
  hours: someHours,
  dependsOn: aDependency,
  breaker: aBreaker,
};

/** Throws `definition-invalid` where two options contradict each other. */
export function flowPolicyOf(task: string, options: FlowOptions<unknown>): FlowPolicy {
  const gates = gatesOf(task, options.limits);
  const isRated = gates.some(({ limit }) => "starts" in limit);
  return {
    gates,
    keyLimits: keyLimitsOf(task, options.limits),
    needs: options.needs && Object.keys(options.needs).length > 0 ? options.needs : undefined,
    hours: hoursOf(options.hours),
    breaker: breakerPolicyOf(task, { breaker: options.breaker, dependsOn: options.dependsOn, isRated }),
  };
}
