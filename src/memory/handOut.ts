/** One claim's choice among the ready jobs of its lines. */
import { claimMax } from "../core/defaults.ts";
import type { Claim, ClaimQueue, TaskTerms } from "../core/engine.ts";
import { pausedQueue, pausedTask } from "../core/notes.ts";
import type { Instant } from "../core/runtime.ts";
import { Heap } from "./heap.ts";
import { followers } from "./inRow.ts";
import { byUrgency, isLate, wasTried } from "./job.ts";
import type { Job } from "./job.ts";
import type { Line, Which } from "./ready.ts";
import { isGated, start } from "./start.ts";
import type { Hands } from "./start.ts";
import type { Store } from "./store.ts";

interface OpenQueue {
  readonly queue: ClaimQueue;
  readonly lines: readonly Line[];
  /** Jobs that can start at once, and jobs that are held ahead. */
  taken: number;
  ahead: number;
  isFull: boolean;
}

interface OpenLine {
  readonly line: Line;
  readonly queue: OpenQueue;
}

/** One line; or all lines of a task whose fresh work goes beside its backlog, whatever queues they are of. */
interface Contest {
  readonly task: string;
  readonly lines: readonly OpenLine[];
}

interface Contender extends OpenLine {
  readonly job: Job;
  readonly contest: Contest;
}

export class HandingOut {
  readonly #store: Store;
  readonly #wanted: Claim;
  readonly #now: Instant;
  readonly #hands: Hands;
  readonly #queues: readonly OpenQueue[];
  readonly #jobs: Job[] = [];
  /** How many jobs of each task. */
  readonly #byTask = new Map<string, number>();
  readonly #retriesByTask = new Map<string, number>();
  /** The first jobs compete; the line that gave one competes again with its next, until its queue has enough. */
  readonly #competing = new Heap<Contender>((a, b) => byUrgency(a.job, b.job));

  constructor(store: Store, wanted: Claim, fence: number, now: Instant) {
    this.#store = store;
    this.#wanted = wanted;
    this.#now = now;
    this.#hands = { process: wanted.process, leaseMs: wanted.leaseMs, claim: wanted.claim, fence, isAlone: wanted.alone === "only" };
    this.#queues = wanted.queues.map((queue) => ({ queue, lines: openLines(store, queue.queue, wanted.tasks), taken: 0, ahead: 0, isFull: false }));
  }

