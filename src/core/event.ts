/** An event: something that happened, named in the past tense, published once, handled by any number of subscribers. */
import { checkId, checkName } from "./names.ts";
import { aSchema, aString, checkOptions, refuse } from "./options.ts";
import type { Schema } from "./schema.ts";
import type { Exactly, Key, NameFor } from "./typing.ts";

export const madeByEventWith: unique symbol = Symbol.for("errand.fact") as never;
declare const carries: unique symbol;

/** An event not yet published. */
export interface Fact {
  readonly kind: "fact";
  readonly name: string;
  readonly [madeByEventWith]: FactParts;
}
/** What a fact holds; for the broker. */
export interface FactParts {
  readonly event: AnyEvent;
  readonly payload: unknown;
  readonly id: string | undefined;
}

export interface DomainEvent<In, Out = In> extends AnyEvent {
  readonly [carries]?: Out;
  /**
   * The fact that it happened, ready to publish.
   * `id`: your own idempotency key; the same id again is the same event, once.
   */
  readonly with: <I extends In>(payload: Exactly<In, I>, options?: { readonly id?: string }) => Fact;
}
export interface AnyEvent {
  readonly kind: "event";
  readonly name: string;
  readonly payload: Schema<unknown> | undefined;
  readonly orderedBy: readonly string[] | undefined;
}

/**
 * Defines an event.
 *
 *     const orderPlaced = event("order.placed", z.object({ orderId: z.string() }));
 *     await work.publish(orderPlaced.with({ orderId: "7" }));
 *
 * `orderedBy`: fields of the payload; subscribers with a mapping see events of one key in the order of publishing.
 * Throws `name-invalid`, `option-unknown`, `option-invalid`.
 */
export function event<In = {}, Out = In>(name: NameFor<In>, payload?: Schema<In, Out>, policy: { readonly orderedBy?: Key<In> } = {}): DomainEvent<In, Out> {
  const checkedName = checkName(name, "the event");
  if (payload !== undefined) aSchema(payload, `event("${checkedName}") payload`);
  checkOptions(policy, `event("${checkedName}")`, { orderedBy: aKey });
  const made: DomainEvent<In, Out> = {
    kind: "event",
    name: checkedName,
    payload: payload as Schema<unknown> | undefined,
    orderedBy: fieldsOf(policy.orderedBy),
    with: (value, options = {}) => factOf(made, value, options),
  };
  return Object.freeze(made);
}

/** A key as a list of fields. */
export function fieldsOf(key: string | readonly string[] | undefined): readonly string[] | undefined {
  return key === undefined || Array.isArray(key) ? (key as readonly string[] | undefined) : [key as string];
}

/** Accepts one field name or several. */
export function aKey(value: unknown, path: string): void {
  const fields: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (fields.length === 0 || fields.length > 8) refuse(path, value, "one to eight fields of the payload");
  for (const field of fields) aString(field, path);
}

function factOf(owner: AnyEvent, payload: unknown, options: { readonly id?: string }): Fact {
  checkOptions(options, `${owner.name}.with`, { id: checkId });
  return Object.freeze({ kind: "fact", name: owner.name, [madeByEventWith]: { event: owner, payload, id: options.id } });
}
