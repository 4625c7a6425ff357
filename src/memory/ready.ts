/** Ready work, by line: one queue and one task. A closed line is one entry passed over, however many jobs are in it. */
import { suspectsBeforeAlone } from "../core/defaults.ts";
import type { JobState } from "../core/states.ts";
import type { Instant } from "../core/runtime.ts";
import { wasTried } from "./job.ts";
import type { Job } from "./job.ts";
import { Ordered } from "./ordered.ts";

/** Those that may run beside others, or of these only the ones that were not tried before; or those that must run alone. */
export type Which = "together" | "untried" | "alone";

export class Line {
  readonly queue: string;
  readonly task: string;
  /** How many jobs there are in each state. */
  readonly counts: Map<JobState, number> = new Map();
  readonly #untried = new Ordered<Job>(byPlace);
  readonly #tried = new Ordered<Job>(byPlace);
  readonly #alone = new Ordered<Job>(byPlace);

  constructor(queue: string, task: string) {
    this.queue = queue;
    this.task = task;
  }

  get isEmpty(): boolean {
    return this.counts.size === 0;
  }

  /** The most urgent ready job of these. */
  first(which: Which): Job | undefined {
    return mostUrgent(this.#among(which).map((jobs) => jobs.first()));
  }

  /** The most urgent one whose urgency is at or after `from`; the most urgent of the others. */
  fresh(which: Which, from: Instant): Job | undefined {
    return mostUrgent(this.#among(which).map((jobs) => jobs.firstWhere((job) => job.readyAt >= from)));
  }

  stale(which: Which, from: Instant): Job | undefined {
    const first = this.first(which);
    return first && first.readyAt < from ? first : undefined;
  }

  push(job: Job): void {
    job.readyAt = job.urgency;
    if (job.suspects >= suspectsBeforeAlone) this.#alone.add(job);
    else (wasTried(job) ? this.#tried : this.#untried).add(job);
  }

  remove(job: Job): void {
    if (!this.#untried.remove(job) && !this.#tried.remove(job)) this.#alone.remove(job);
  }

  #among(which: Which): readonly Ordered<Job>[] {
    if (which === "alone") return [this.#alone];
    return which === "untried" ? [this.#untried] : [this.#untried, this.#tried];
  }

  count(state: JobState, by: 1 | -1): void {
    const jobs = (this.counts.get(state) ?? 0) + by;
    if (jobs === 0) this.counts.delete(state);
    else this.counts.set(state, jobs);
  }
}

function mostUrgent(jobs: readonly (Job | undefined)[]): Job | undefined {
  return jobs.reduce((best, job) => (best === undefined || (job && byPlace(job, best) < 0) ? job : best), undefined);
}

/** By the urgency that it came with: it may be changed while the job is inside. */
function byPlace(a: Job, b: Job): number {
  return a.readyAt - b.readyAt || a.seq - b.seq;
}

export class Lines {
  readonly #byQueue = new Map<string, Map<string, Line>>();

  find(queue: string, task: string): Line | undefined {
    return this.#byQueue.get(queue)?.get(task);
  }

  /** Made if it is missing. */
  of(queue: string, task: string): Line {
    const byTask = this.#byQueue.get(queue) ?? new Map<string, Line>();
    const line = byTask.get(task) ?? new Line(queue, task);
    this.#byQueue.set(queue, byTask.set(task, line));
    return line;
  }

  forgetIfEmpty(line: Line): void {
    if (!line.isEmpty) return;
    const byTask = this.#byQueue.get(line.queue);
    byTask?.delete(line.task);
    if (byTask?.size === 0) this.#byQueue.delete(line.queue);
  }

  *all(): Generator<Line> {
    for (const byTask of this.#byQueue.values()) yield* byTask.values();
  }
}
