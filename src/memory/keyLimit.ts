/** Limits by key (G9): what each bounds, who holds room of it, and who waits in its line. Room is given in limitPasses.ts. */
import type { Instant } from "../core/runtime.ts";
import { Heap } from "./heap.ts";
import { byUrgency } from "./job.ts";
import type { Job } from "./job.ts";

export class Limit {
  readonly key: string;
  /** Ready and running jobs that hold one. */
  held = 0;
  /** Starts, by when they count no longer. */
  readonly starts: Heap<Start> = new Heap(byEnd);
  /** Those it has no room for. */
  readonly line: Heap<Job> = new Heap(byUrgency);
  /** When the first of the line has room because starts count no longer. */
  freeAt: Instant = 0;

  constructor(key: string) {
    this.key = key;
  }

  /** Whether `job`, of those that wait here or would, comes first and has room by its own number. */
  hasRoomFor(job: Job, now: Instant): boolean {
    const first = this.line.first();
    if (first && first !== job && byUrgency(first, job) < 0) return false;
    return this.used(now) < mostOf(job, this.key);
  }

  used(now: Instant): number {
    for (let start = this.starts.first(); start && start.until <= now; start = this.starts.first()) this.starts.remove(start);
    return this.held + this.starts.size;
  }

  /** Undefined: nobody waits, or time alone makes no room. */
  nextFree(now: Instant): Instant | undefined {
    const first = this.line.first();
    if (first === undefined) return undefined;
    const tooMany = this.used(now) - mostOf(first, this.key) + 1;
    if (tooMany > this.starts.size) return undefined;
    return tooMany === 1 ? this.starts.first()?.until : [...this.starts].toSorted(byEnd)[tooMany - 1]?.until;
  }

  get isUnused(): boolean {
    return this.held === 0 && this.starts.size === 0 && this.line.size === 0;
  }
}

/** One start that counts until then. */
export interface Start {
  readonly limit: Limit;
  readonly until: Instant;
}

export class KeyLimits {
  /** Lines that may move: a permit came back, or a job joined or left. */
  readonly marked: Set<Limit> = new Set();
  readonly #byKey = new Map<string, Limit>();
  readonly #starts = new Heap<Start>(byEnd);
  readonly #waiting = new Heap<Limit>((a, b) => a.freeAt - b.freeAt);

  of(key: string): Limit {
    const limit = this.#byKey.get(key) ?? new Limit(key);
    this.#byKey.set(key, limit);
    return limit;
  }

  /** It would be ready. */
  queueUp(job: Job): void {
    const [first] = job.keyLimits;
    if (first) this.moveTo(job, this.of(first.key));
  }

  moveTo(job: Job, limit: Limit): void {
    this.leave(job);
    job.limitedBy = limit;
    limit.line.push(job);
    this.marked.add(limit);
  }

  leave(job: Job): void {
    if (job.limitedBy === undefined) return;
    job.limitedBy.line.remove(job);
    this.marked.add(job.limitedBy);
    job.limitedBy = undefined;
  }

  /** It is ready: it holds all of them. */
  take(job: Job): void {
    for (const { key } of job.keyLimits) {
      const limit = this.of(key);
      limit.held += 1;
      if (limit.line.size > 0) this.marked.add(limit);
    }
  }

  /** It is ready no longer, and was not started. */
  giveBack(job: Job): void {
    for (const { key } of job.keyLimits) this.#free(key);
  }

  /** From now on the start counts, in place of the job. */
  start(job: Job, now: Instant): void {
    for (const { key, is } of job.keyLimits) {
      if ("running" in is) continue;
      const start = { limit: this.of(key), until: now + is.everyMs };
      this.#free(key);
      start.limit.starts.push(start);
      this.#starts.push(start);
      job.lease?.starts.push(start);
    }
  }

  /** It runs no longer. */
  stop(job: Job): void {
    for (const { key, is } of job.keyLimits) if ("running" in is) this.#free(key);
  }

  /** As if it had not been started. */
  takeBack(starts: readonly Start[]): void {
    for (const start of starts) {
      start.limit.starts.remove(start);
      this.#starts.remove(start);
      this.marked.add(start.limit);
    }
  }

  /** Lines that may move because time has passed are looked at too. */
  expire(limit: number, now: Instant): number {
    let expired = 0;
    for (let start = this.#starts.first(); start && start.until <= now && expired < limit; start = this.#starts.first()) {
      this.#starts.remove(start);
      start.limit.starts.remove(start);
      this.marked.add(start.limit);
      expired += 1;
    }
    return expired;
  }

  /** It was looked at: when is the next time that it may have room? */
  settle(limit: Limit, now: Instant): void {
    this.#waiting.remove(limit);
    const at = limit.nextFree(now);
    if (at !== undefined) {
      limit.freeAt = at;
      this.#waiting.push(limit);
    }
    if (limit.isUnused && this.#byKey.get(limit.key) === limit) this.#byKey.delete(limit.key);
  }

  nextFree(): Instant | undefined {
    return this.#waiting.first()?.freeAt;
  }

  #free(key: string): void {
    const limit = this.of(key);
    limit.held -= 1;
    this.marked.add(limit);
  }
}

function byEnd(a: Start, b: Start): number {
  return a.until - b.until;
}

function mostOf(job: Job, key: string): number {
  const is = job.keyLimits.find((limit) => limit.key === key)?.is;
  if (is === undefined) return Number.POSITIVE_INFINITY;
  return "running" in is ? is.running : is.starts;
}
