/** The reconciliations of a store, for those who look at them and want them now. */
import { at } from "../at.ts";
import type { JobRow } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import { didYouMean } from "../names.ts";
import { reconciliationPrefix } from "../notes.ts";
import { anything, aString, checkOptions } from "../options.ts";
import type { Ms, Runtime } from "../runtime.ts";
import { ruleOf, worksOf, type StoredSchedule } from "../schedule/rule.ts";
import { notesWith, readSchedules, type Store } from "../schedule/stored.ts";
import { viewOf, type ScheduleView } from "../schedule/view.ts";
import { isEnded, type JobState } from "../states.ts";
import { reconcilePrefix, type Pace, type ReconcileInput } from "./reconcile.ts";
import { noDrift, type Drift, type StoredReconciliation } from "./state.ts";

export interface ReconciliationView {
  readonly name: string;
  readonly task: string;
  readonly queue: string | undefined;
  /** How often it is looked. */
  readonly every: string;
  readonly pace: Pace | undefined;
  readonly isPaused: boolean;
  /** When it is looked next. */
  readonly next: Date | undefined;
  /** How far the present run has come. */
  readonly running: (Drift & { readonly since: Date }) | undefined;
  /** What the last run found. */
  readonly last: (Drift & { readonly startedAt: Date; readonly endedAt: Date }) | undefined;
}

export interface RebuildOptions {
  /** Only this reconciliation. Default: all. */
  readonly name?: string;
  /** Hears how far they have come, several times a second. */
  readonly progress?: (rebuilds: readonly Rebuilt[]) => void;
  /** Stops the waiting; what is enqueued runs all the same. */
  readonly signal?: AbortSignal;
}
/** A run of a reconciliation that was asked for: `state` is its job's. */
export interface Rebuilt extends Drift {
  readonly name: string;
  readonly state: JobState;
  readonly reason: string | undefined;
}

const lookEveryMs: Ms = 200;

export class Reconciliations {
  readonly #store: Store;
  readonly #open: () => Promise<void>;

  constructor(store: Store, open: () => Promise<void>) {
    this.#store = store;
    this.#open = open;
  }

  async list(): Promise<ReconciliationView[]> {
    await this.#open();
    const states = await this.#states();
    const { schedules, pauseOf, now } = await readSchedules(this.#store);
    return schedules
      .filter(({ stored }) => stored.name.startsWith(reconcilePrefix))
      .map((read) => {
        const name = nameOf(read.stored);
        return reconciliationView(name, viewOf(read, pauseOf(read.stored.name), now), states.get(name));
      });
  }

  /** Resolves when all of them have ended, whichever worker ran them. Throws `reconciliation-unknown`. */
  async rebuild(options: RebuildOptions): Promise<Rebuilt[]> {
    checkOptions(options, "rebuild", { name: aString, progress: anything, signal: anything });
    await this.#open();
    const asked = await this.#ask(await this.#wanted(options.name));
    for (;;) {
      const rebuilds = await this.#look(asked);
      options.progress?.(rebuilds);
      if (rebuilds.every(({ state }) => isEnded(state))) return rebuilds;
      await later(this.#store.runtime, lookEveryMs, options.signal);
    }
  }

  async #wanted(name: string | undefined): Promise<readonly StoredSchedule[]> {
    const { schedules } = await readSchedules(this.#store);
    const all = schedules.map(({ stored }) => stored).filter((stored) => stored.name.startsWith(reconcilePrefix));
    const wanted = all.filter((stored) => name === undefined || nameOf(stored) === name);
    if (name === undefined || wanted.length > 0) return wanted;
    const guess = didYouMean(name, all.map(nameOf)) || "; open a broker that defines it, and look at reconciliations()";
    throw new ErrandError("reconciliation-unknown", `this store has no reconciliation "${name}"${guess}`, { details: { reconciliation: name } });
  }

  /** Answers the job of each: one that runs, or waits to be tried again, is the one that is meant. */
  async #ask(schedules: readonly StoredSchedule[]): Promise<ReadonlyMap<string, string>> {
    const { engine, runtime } = this.#store;
    const jobs = new Map<string, string>();
    for (const stored of schedules) {
      const [answer] = await engine.enqueue([{ works: runOf(stored, runtime.id()) }], at(runtime));
      if (answer instanceof ErrandError) throw answer;
      const job = answer?.[0];
      if (job === undefined) continue;
      jobs.set(nameOf(stored), job.id);
      if (job.isDuplicate) await engine.change({ ids: [job.id] }, { do: "retry" }, 1, at(runtime));
    }
    return jobs;
  }

  async #look(jobs: ReadonlyMap<string, string>): Promise<Rebuilt[]> {
    const rows = new Map<string, JobRow>();
    for (const id of jobs.values()) {
      const page = await this.#store.engine.find({ of: "jobs", ids: [id] }, at(this.#store.runtime));
      for (const row of page.rows) rows.set(row.id, row);
    }
    // After the jobs: what a run found is written before its job ends.
    const states = await this.#states();
    return [...jobs].map(([name, id]) => rebuiltOf(name, id, rows.get(id), states.get(name)));
  }

  async #states(): Promise<Map<string, StoredReconciliation>> {
    const { notes } = await notesWith(this.#store, reconciliationPrefix);
    return new Map(notes.map(({ value }) => JSON.parse(value) as StoredReconciliation).map((stored) => [stored.name, stored]));
  }
}

/** A run at once, besides those at its slots: where one lives already, that one. */
export function runOf(stored: StoredSchedule, id: string): ReturnType<typeof worksOf> {
  return worksOf(stored.name, ruleOf(stored), 0).map((work) => {
    const { slot: _, ...rest } = work as { readonly slot?: unknown } & typeof work;
    return { ...rest, id } as typeof work;
  });
}

function nameOf(stored: StoredSchedule): string {
  return stored.name.slice(reconcilePrefix.length);
}

function reconciliationView(name: string, schedule: ScheduleView, stored: StoredReconciliation | undefined): ReconciliationView {
  const { task, pace } = schedule.input as ReconcileInput;
  const { running, last } = stored ?? { name };
  return {
    name,
    task,
    queue: schedule.queue,
    every: schedule.rhythm,
    pace,
    isPaused: schedule.isPaused,
    next: schedule.next,
    running: running && { ...driftOf(running), since: new Date(running.startedAt) },
    last: last && { ...driftOf(last), startedAt: new Date(last.startedAt), endedAt: new Date(last.endedAt) },
  };
}

/** A job that retention has removed meanwhile has ended well. */
function rebuiltOf(name: string, job: string, row: JobRow | undefined, stored: StoredReconciliation | undefined): Rebuilt {
  const progress = [stored?.running, stored?.last].find((run) => run?.job === job);
  return { name, state: row?.state ?? "completed", reason: row?.reason, ...driftOf(progress ?? noDrift) };
}

function driftOf({ found, missing, enqueued, refused, dead }: Drift): Drift {
  return { found, missing, enqueued, refused, dead };
}

function later(runtime: Runtime, ms: Ms, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const timer = runtime.after(ms, resolve);
    signal?.addEventListener(
      "abort",
      () => {
        timer.cancel();
        reject(signal.reason as Error);
      },
      { once: true },
    );
  });
}
