/** The tasks and subscriptions a broker knows, collected from modules of definitions. */
import { ErrandError } from "./errors.ts";
import { didYouMean } from "./names.ts";
import type { AnySubscription } from "./when.ts";
import type { AnyTask } from "./task.ts";

/** `import * as orders from "./orders.js"`, or an object of definitions. Values that are no definitions are passed over. */
export type DefinitionModule = Readonly<Record<string, unknown>>;

export class Definitions {
  readonly tasks: Map<string, AnyTask> = new Map();
  readonly subscriptions: Map<string, AnySubscription> = new Map();

  /** Throws `name-taken`, `option-invalid`. */
  constructor(modules: readonly DefinitionModule[]) {
    for (const module of modules) {
      refuseBareValue(module);
      for (const value of Object.values(module)) this.#take(value);
    }
  }

  /** The task of that name; throws `task-unknown`, naming the nearest. */
  task(name: string): AnyTask {
    const found = this.tasks.get(name);
    if (found !== undefined) return found;
    const guess = didYouMean(name, this.tasks.keys());
    throw new ErrandError("task-unknown", `this broker has no task "${name}"${guess || "; add its module to broker(store, …definitions)"}`, {
      details: { task: name },
    });
  }

  #take(value: unknown): void {
    const kind = (value as { kind?: unknown } | null | undefined)?.kind;
    if (kind === "task") this.#add(this.tasks, value as AnyTask);
    if (kind !== "subscription") return;
    const subscription = value as AnySubscription;
    this.#add(this.subscriptions, subscription);
    this.#add(this.tasks, subscription.task);
  }

  #add<T extends { readonly kind: string; readonly name: string }>(into: Map<string, T>, value: T): void {
    const known = into.get(value.name);
    if (known !== undefined && known !== value) {
      const cure = value.kind === "subscription" ? 'give one of them a name: when(event, task, { name: "…" })' : "rename one of them";
      throw new ErrandError("name-taken", `two ${value.kind}s are named "${value.name}"; ${cure}`, { details: { name: value.name } });
    }
    into.set(value.name, value);
  }
}

function refuseBareValue(module: unknown): void {
  const kind = (module as { kind?: unknown } | null | undefined)?.kind;
  if (typeof module === "object" && module !== null && typeof kind !== "string") return;
  const what = typeof kind === "string" ? `a bare ${kind}` : "no module of definitions";
  throw new ErrandError("option-invalid", `broker(store, …definitions) was given ${what}; pass an object that holds it, as in broker(store, { sendReceipt })`);
}
