/** What follows from what: an event, and the task that handles it. */
import { durationMs, type Duration } from "./duration.ts";
import { ErrandError } from "./errors.ts";
import type { AnyEvent, DomainEvent } from "./event.ts";
import { checkName } from "./names.ts";
import type { StoredSubscription } from "./notes.ts";
import { aFunction, checkOptions, oneOf } from "./options.ts";
import { storedTask } from "./storedTask.ts";
import type { AnyTask, TaskOf } from "./task.ts";

export interface SubscriptionOptions {
  /** Durable identity. Default `event/task`; give one where two subscriptions join the same pair. */
  readonly name?: string;
  /** Delay between the event and its job. */
  readonly in?: Duration;
  /** "beginning": also the events that are still stored from before it was registered. Default now. */
  readonly since?: "now" | "beginning";
}
export interface Subscription {
  readonly kind: "subscription";
  readonly name: string;
}
/** A subscription as the broker and the worker hold it. */
export interface AnySubscription extends Subscription {
  readonly event: AnyEvent;
  readonly task: AnyTask;
  readonly map: ((payload: unknown) => unknown) | undefined;
  readonly stored: StoredSubscription;
}

/**
 * Subscribes a task to an event: each event becomes one job, whoever publishes it.
 *
 *     export const receipts = when(orderPlaced, sendReceipt);
 *     export const charges = when(orderPlaced, charge, { with: ({ orderId }) => ({ invoiceId: orderId }) });
 *
 * Without `with` the event's payload is the task's input. `with` runs in a worker; undefined from it means "not for me".
 * It is stored when a broker that has it first opens, and stays until `unsubscribe`. Throws `option-unknown`, `option-invalid`, `name-invalid`.
 */
export function when<In, Out, TaskIn>(
  event: DomainEvent<In, Out>,
  task: TaskOf<TaskIn>,
  ...mapping: [In] extends [TaskIn]
    ? [options?: SubscriptionOptions & { readonly with?: (payload: Out) => NoInfer<TaskIn> | undefined }]
    : [options: SubscriptionOptions & { readonly with: (payload: Out) => NoInfer<TaskIn> | undefined }]
): Subscription {
  if (event?.kind !== "event") throw new ErrandError("option-invalid", "when(event, task): the first is no event; define it with event(…)");
  if (task?.kind !== "task") throw new ErrandError("option-invalid", "when(event, task): the second is no task; define it with task(…)");
  const options: SubscriptionOptions & { readonly with?: unknown } = mapping[0] ?? {};
  const name = subscriptionName(event, task, options);
  checkOptions(options, `when("${event.name}", "${task.name}")`, {
    name: (value, path) => void checkName(value, path),
    in: (value, path) => void durationMs(value as Duration, path),
    since: oneOf("now", "beginning"),
    with: aFunction,
  });
  const made: AnySubscription = {
    kind: "subscription",
    name,
    event,
    task: task as unknown as AnyTask,
    map: options.with as AnySubscription["map"],
    stored: storedOf(name, event, task as unknown as AnyTask, options),
  };
  return Object.freeze(made);
}

function subscriptionName(event: AnyEvent, task: TaskOf<never>, options: SubscriptionOptions): string {
  return options.name ?? `${event.name}/${task.name}`;
}

function storedOf(name: string, event: AnyEvent, task: AnyTask, options: SubscriptionOptions & { readonly with?: unknown }): StoredSubscription {
  return {
    name,
    event: event.name,
    since: options.since ?? "now",
    delayMs: options.in === undefined ? 0 : durationMs(options.in, "in"),
    isMapped: options.with !== undefined,
    ...storedTask(task),
  };
}
