/** What a broker's definitions leave in the store: written when it opens, and again when the store turns out to be another one. */
import { at } from "./at.ts";
import { leaseMs } from "./defaults.ts";
import type { Definitions } from "./definitions.ts";
import type { Atom, Engine } from "./engine.ts";
import { derivedId } from "./keys.ts";
import { registerLimits } from "./limits/register.ts";
import { registerByName } from "./byName.ts";
import type { Planner } from "./plan.ts";
import { reconcilePrefix } from "./reconcile/reconcile.ts";
import { runOf } from "./reconcile/reconciliations.ts";
import type { Runtime } from "./runtime.ts";
import { registerSchedule } from "./schedule/register.ts";
import { readSchedules } from "./schedule/stored.ts";
import type { StoredSchedule } from "./schedule/rule.ts";
import { registerSubscriptions } from "./subscriptions.ts";
import { tellKnown } from "./why/known.ts";
import type { WorkerOptions } from "./worker/settings.ts";

export interface RegistrationParts {
  readonly engine: Engine;
  readonly runtime: Runtime;
  readonly definitions: Definitions;
  readonly planner: Planner;
}

export class Registration {
  readonly #parts: RegistrationParts;
  #era: string | undefined;
  #hasWorker = false;
  #has: WorkerOptions["has"];
  #isTold = true;
  #renewal: Promise<void> | undefined;

  constructor(parts: RegistrationParts) {
    this.#parts = parts;
  }

  /** When the broker opens. A reconciliation that the store does not know runs at once. */
  async register(): Promise<void> {
    // Before anything is written: a store that is wiped meanwhile has another era than this one.
    const era = await this.#readEra();
    await this.#write(era, false);
    this.#era = era;
  }

  /** Writes down what its tasks depend on, for explanations only: where the store is away it is done later, and nobody waits for it. */
  async workerStarts({ has }: WorkerOptions): Promise<void> {
    this.#hasWorker = true;
    this.#has = has;
    try {
      await this.#tell();
    } catch (error) {
      this.#isTold = false;
      this.#parts.runtime.log.debug({ err: error }, "what the tasks here depend on could not be written down; it is tried again with a later heartbeat");
    }
  }

  /** A heartbeat told the store's era: in another one than before nothing of it can be relied on. Tried again with each heartbeat. */
  heard(era: string): void {
    if (this.#era === undefined || this.#renewal !== undefined) return;
    if (era === this.#era) {
      if (!this.#isTold) this.#renewal = this.workerStarts(this.#has === undefined ? {} : { has: this.#has }).finally(() => (this.#renewal = undefined));
      return;
    }
    const { log } = this.#parts.runtime;
    log.warn(
      { era },
      "the store is another one than before, or was rolled back: subscriptions, schedules and limits are registered again, and reconciliations run now",
    );
    this.#renewal = this.#write(era, true)
      .then(
        () => void (this.#era = era),
        (error: unknown) => log.error({ err: error }, "definitions could not be registered again; it is tried again with the next heartbeat"),
      )
      .finally(() => (this.#renewal = undefined));
  }

  /** Resolves when nothing is being registered. */
  async idle(): Promise<void> {
    await this.#renewal;
  }

  async #write(era: string, isNewEra: boolean): Promise<void> {
    const { engine, runtime, definitions, planner } = this.#parts;
    await registerSubscriptions(engine, definitions, runtime);
    await registerLimits(engine, definitions, runtime);
    await registerByName(engine, definitions, runtime);
    if (this.#hasWorker) await this.#tell();
    if (definitions.schedules.size === 0) return;
    const { isPaused } = await readSchedules(this.#parts);
    for (const schedule of definitions.schedules.values()) {
      const isReconciliation = schedule.name.startsWith(reconcilePrefix) && !isPaused(schedule.name);
      await registerSchedule(this.#parts, planner, schedule, (stored, isFirst) =>
        isReconciliation && (isFirst || isNewEra) ? atOnce(stored, era) : undefined,
      );
    }
  }

  async #tell(): Promise<void> {
    const { engine, definitions, runtime } = this.#parts;
    await tellKnown(engine, definitions, runtime, this.#has);
    this.#isTold = true;
  }

  /** A process that holds nothing writes nothing by asking. */
  async #readEra(): Promise<string> {
    const { engine, runtime } = this.#parts;
    return (await engine.beat(runtime.id(), leaseMs, at(runtime))).era;
  }
}

/** Once in an era, however many hear of it. */
function atOnce(stored: StoredSchedule, era: string): Partial<Atom> {
  return { works: runOf(stored, derivedId("reconciliation", stored.name, era)) };
}
