/**
 * Runs a reconciliation: reads what is not done part by part, looks up which of it has no job, and enqueues that, at its pace, with a note of how far it came.
 *
 * Missing is what has no live job under its unique key, with two exceptions. A dead job is not tried again by itself: it waits for a redrive. And a job that has
 * ended since this run began may have done what `find` had read as undone before: the next run will tell.
 */
import { at } from "../at.ts";
import type { JobRow, NewJob } from "../engine.ts";
import type { Meter } from "../metrics/meter.ts";
import type { Planner } from "../plan.ts";
import type { Instant } from "../runtime.ts";
import { storeNow, type Store } from "../schedule/stored.ts";
import { isEnded } from "../states.ts";
import type { Errand, Job } from "../task.ts";
import { partsOf } from "./parts.ts";
import type { AnyReconciliation, Pace } from "./reconcile.ts";
import { reconciled, type ReconciledPayload } from "./reconciled.ts";
import { noDrift, ReconciliationNote, sum, type Drift } from "./state.ts";

export type ReconcilerParts = Store & { readonly planner: Planner; readonly meter: Meter };

/** Lookups under way at once. */
const looksMax = 20;

export class Reconciler {
  readonly #parts: ReconcilerParts;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
  }

  /** Rejects with the reason of the job's signal, `lease-lost`, or what `find` threw. */
  async run(reconciliation: AnyReconciliation, job: Job): Promise<void> {
    const startedAt = await storeNow(this.#parts);
    const note = await ReconciliationNote.read(this.#parts, reconciliation.name);
    const pass = new Pass(this.#parts, reconciliation, { job: job.id, startedAt, note });
    for await (const part of partsOf(reconciliation.find(job.signal), job.signal, this.#parts.runtime, `reconcile("${reconciliation.name}").find`)) {
      job.signal.throwIfAborted();
      await pass.take(part);
      // An engine that answers at once would keep timers and sockets waiting.
      await new Promise<void>((resolve) => this.#parts.runtime.soon(resolve));
    }
    job.signal.throwIfAborted();
    await pass.end();
  }
}

class Pass {
  readonly #parts: ReconcilerParts;
  readonly #reconciliation: AnyReconciliation;
  readonly #job: string;
  readonly #startedAt: Instant;
  readonly #note: ReconciliationNote;
  #drift: Drift = noDrift;
  #isRefusalTold = false;

  constructor(
    parts: ReconcilerParts,
    reconciliation: AnyReconciliation,
    run: { readonly job: string; readonly startedAt: Instant; readonly note: ReconciliationNote },
  ) {
    this.#parts = parts;
    this.#reconciliation = reconciliation;
    this.#job = run.job;
    this.#startedAt = run.startedAt;
    this.#note = run.note;
  }

  async take(inputs: readonly unknown[]): Promise<void> {
    const { jobs, refused } = await this.#planned(inputs);
    const fates = await this.#fates(jobs);
    const missing = jobs.filter((_, index) => fates[index] === "missing");
    const dead = fates.filter((fate) => fate === "dead").length;
    const drift = sum(this.#drift, { found: inputs.length, missing: missing.length + refused, refused, dead });
    const { works, pacedUntil } = await this.#paced(missing);
    const running = { ...sum(drift, { enqueued: works.length }), job: this.#job, startedAt: this.#startedAt };
    const news = await this.#note.write({ running, ...(pacedUntil !== undefined && { pacedUntil }) }, works);
    // Others may have been faster with some of them.
    this.#drift = sum(drift, { enqueued: news.filter(Boolean).length });
  }

  async end(): Promise<void> {
    const endedAt = await storeNow(this.#parts);
    const { name, task } = this.#reconciliation;
    const drift = this.#drift;
    const payload: ReconciledPayload = { name, task: task.name, startedAt: iso(this.#startedAt), endedAt: iso(endedAt), ...drift };
    const told = this.#parts.planner.eventNow(reconciled.with(payload));
    await this.#note.write({ running: undefined, last: { ...drift, job: this.#job, startedAt: this.#startedAt, endedAt } }, [told]);
    this.#parts.meter.reconciled(name, task.name, drift);
    const { log } = this.#parts.runtime;
    if (drift.missing > 0)
      log.warn({ reconciliation: name, ...drift }, `drift: ${drift.missing} of ${drift.found} undone had no job, ${drift.enqueued} were enqueued`);
    else log.info({ reconciliation: name, ...drift }, "no drift: all that is undone has a job");
  }

  /** The jobs of inputs; of two for the same work one. What the task refuses is left out. */
  async #planned(inputs: readonly unknown[]): Promise<{ readonly jobs: readonly NewJob[]; readonly refused: number }> {
    const jobs = new Map<string, NewJob>();
    let refused = 0;
    for (const input of inputs) {
      const job = await this.#plannedOne(input);
      if (job?.unique === undefined) refused++;
      else jobs.set(job.unique.key, { ...job, unique: { key: job.unique.key, mode: { is: "keep" } } });
    }
    return { jobs: [...jobs.values()], refused };
  }

  async #plannedOne(input: unknown): Promise<NewJob | undefined> {
    const { task, name } = this.#reconciliation;
    try {
      return await this.#parts.planner.job((task as unknown as { readonly with: (input: unknown) => Errand }).with(input));
    } catch (error) {
      if (!this.#isRefusalTold)
        this.#parts.runtime.log.error({ err: error, reconciliation: name }, "an input that was found is refused by its task; further ones are only counted");
      this.#isRefusalTold = true;
      return undefined;
    }
  }

  async #fates(jobs: readonly NewJob[]): Promise<("missing" | "known" | "dead")[]> {
    const fates: ("missing" | "known" | "dead")[] = [];
    for (let start = 0; start < jobs.length; start += looksMax) {
      const some = await Promise.all(jobs.slice(start, start + looksMax).map((job) => this.#latest(job.unique?.key ?? "")));
      fates.push(...some.map((row) => fateBy(row, this.#startedAt)));
    }
    return fates;
  }

  /** The last job that was enqueued for that work, live or ended. */
  async #latest(unique: string): Promise<JobRow | undefined> {
    const { engine, runtime } = this.#parts;
    const { rows } = await engine.find({ of: "jobs", where: { unique }, limit: 1, newestFirst: true }, at(runtime));
    return rows[0];
  }

  /** One after the other, from where the pace has come so far. */
  async #paced(jobs: readonly NewJob[]): Promise<{ readonly works: readonly NewJob[]; readonly pacedUntil?: Instant }> {
    const { pace } = this.#reconciliation;
    if (pace === undefined || jobs.length === 0) return { works: jobs };
    const start = Math.max(await storeNow(this.#parts), this.#note.stored.pacedUntil ?? 0);
    return { works: jobs.map((job, index) => ({ ...job, dueAt: dueOf(start, index, pace) })), pacedUntil: dueOf(start, jobs.length, pace) };
  }
}

function fateBy(row: JobRow | undefined, startedAt: Instant): "missing" | "known" | "dead" {
  if (row === undefined) return "missing";
  if (!isEnded(row.state)) return "known";
  if (row.state === "dead") return "dead";
  return (row.endedAt ?? 0) > startedAt ? "known" : "missing";
}

/** Never more than so many within any span of its length. */
function dueOf(start: Instant, index: number, { starts, everyMs }: Pace): Instant {
  return start + Math.ceil((index * everyMs) / starts);
}

function iso(instant: Instant): string {
  return new Date(instant).toISOString();
}
