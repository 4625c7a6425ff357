/** All that the engine keeps. `add`, `move` and `remove` are the only ways in, through and out for a job, and keep every index in step. */
import type { At } from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import type { Instant, Runtime } from "../core/runtime.ts";
import { isEnded, transitions } from "../core/states.ts";
import type { JobState } from "../core/states.ts";
import { Events } from "./events.ts";
import { Heap } from "./heap.ts";
import { byDue, byStartBy } from "./job.ts";
import type { Job } from "./job.ts";
import { Lanes } from "./lane.ts";
import { Listeners } from "./listen.ts";
import { Locks } from "./lock.ts";
import { Notes } from "./note.ts";
import { Processes } from "./processes.ts";
import { Lines } from "./ready.ts";
import { Sequence } from "./sequence.ts";
import { Uniques } from "./unique.ts";

export class Store {
  readonly jobs: Map<string, Job> = new Map();
  readonly jobsInOrder: Sequence<Job> = new Sequence();
  readonly lines: Lines = new Lines();
  readonly scheduled: Heap<Job> = new Heap(byDue);
  /** Scheduled and ready jobs that never started and must do so in time. */
  readonly startingInTime: Heap<Job> = new Heap(byStartBy);
  readonly ended: Heap<Job> = new Heap((a, b) => a.purgeAt - b.purgeAt || a.seq - b.seq);
  readonly lanes: Lanes = new Lanes();
  readonly uniques: Uniques = new Uniques();
  readonly processes: Processes = new Processes();
  readonly events: Events = new Events();
  readonly notes: Notes = new Notes();
  readonly locks: Locks = new Locks();
  readonly listeners: Listeners = new Listeners();
  #runtime: Runtime | undefined;
  #era = "";
  #opened = 0;
  #now: Instant = 0;
  #fence = 0;
  #seq = 0;

  open(runtime: Runtime): void {
    this.#runtime = runtime;
    this.#opened += 1;
    this.#era ||= runtime.id();
  }

  close(): void {
    this.#opened = Math.max(0, this.#opened - 1);
  }

  get era(): string {
    return this.#era;
  }

  /** The store's time, which never goes back. */
  now(at: At<unknown>): Instant {
    const runtime = this.#openRuntime();
    this.#now = Math.max(this.#now, at.now ?? runtime.now());
    return this.#now;
  }

  nextSeq(): number {
    this.#seq += 1;
    return this.#seq;
  }

  /** The next fence: above all that were given out, and above the largest the asker ever saw. */
  nextFence(lastFence: number, now: Instant): number {
    this.#fence = Math.max(this.#fence, now * 1_000, lastFence) + 1;
    return this.#fence;
  }

  wake(): void {
    this.listeners.wake(this.#openRuntime());
  }

  add(job: Job, now: Instant): void {
    this.jobs.set(job.id, job);
    this.jobsInOrder.append(job);
    this.uniques.hold(job);
    this.#enter(job, now);
  }

  /** The change of a job's state. What decides its place in the new state (due time, urgency, suspicion) is set before. */
  move(job: Job, to: JobState, now: Instant): void {
    const from = job.state;
    if (!isLegal(from, to)) {
      throw new ErrandError("store-failed", `job ${job.id} cannot go from ${from} to ${to}; this is a defect of errand, please report it`);
    }
    this.#leave(job);
    job.state = to;
    job.since = now;
    if (isEnded(to)) this.uniques.release(job);
    else if (isEnded(from)) this.uniques.hold(job);
    this.#enter(job, now);
  }

  remove(job: Job): void {
    this.#leave(job);
    this.jobs.delete(job.id);
    this.jobsInOrder.remove(job);
    this.lines.forgetIfEmpty(job.line);
  }

  #enter(job: Job, now: Instant): void {
    job.line.count(job.state, 1);
    if (job.state === "ready") job.line.push(job);
    else if (job.state === "scheduled") this.scheduled.push(job);
    else if (job.state === "running") job.lease?.process.running.add(job);
    else if (isEnded(job.state)) this.#retain(job, now);
    const isWaiting = job.state === "ready" || job.state === "scheduled";
    if (isWaiting && job.startBy !== undefined && job.starts === 0) this.startingInTime.push(job);
    // One that is due before all others moves the instant that workers sleep until.
    if (job.state === "ready" || this.scheduled.first() === job) this.wake();
  }

  #leave(job: Job): void {
    job.line.count(job.state, -1);
    this.startingInTime.remove(job);
    if (job.state === "ready") job.line.remove(job);
    else if (job.state === "scheduled") this.scheduled.remove(job);
    else if (job.state === "running") job.lease?.process.running.delete(job);
    else this.ended.remove(job);
    if (job.state === "running") job.lease = undefined;
  }

  #retain(job: Job, now: Instant): void {
    if (!isEnded(job.state)) return;
    job.endedAt = now;
    job.purgeAt = Math.max(now + job.keep[job.state], job.rememberUntil);
    this.ended.push(job);
  }

  #openRuntime(): Runtime {
    if (this.#runtime === undefined || this.#opened === 0) {
      throw new ErrandError("broker-closed", "the memory engine is not open; open its broker before using it");
    }
    return this.#runtime;
  }
}

const legal = new Set(transitions.map(({ from, to }) => `${from} ${to}`));

function isLegal(from: JobState, to: JobState): boolean {
  return legal.has(`${from} ${to}`);
}
