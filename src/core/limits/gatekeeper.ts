/**
 * What this worker may ask the store for: which of its tasks are open now, and under which terms. The numbers stand in the store, where claims are held
 * to them; here is known which limits there are, how the breakers stand, what the hours are, and what this worker has itself.
 */
import type { Claimed, TaskTerms } from "../engine.ts";
import type { Ms } from "../runtime.ts";
import type { Breaker } from "../recovery/breaker.ts";
import { Breakers } from "../recovery/breakers.ts";
import type { AnyTask } from "../task.ts";
import type { Draft, Run } from "../worker/run.ts";
import type { WorkerParts } from "../worker/settings.ts";
import { Calendars } from "./calendars.ts";
import { LimitNotes } from "./limitNotes.ts";
import { OpenHours } from "./openHours.ts";
import { OwnResources } from "./ownResources.ts";
import { StoreClock } from "./storeClock.ts";

export interface GatekeeperHears {
  /** The id this worker goes by. */
  process(): string;
  /** More may start, or less. */
  changed(): void;
  /** All that is in flight here. */
  runs(): Iterable<Run>;
}

export interface Asked {
  readonly tasks: readonly string[];
  readonly terms: Readonly<Record<string, TaskTerms>> | undefined;
}

/** What was not heard for so many beats is read again before the next claim. */
const silentBeats = 2;

export class Gatekeeper {
  readonly #parts: WorkerParts;
  readonly #hears: GatekeeperHears;
  readonly #tasks: readonly AnyTask[];
  readonly #clock: StoreClock;
  readonly #breakers: Breakers;
  readonly #hours: OpenHours;
  readonly #notes: LimitNotes;
  readonly #calendars: Calendars;
  readonly #own: OwnResources;
  #isStale = true;
  #heardAt = 0;
  /** Of what does not change from claim to claim. */
  #terms: Map<string, TaskTerms> | undefined;

  constructor(parts: WorkerParts, hears: GatekeeperHears) {
    this.#parts = parts;
    this.#hears = hears;
    this.#tasks = [...parts.definitions.tasks.values()];
    this.#clock = new StoreClock(parts.runtime);
    this.#hours = new OpenHours(this.#clock);
    this.#own = new OwnResources(parts.settings.has);
    this.#notes = new LimitNotes(parts, this.#own);
    this.#calendars = new Calendars(parts, () => this.#turned());
    this.#breakers = new Breakers(parts, this.#clock, { process: () => hears.process(), changed: () => this.#changed() });
  }

  /** What is known of the notes may be out of date: {@link read} before the next claim. */
  get isStale(): boolean {
    const { runtime, settings } = this.#parts;
    return this.#isStale || runtime.monotonic() - this.#heardAt > silentBeats * settings.beatEveryMs;
  }

  /** A beat was answered. */
  heard(): void {
    this.#heardAt = this.#parts.runtime.monotonic();
  }

  notesChanged(): void {
    this.#isStale = true;
  }

  /** Rejects where the store does not answer. */
  async read(): Promise<void> {
    this.#isStale = false;
    try {
      const { resources, now } = await this.#notes.read();
      this.#clock.heard(now);
      await this.#breakers.read();
      await this.#calendars.apply(resources, now);
    } catch (error) {
      this.#isStale = true;
      throw error;
    }
    this.heard();
    this.#terms = undefined;
  }

  /** For the next claim. */
  asks(): Asked {
    const shares = this.#own.isEmpty ? undefined : this.#own.shares(this.#tasks, tasksOf(this.#hears.runs()));
    const open = this.#tasks.filter((task) => shares?.get(task.name) !== 0 && this.#hours.areOpen(task));
    // What recovers lets out this or that from claim to claim.
    if (this.#terms === undefined || !this.#breakers.areCalm) this.#terms = this.#termsOfAll();
    const tasks = open.map(({ name }) => name);
    if (this.#terms.size === 0 && shares === undefined) return { tasks, terms: undefined };
    const terms = tasks.flatMap((name) => {
      const most = shares?.get(name);
      const own = most === undefined ? this.#terms?.get(name) : { ...this.#terms?.get(name), most };
      return own === undefined ? [] : [[name, own] as const];
    });
    return { tasks, terms: terms.length === 0 ? undefined : Object.fromEntries(terms) };
  }

  /** What was handed out. True: some of what this worker has was kept for a task that did not use it, so it may be asked again. */
  took({ now, jobs }: Claimed): boolean {
    this.#clock.heard(now);
    if (!this.#breakers.areCalm) for (const job of jobs) this.#breakers.of(job.task)?.handedOut(job, now);
    return this.#own.mayAskAgain(jobs);
  }

  /** Stamps a run with what it was claimed under. */
  admits(run: Run, now: number): void {
    run.claimedAt = now;
    run.isGated = this.#breakers.holding(run.claimed.task) !== undefined;
  }

  /** It was claimed ahead, and meanwhile its hours may have ended or its breaker opened. */
  mayStart(run: Run): boolean {
    if (run.task === undefined || (this.#breakers.areCalm && run.task.policy.hours === undefined)) return true;
    return (run.isGated || this.#breakers.holding(run.claimed.task) === undefined) && this.#hours.areOpen(run.task);
  }

  ended(run: Run, draft: Draft | undefined): void {
    this.#breakers.ended(run, draft);
  }

  /** Until hours begin or end, of what this worker knows. */
  untilChangeMs(): Ms {
    return this.#hours.untilChangeMs(this.#tasks);
  }

  /** As {@link untilChangeMs}; and of resources that follow a calendar. */
  untilOpeningMs(): Ms {
    return Math.min(this.untilChangeMs(), this.#calendars.untilChangeMs);
  }

  /** A breaker is not healthy. */
  get isRecovering(): boolean {
    return this.#tasks.some(({ name }) => this.#breakers.holding(name) !== undefined);
  }

  end(): void {
    this.#breakers.end();
    this.#calendars.end();
  }

  #termsOfAll(): Map<string, TaskTerms> {
    return new Map(
      this.#tasks.flatMap((task) => {
        const terms = this.#termsOf(task, this.#breakers.of(task.name));
        return terms === undefined ? [] : [[task.name, terms]];
      }),
    );
  }

  #termsOf({ name, policy }: AnyTask, breaker: Breaker | undefined): TaskTerms | undefined {
    const gates = [...policy.gates.map((gate) => gate.name), ...this.#notes.added(name), ...(breaker && !breaker.isHealthy ? breaker.gates : [])];
    const needs = policy.needs && this.#own.othersOf(policy.needs);
    const freshFrom = breaker?.freshFrom;
    const retriesMost = breaker?.retriesMost(this.#clock.now());
    if (gates.length === 0 && needs === undefined && freshFrom === undefined) return undefined;
    return {
      ...(gates.length > 0 && { gates }),
      ...(needs && { needs }),
      ...(retriesMost !== undefined && { retriesMost }),
      ...(freshFrom !== undefined && { freshFrom }),
    };
  }

  #changed(): void {
    this.#terms = undefined;
    this.#hears.changed();
  }

  #turned(): void {
    this.#isStale = true;
    this.#hears.changed();
  }
}

function* tasksOf(runs: Iterable<Run>): Iterable<AnyTask> {
  for (const { task } of runs) if (task !== undefined) yield task;
}