  run(): Job[] {
    // Something was taken back from this process: it must go on under a new id.
    if (this.#store.processes.find(this.#wanted.process)?.isLost) return [];
    const most = this.#wanted.alone === "only" ? 1 : claimMax;
    for (const contest of this.#contests()) this.#compete(contest);
    for (let best = this.#competing.first(); best && this.#jobs.length < most; best = this.#competing.first()) {
      this.#competing.remove(best);
      this.#consider(best);
    }
    return this.#jobs;
  }

  get hasSuspects(): boolean {
    return this.#queues.some(({ lines }) => lines.some((line) => line.first("alone") !== undefined));
  }

  /** When a limit of starts that keeps ready jobs waiting has room again. */
  nextFree(): Instant {
    const waiting = this.#queues.flatMap(({ lines }) => lines.filter(({ counts }) => counts.has("ready")).map(({ task }) => task));
    const gates = new Set(waiting.flatMap((task) => this.#termsOf(task)?.gates ?? []));
    return Math.min(...[...gates].map((name) => this.#store.gates.freeAt(name, this.#now) ?? Infinity));
  }

  #contests(): Contest[] {
    const lines = this.#queues.flatMap((queue) => queue.lines.map((line) => ({ line, queue })));
    const byTask = Map.groupBy(lines, ({ line }) => line.task);
    return [...byTask].flatMap(([task, open]) => {
      const isOne = this.#termsOf(task)?.freshFrom !== undefined;
      return isOne ? { task, lines: open } : open.map((line) => ({ task, lines: [line] }));
    });
  }

  #compete(contest: Contest): void {
    const next = this.#next(contest);
    if (next) this.#competing.push(next);
  }

  /** Every second one of a task that has a backlog is a fresh one. */
  #next(contest: Contest): Contender | undefined {
    const terms = this.#termsOf(contest.task);
    const which = this.#which(contest.task, terms);
    const from = terms?.freshFrom;
    if (from === undefined) return mostUrgent(contest, (line) => line.first(which));
    const kinds = [(line: Line) => line.fresh(which, from), (line: Line) => line.stale(which, from)];
    const inTurn = this.#handed(contest.task) % 2 === 0 ? kinds : kinds.toReversed();
    for (const first of inTurn) {
      const next = mostUrgent(contest, first);
      if (next) return next;
    }
    return undefined;
  }

  #which(task: string, terms: TaskTerms | undefined): Which {
    if (this.#wanted.alone === "only") return "alone";
    return (this.#retriesByTask.get(task) ?? 0) < (terms?.retriesMost ?? Infinity) ? "together" : "untried";
  }

  #consider(best: Contender): void {
    const { job, line, contest } = best;
    const terms = this.#termsOf(line.task);
    if (!this.#hasRoom(line.task, terms)) return;
    // Its queue is full by now, or another kind of its task has its turn, or it was tried and no more of these may go: then another one competes for it.
    if (this.#next(contest)?.job === job) this.#take(best, terms);
    this.#compete(contest);
  }

  #take({ job, queue }: Contender, terms: TaskTerms | undefined): void {
    const isAhead = queue.taken >= queue.queue.slots;
    if (!this.#mayTake(queue, job, isAhead, terms)) {
      queue.isFull = true;
      return;
    }
    queue[isAhead ? "ahead" : "taken"] += 1;
    this.#handOut(job, terms, false);
    this.#follow(job, queue, terms);
  }

  /** Only jobs without lane and gate are held ahead. A late one here is beyond what one pass may skip: the next claim goes on with them. */
  #mayTake({ queue, ahead }: OpenQueue, job: Job, isAhead: boolean, terms: TaskTerms | undefined): boolean {
    if (isLate(job, this.#now)) return false;
    return !isAhead || (this.#wanted.alone === "no" && ahead < queue.ahead && job.lane === undefined && !isGated(terms));
  }

  #follow(head: Job, queue: OpenQueue, terms: TaskTerms | undefined): void {
    if (this.#wanted.alone === "only" || isGated(terms) || terms?.retriesMost !== undefined) return;
    const left = (terms?.most ?? Infinity) - this.#handed(head.line.task);
    const most = Math.min((this.#wanted.inRow ?? 1) - 1, queue.queue.ahead - queue.ahead, claimMax - this.#jobs.length, left);
    for (const job of followers(this.#store, head, most, this.#now)) {
      queue.ahead += 1;
      this.#handOut(job, terms, true);
    }
  }

  #handOut(job: Job, terms: TaskTerms | undefined, isFollower: boolean): void {
    start(this.#store, job, this.#hands, terms, isFollower, this.#now);
    this.#jobs.push(job);
    const { task } = job.line;
    this.#byTask.set(task, this.#handed(task) + 1);
    if (wasTried(job)) this.#retriesByTask.set(task, (this.#retriesByTask.get(task) ?? 0) + 1);
  }

  #hasRoom(task: string, terms: TaskTerms | undefined): boolean {
    return terms === undefined || (this.#handed(task) < (terms.most ?? Infinity) && this.#store.gates.hasRoom(terms, this.#now));
  }

  #handed(task: string): number {
    return this.#byTask.get(task) ?? 0;
  }

  #termsOf(task: string): TaskTerms | undefined {
    const { terms } = this.#wanted;
    return terms && Object.hasOwn(terms, task) ? terms[task] : undefined;
  }
}

/** Of queues that are not full. */
function mostUrgent(contest: Contest, first: (line: Line) => Job | undefined): Contender | undefined {
  let best: Contender | undefined;
  for (const { line, queue } of contest.lines) {
    const job = queue.isFull ? undefined : first(line);
    if (job && (best === undefined || byUrgency(job, best.job) < 0)) best = { job, line, queue, contest };
  }
  return best;
}

/** A paused line is passed over; running jobs go on. */
function openLines(store: Store, queue: string, tasks: readonly string[]): Line[] {
  if (store.notes.read(pausedQueue(queue))) return [];
  return tasks.flatMap((task) => (store.notes.read(pausedTask(task)) ? [] : (store.lines.find(queue, task) ?? [])));
}
