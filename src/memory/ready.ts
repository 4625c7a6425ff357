/** Ready work, by line: one queue and one task. A closed line is one entry passed over, however many jobs are in it. */
import { suspectsBeforeAlone } from "../core/defaults.ts";
import type { JobState } from "../core/states.ts";
import type { Instant } from "../core/runtime.ts";
import type { Job } from "./job.ts";
import { Ordered } from "./ordered.ts";

export class Line {
  readonly queue: string;
  readonly task: string;
  /** How many jobs there are in each state. */
  readonly counts: Map<JobState, number> = new Map();
  readonly #together = new Ordered<Job>(byPlace);
  readonly #alone = new Ordered<Job>(byPlace);

  constructor(queue: string, task: string) {
    this.queue = queue;
    this.task = task;
  }

  get isEmpty(): boolean {
    return this.counts.size === 0;
  }

  /** The most urgent ready job of those that may run beside others ("no"), or of those that must run alone ("only"). */
  first(alone: "no" | "only"): Job | undefined {
    return this.#among(alone).first();
  }

  /** The most urgent one whose urgency is at or after `from`; the most urgent of the others. */
  fresh(alone: "no" | "only", from: Instant): Job | undefined {
    return this.#among(alone).firstWhere((job) => job.readyAt >= from);
  }

  stale(alone: "no" | "only", from: Instant): Job | undefined {
    const first = this.#among(alone).first();
    return first && first.readyAt < from ? first : undefined;
  }

  push(job: Job): void {
    job.readyAt = job.urgency;
    this.#among(job.suspects < suspectsBeforeAlone ? "no" : "only").add(job);
  }

  remove(job: Job): void {
    if (!this.#together.remove(job)) this.#alone.remove(job);
  }

  #among(alone: "no" | "only"): Ordered<Job> {
    return alone === "no" ? this.#together : this.#alone;
  }

  count(state: JobState, by: 1 | -1): void {
    const jobs = (this.counts.get(state) ?? 0) + by;
    if (jobs === 0) this.counts.delete(state);
    else this.counts.set(state, jobs);
  }
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
