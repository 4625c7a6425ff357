/** A batch: jobs that belong together, and what follows when all of them have ended. */
import { enqueueCallMax } from "../defaults.ts";
import { ErrandError } from "../errors.ts";
import { checkId, checkName } from "../names.ts";
import { checkOptions, refuse } from "../options.ts";
import { madeByTaskWith, type Errand } from "../task.ts";
import type { OneOrMany } from "../typing.ts";
import { anAfter } from "./after.ts";
import { anErrand } from "./anErrand.ts";
import { callbackRoles, type CallbackRole, type GroupParts } from "./group.ts";

export interface BatchOptions {
  /** Enqueued once, when every member has completed or was skipped; else it ends cancelled. */
  readonly whenAllSucceed?: Errand;
  /** Enqueued once, when all have ended and a member died, was cancelled or is parked; else it ends skipped. */
  readonly whenAnyFails?: Errand;
  /** Enqueued once, when all have ended, however. */
  readonly whenAllEnd?: Errand;
  /** Your own idempotency key: the same id with the same members is the same batch while remembered (7 days); with others `id-conflict`. */
  readonly id?: string;
  /** What people see it as. Default "batch". */
  readonly name?: string;
  /** As of `task.with`: no member starts before. */
  readonly after?: OneOrMany<Errand | string>;
}

/**
 * Jobs that belong together, as one errand: enqueued, chained or put into another batch like any other.
 *
 *     await work.enqueue(batch(invoices.map((id) => makeInvoice.with({ id })), { whenAllSucceed: mailSummary.with({ day }), whenAnyFails: page.with({ day }) }));
 *
 * Up to 100,000 members, or none. Members run side by side; they may come after each other (`after`). Callbacks may be batches and chains.
 * Throws `option-unknown`, `option-invalid`, `name-invalid`, `enqueue-too-many`.
 */
export function batch(errands: readonly Errand[], then: BatchOptions = {}): Errand {
  if (!Array.isArray(errands)) refuse("batch(errands)", errands, "an array of errands");
  if (errands.length > enqueueCallMax)
    throw new ErrandError("enqueue-too-many", `batch was given ${errands.length} errands, of ${enqueueCallMax} allowed; put several batches into one`, {
      details: { items: errands.length },
    });
  errands.forEach((errand, index) => anErrand(errand, `batch[${index}]`));
  checkOptions(then, "batch", { ...callbackChecks, id: checkId, name: checkName, after: anAfter });
  const { name = "batch", id, after } = then;
  const parts: GroupParts = {
    group: "batch",
    members: [...errands],
    callbacks: roles.flatMap((role) => (then[role] === undefined ? [] : { role, errand: then[role] })),
    options: { ...(id !== undefined && { id }), ...(after !== undefined && { after }) },
  };
  return Object.freeze({ kind: "errand", name, [madeByTaskWith]: parts });
}

const roles = Object.keys(callbackRoles) as CallbackRole[];
const callbackChecks = Object.fromEntries(roles.map((role) => [role, anErrand as (value: unknown, path: string) => void]));
