/** The tasks, subscriptions, schedules and reconciliations a broker knows, collected from modules of definitions. */
import { ErrandError } from "./errors.ts";
import type { AnyResource } from "./limits/resource.ts";
import { didYouMean } from "./names.ts";
import { sharedBreakers } from "./recovery/breakerPolicy.ts";
import { reconcileTask, type AnyReconciliation } from "./reconcile/reconcile.ts";
import type { AnySchedule } from "./schedule/every.ts";
import type { AnySubscription } from "./when.ts";
import type { AnyTask, Job } from "./task.ts";

/** `import * as orders from "./orders.js"`, or an object of definitions. Values that are no definitions are passed over. */
export type DefinitionModule = Readonly<Record<string, unknown>>;

/** What runs reconciliations: it needs the store, which definitions do not know. */
export type RunsReconciliation = (reconciliation: AnyReconciliation, job: Job) => Promise<void>;

export class Definitions {
  readonly tasks: Map<string, AnyTask> = new Map();
  readonly subscriptions: Map<string, AnySubscription> = new Map();
  readonly schedules: Map<string, AnySchedule> = new Map();
  readonly reconciliations: Map<string, AnyReconciliation> = new Map();
  #runReconciliation: RunsReconciliation = notHere;
  readonly resources: Map<string, AnyResource> = new Map();

  /** Throws `name-taken`, `option-invalid`, `definition-invalid`. */
  constructor(modules: readonly DefinitionModule[]) {
    for (const module of modules) {
      refuseBareValue(module);
      for (const value of Object.values(module)) this.#take(value);
    }
    sharedBreakers(this.tasks.values());
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

  /** The broker's own: until then, and in a child process, reconciliations cannot run. */
  reconcileBy(run: RunsReconciliation): void {
    this.#runReconciliation = run;
  }

  #take(value: unknown): void {
    const kind = (value as { kind?: unknown } | null | undefined)?.kind;
    if (kind === "task") this.#add(this.tasks, value as AnyTask);
    else if (kind === "subscription") this.#takeSubscription(value as AnySubscription);
    else if (kind === "schedule") this.#takeSchedule(value as AnySchedule);
    else if (kind === "reconciliation") this.#takeReconciliation(value as AnyReconciliation);
    else if (kind === "resource") this.#add(this.resources, value as AnyResource);
  }

  #takeSubscription(subscription: AnySubscription): void {
    this.#add(this.subscriptions, subscription);
    this.#add(this.tasks, subscription.task);
  }

  #takeSchedule(schedule: AnySchedule): void {
    this.#add(this.schedules, schedule);
    for (const task of schedule.tasks) this.#add(this.tasks, task);
  }

  #takeReconciliation(reconciliation: AnyReconciliation): void {
    if (this.reconciliations.get(reconciliation.name) === reconciliation) return; // of two modules
    this.#add(this.reconciliations, reconciliation);
    this.#add(this.tasks, reconciliation.task);
    const { task, schedule } = reconcileTask(reconciliation, (job) => this.#runReconciliation(reconciliation, job));
    this.#add(this.tasks, task);
    this.#add(this.schedules, schedule);
  }

  #add<T extends { readonly kind: string; readonly name: string }>(into: Map<string, T>, value: T): void {
    const known = into.get(value.name);
    if (known !== undefined && known !== value) {
      const cure = cures[value.kind] ?? "rename one of them";
      throw new ErrandError("name-taken", `two ${value.kind}s are named "${value.name}"; ${cure}`, { details: { name: value.name } });
    }
    into.set(value.name, value);
  }
}

const cures: Readonly<Record<string, string>> = {
  subscription: 'give one of them a name: when(event, task, { name: "…" })',
  schedule: 'give one of them a name: every(rhythm, errand, { name: "…" })',
  reconciliation: 'give one of them a name: reconcile(task, { name: "…", … })',
};

function notHere({ name }: AnyReconciliation): Promise<void> {
  return Promise.reject(
    new ErrandError("not-supported", `reconciliation ${name} cannot run here: a child process does not reach the store; see why its worker died while it ran`),
  );
}

function refuseBareValue(module: unknown): void {
  const kind = (module as { kind?: unknown } | null | undefined)?.kind;
  if (typeof module === "object" && module !== null && typeof kind !== "string") return;
  const what = typeof kind === "string" ? `a bare ${kind}` : "no module of definitions";
  throw new ErrandError("option-invalid", `broker(store, …definitions) was given ${what}; pass an object that holds it, as in broker(store, { sendReceipt })`);
}
