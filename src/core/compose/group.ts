/** What a batch or a chain holds until it is stored. */
import type { After } from "../engine.ts";
import type { Errand } from "../task.ts";
import type { OneOrMany } from "../typing.ts";

export interface GroupParts {
  readonly task?: undefined;
  readonly group: "batch" | "chain";
  readonly members: readonly Errand[];
  readonly callbacks: readonly Callback[];
  readonly options: { readonly id?: string; readonly after?: OneOrMany<Errand | string> };
}

export interface Callback {
  readonly role: CallbackRole;
  readonly errand: Errand;
}

export type CallbackRole = "whenAllSucceed" | "whenAnyFails" | "whenAllEnd";
/** How a batch must have ended for each callback to run. */
export const callbackRoles: Readonly<Record<CallbackRole, After["when"]>> = { whenAllSucceed: "well", whenAnyFails: "badly", whenAllEnd: "ended" };
