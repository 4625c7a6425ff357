/** One event, its subscriptions, one job each (G10). Pure, so that every engine, and a publisher without the subscribers' code, fans out alike. */
import type { NewEvent, NewJob, Uniqueness } from "./engine.ts";
import { derivedId, keyName, keyValues } from "./keys.ts";
import { keyLimitOf } from "./keyLimits.ts";
import type { StoredSubscription } from "./notes.ts";

type Published = Pick<NewEvent, "id" | "name" | "payload" | "orderedBy">;

/**
 * The job that `subscription` gets for `event`. Its id is derived from both.
 * A payload without a field of `orderedBy` orders as null, so that order is kept too strictly rather than not at all;
 * without a field of `uniqueBy` it is unique to nothing, so that no work is dropped.
 */
export function jobFor(event: Published, subscription: StoredSubscription): NewJob {
  const payload: unknown = JSON.parse(event.payload);
  const lane = laneOf(event, subscription, payload);
  const unique = uniqueOf(subscription, payload);
  return {
    kind: "job",
    id: derivedId(event.id, subscription.name),
    content: "",
    rememberMs: 0,
    task: subscription.task,
    queue: subscription.queue,
    payload: unique?.mode.is === "gather" ? `[${event.payload}]` : event.payload,
    headStartMs: subscription.headStartMs,
    keep: subscription.keep,
    from: { event: event.name, eventId: event.id, subscription: subscription.name, isHop: subscription.isMapped },
    ...(subscription.delayMs > 0 && { delayMs: subscription.delayMs }),
    ...(lane && { lane }),
    ...(unique && { unique }),
    ...keyLimitsOf(subscription, payload),
    ...(subscription.version !== undefined && !subscription.isMapped && { version: subscription.version }),
  };
}

function laneOf(event: Published, subscription: StoredSubscription, payload: unknown): NewJob["lane"] {
  const fields = subscription.isMapped ? event.orderedBy : subscription.orderedBy;
  if (fields === undefined) return oneMoreLane(subscription, payload);
  const values = keyValues(fields, payload).map((value) => value ?? null);
  // A hop's lane is its subscription's own: the task's lane is joined by the job that the hop makes.
  const scope = subscription.isMapped ? `hop:${subscription.name}` : subscription.task;
  return { key: keyName(scope, values), width: 1, ifDead: subscription.ifDead ?? "park" };
}

/** "one-more" lets one wait while one runs: its unique key is a lane as well. */
function oneMoreLane(subscription: StoredSubscription, payload: unknown): NewJob["lane"] {
  const unique = uniqueOf(subscription, payload);
  return unique?.mode.is === "one-more" ? { key: unique.key, width: 1, ifDead: "continue" } : undefined;
}

/** A payload without a field of `per` counts under null: too strictly rather than not at all. */
function keyLimitsOf({ isMapped, keyLimits }: StoredSubscription, payload: unknown): Pick<NewJob, "keyLimits"> {
  if (isMapped || keyLimits === undefined) return {};
  return { keyLimits: keyLimits.map((limit) => keyLimitOf(limit, payload)) };
}

function uniqueOf(subscription: StoredSubscription, payload: unknown): Uniqueness | undefined {
  if (subscription.isMapped || subscription.uniqueBy === undefined) return undefined;
  const values = keyValues(subscription.uniqueBy, payload);
  if (values.includes(undefined)) return undefined;
  return { key: keyName(subscription.task, values), mode: subscription.uniqueMode ?? { is: "keep" } };
}
