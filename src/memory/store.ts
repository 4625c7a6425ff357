/** All that the engine keeps. `add`, `move` and `remove` are the only ways in, through and out for a job, and keep every index in step. */
import type { At } from "../core/engine.ts";
import { joinsKeptMs } from "../core/defaults.ts";
import { ErrandError } from "../core/errors.ts";
import type { Instant, Runtime } from "../core/runtime.ts";
import { endedAs } from "../core/joining.ts";
import { isEnded, transitions } from "../core/states.ts";
import type { JobState } from "../core/states.ts";
import { Afters } from "./after.ts";
import { Events } from "./events.ts";
import { Gates } from "./gates.ts";
import { Heap } from "./heap.ts";
import type { Held } from "./hold.ts";
import { byDue, byStartBy } from "./job.ts";
import type { Job } from "./job.ts";
import { isEmpty, Joins } from "./join.ts";
import type { Join } from "./join.ts";
import { KeyLimits } from "./keyLimit.ts";
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
  /** By unique key. */
  readonly jobsOfKey: Map<string, Sequence<Job>> = new Map();
  readonly lines: Lines = new Lines();
  readonly scheduled: Heap<Job> = new Heap(byDue);
  /** Scheduled and ready jobs that never started and must do so in time. */
  readonly startingInTime: Heap<Job> = new Heap(byStartBy);
  readonly ended: Heap<Job> = new Heap((a, b) => a.purgeAt - b.purgeAt || a.seq - b.seq);
  readonly lanes: Lanes = new Lanes();
  readonly joins: Joins = new Joins();
  readonly afters: Afters = new Afters();
  readonly limits: KeyLimits = new KeyLimits();
  readonly uniques: Uniques = new Uniques();
  readonly processes: Processes = new Processes();
  readonly events: Events = new Events();
  readonly notes: Notes = new Notes();
  readonly gates: Gates = new Gates(this.notes);
  readonly locks: Locks = new Locks();
  readonly listeners: Listeners = new Listeners();
  /** How many jobs were skipped as too late, ever. */
  skippedLate = 0;
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
    this.#indexKey(job);
    this.uniques.hold(job);
    if (job.join) this.joins.addMember(job.join, job);
    if (job.hold) this.afters.add(job);
    else this.afters.name(job);
    this.#enter(job, now);
  }

  addJoin(join: Join): void {
    this.joins.add(join);
    this.afters.add(join);
  }

  /** The change of a job's state. What decides its place in the new state (due time, urgency, suspicion) is set before. */
  move(job: Job, to: JobState, now: Instant): void {
    const from = job.state;
    if (!isLegal(from, to)) {
      throw new ErrandError("store-failed", `job ${job.id} cannot go from ${from} to ${to}; this is a defect of errand, please report it`);
    }
    this.#leave(job, to);
    job.state = to;
    job.since = now;
    if (isEnded(to) && !isEnded(from)) this.#end(job);
    else if (isEnded(from) && !isEnded(to)) this.#revive(job);
    this.#enter(job, now);
    this.#tell(job, from);
  }

  /** An ended job. */
  remove(job: Job): void {
    this.#leave(job, undefined);
    this.jobs.delete(job.id);
    this.jobsInOrder.remove(job);
    this.#unindexKey(job);
    this.lines.forgetIfEmpty(job.line);
    for (const join of job.joins) this.leaveJoin(job, join);
  }

  leaveJoin(job: Job, join: Join): void {
    join.own.remove(job);
    join.adopted.delete(job);
    join.kept.delete(job);
    job.joins = job.joins.filter((other) => other !== join);
    this.retainJoin(join);
  }

  /** A join that nothing needs any more, and that may be forgotten. */
  removeJoin(join: Join): void {
    this.joins.remove(join);
    if (join.parent) this.retainJoin(join.parent);
  }

  /** It ended: what it came after need not be kept for it any longer. */
  unname(held: Held): void {
    for (const before of this.afters.unname(held)) {
      if (before.kind === "join") this.retainJoin(before);
      else if (this.jobs.get(before.id) === before) this.retain(before);
    }
  }

  /** How long an ended job stays: counted from its ending and from the closing of its joins, and not while a live one names it. */
  retain(job: Job): void {
    if (!isEnded(job.state)) return;
    this.ended.remove(job);
    const open = job.joins.find(({ closedAt }) => closedAt === undefined);
    if (open) open.kept.add(job);
    else if (!this.afters.isNamed(job)) {
      const from = Math.max(job.endedAt ?? 0, ...job.joins.map(({ closedAt }) => closedAt ?? 0));
      job.purgeAt = Math.max(from + job.keep[job.state], job.rememberUntil);
      this.ended.push(job);
    }
  }

  /** A closed join stays while it has members, is named or remembered. */
  retainJoin(join: Join): void {
    if (join.closedAt === undefined || !isEmpty(join) || this.afters.isNamed(join)) return;
    this.joins.forgettable.push({ join, at: Math.max(join.closedAt + joinsKeptMs, join.rememberUntil) });
  }

  #enter(job: Job, now: Instant): void {
    job.line.count(job.state, 1);
    if (job.state === "ready") this.#makeReady(job);
    else if (job.state === "scheduled") this.scheduled.push(job);
    else if (job.state === "running") this.#run(job, now);
    else if (isEnded(job.state)) {
      job.endedAt = now;
      this.retain(job);
    }
    const isWaiting = job.state === "ready" || job.state === "scheduled";
    if (isWaiting && job.startBy !== undefined && job.starts === 0) this.startingInTime.push(job);
    // One that is due before all others moves the instant that workers sleep until.
    if (job.state === "ready" || this.scheduled.first() === job) this.wake();
  }

  #leave(job: Job, to: JobState | undefined): void {
    job.line.count(job.state, -1);
    this.startingInTime.remove(job);
    if (job.state === "ready") {
      job.line.remove(job);
      if (to !== "running") this.limits.giveBack(job);
    } else if (job.state === "scheduled") this.scheduled.remove(job);
    else if (job.state === "running") this.#stop(job);
    else if (job.state === "blocked") this.limits.leave(job);
    else this.ended.remove(job);
  }

  #makeReady(job: Job): void {
    job.line.push(job);
    this.limits.take(job);
  }

  #run(job: Job, now: Instant): void {
    if (job.lease === undefined) return;
    job.lease.process.running.add(job);
    this.limits.start(job, now);
    this.gates.take(job.lease, now);
  }

  #stop(job: Job): void {
    if (job.lease === undefined) return;
    job.lease.process.running.delete(job);
    this.limits.stop(job);
    this.gates.giveBack(job.lease);
    // Others may have been passed over for what it held.
    if (job.lease.gates.length > 0 || Object.keys(job.lease.needs).length > 0) this.wake();
    job.lease = undefined;
  }

  #end(job: Job): void {
    this.uniques.release(job);
    if (job.hold) this.afters.leave(job);
    job.hold = undefined;
    this.unname(job);
  }

  #revive(job: Job): void {
    this.uniques.hold(job);
    this.afters.name(job);
    for (const { kept } of job.joins) kept.delete(job);
  }

  /** Its joins count it, and those that come after it are to be looked at. */
  #tell(job: Job, from: JobState): void {
    const [before, after] = [endedAs(from), endedAs(job.state)];
    if (before === after) return;
    for (const join of job.joins) this.joins.recount(join, before, after);
    if (after !== undefined) this.afters.mark(job);
  }

  #indexKey(job: Job): void {
    if (job.uniqueKey === undefined) return;
    const ofKey = this.jobsOfKey.get(job.uniqueKey) ?? new Sequence<Job>();
    this.jobsOfKey.set(job.uniqueKey, ofKey);
    ofKey.append(job);
  }

  #unindexKey(job: Job): void {
    const ofKey = job.uniqueKey === undefined ? undefined : this.jobsOfKey.get(job.uniqueKey);
    ofKey?.remove(job);
    if (ofKey?.size === 0 && job.uniqueKey !== undefined) this.jobsOfKey.delete(job.uniqueKey);
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
