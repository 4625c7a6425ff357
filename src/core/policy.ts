/** A task's policy, with every default filled in and every duration in milliseconds. */
import * as defaults from "./defaults.ts";
import { durationMs, type Duration } from "./duration.ts";
import type { Keep, LaneMembership, Uniqueness } from "./engine.ts";
import { ErrandError } from "./errors.ts";
import { fieldsOf } from "./event.ts";
import { flowPolicyOf, type FlowPolicy } from "./limits/flowPolicy.ts";
import type { Ms } from "./runtime.ts";
import type { RetryDelay, TaskDefinition } from "./task.ts";

export interface TaskPolicy extends FlowPolicy {
  readonly queue: string;
  readonly headStartMs: Ms;
  readonly timeoutMs: Ms;
  readonly orderedBy: readonly string[] | undefined;
  readonly ifDead: LaneMembership["ifDead"];
  readonly uniqueBy: readonly string[] | undefined;
  readonly uniqueMode: Uniqueness["mode"];
  readonly version: number | undefined;
  readonly retry: RetryPolicy;
  readonly keep: Keep;
}
export interface RetryPolicy {
  readonly attempts: number;
  readonly backoff: "exponential" | "fixed";
  readonly firstMs: Ms;
  readonly upToMs: Ms;
  readonly delay: RetryDelay | undefined;
}

/** Throws `definition-invalid` where two options contradict each other. */
export function policyOf(name: string, definition: TaskDefinition<unknown, unknown>): TaskPolicy {
  checkPairs(name, definition);
  const orderedBy = fieldsOf(definition.orderedBy);
  const uniqueBy = fieldsOf(definition.uniqueBy);
  const uniqueMode = uniqueModeOf(definition.ifTaken);
  const isShared = uniqueMode.is === "one-more" || uniqueMode.is === "gather";
  if (isShared && orderedBy && !orderedBy.every((field) => uniqueBy?.includes(field))) {
    throw new ErrandError(
      "definition-invalid",
      `task("${name}") is ordered by ${orderedBy.join(", ")}, which ${uniqueMode.is === "gather" ? "merge" : '"one-more"'} needs among uniqueBy; add the field to uniqueBy`,
    );
  }
  return {
    queue: definition.queue ?? defaults.queueName,
    headStartMs: defaults.headStartMs[definition.priority ?? "normal"],
    timeoutMs: ms(definition.timeout, defaults.timeoutMs),
    orderedBy,
    ifDead: definition.ifDead ?? "park",
    uniqueBy,
    uniqueMode,
    version: definition.version,
    retry: retryOf(definition.retry ?? {}),
    keep: keepOf(definition.keep ?? {}),
    ...flowPolicyOf(name, definition),
  };
}

function checkPairs(name: string, definition: TaskDefinition<unknown, unknown>): void {
  for (const [option, needed] of [
    ["ifDead", "orderedBy"],
    ["ifTaken", "uniqueBy"],
    ["upgrade", "version"],
  ] as const) {
    if (definition[option] === undefined || definition[needed] !== undefined) continue;
    throw new ErrandError("definition-invalid", `task("${name}") has ${option} without ${needed}; name the fields in ${needed}, or leave ${option} out`);
  }
}

function uniqueModeOf(rule: TaskDefinition<unknown, unknown>["ifTaken"]): Uniqueness["mode"] {
  if (rule === undefined || typeof rule === "string") return { is: rule ?? "keep" };
  if ("throttle" in rule) return { is: "throttle", windowMs: durationMs(rule.throttle, "throttle") };
  const times = { quietMs: durationMs(rule.debounce, "debounce"), atMostMs: durationMs(rule.atMost, "atMost") };
  return rule.merge === undefined ? { is: "debounce", ...times } : { is: "gather", ...times, most: rule.most ?? defaults.gatherMost };
}

function retryOf(retry: NonNullable<TaskDefinition<unknown, unknown>["retry"]>): RetryPolicy {
  return {
    attempts: retry.attempts ?? defaults.attemptsMax,
    backoff: retry.backoff ?? "exponential",
    firstMs: ms(retry.first, defaults.backoffFirstMs),
    upToMs: ms(retry.upTo, defaults.backoffUpToMs),
    delay: retry.delay,
  };
}

function keepOf(keep: NonNullable<TaskDefinition<unknown, unknown>["keep"]>): Keep {
  return {
    completed: ms(keep.completed, defaults.keepMs.completed),
    skipped: ms(keep.skipped, defaults.keepMs.skipped),
    cancelled: ms(keep.cancelled, defaults.keepMs.cancelled),
    dead: ms(keep.dead, defaults.keepMs.dead),
  };
}

function ms(duration: Duration | undefined, otherwise: Ms): Ms {
  return duration === undefined ? otherwise : durationMs(duration, "a duration");
}
