/** A lane: jobs with one key, admitted `width` at a time in the order of enqueue (G7). */
import type { Instant } from "../core/runtime.ts";
import { Heap } from "./heap.ts";
import { bySeq } from "./job.ts";
import type { Job } from "./job.ts";

export class Lane {
  readonly key: string;
  /** Set by the death of a member with "park": all members leave the queue until one is redriven. */
  closed: { readonly by: string; readonly at: Instant } | undefined;
  readonly #admitted = new Set<Job>();
  readonly #blocked = new Heap<Job>(bySeq);
  readonly #parked = new Heap<Job>(bySeq);
  /** Members that died with "block": while there is one, nobody is admitted. */
  readonly #heads = new Set<Job>();

  constructor(key: string) {
    this.key = key;
  }

  get isEmpty(): boolean {
    return this.#admitted.size + this.#blocked.size + this.#parked.size + this.#heads.size === 0;
  }

  /** More than one is admitted, or holds it: in a lane of width 1, one that came back, and those that ran behind it and run still or died. */
  get isShared(): boolean {
    return this.#admitted.size + this.#heads.size > 1;
  }

  /** A new or redriven member takes its place. Answers what it is now. */
  arrive(job: Job): "admitted" | "blocked" | "parked" {
    (this.closed ? this.#parked : this.#blocked).push(job);
    if (this.closed) return "parked";
    if (this.next() !== job) return "blocked";
    this.admit(job);
    return "admitted";
  }

  /** One that is let go takes its place without being admitted yet. */
  queueUp(job: Job): "blocked" | "parked" {
    (this.closed ? this.#parked : this.#blocked).push(job);
    return this.closed ? "parked" : "blocked";
  }

  /** Whether an earlier member lives here. */
  isBehind(job: Job): boolean {
    const others = [...this.#admitted, ...this.#heads, this.#blocked.first() ?? job, this.#parked.first() ?? job];
    return others.some((other) => other.seq < job.seq);
  }

  /** Whether an earlier member of a lane of width 1 is admitted. */
  isFollowing(job: Job): boolean {
    return job.lane?.width === 1 && [...this.#admitted].some((other) => other.seq < job.seq);
  }

  /** The member that follows `job` in a row: the first that waits, if it was stored later. */
  behind(job: Job): Job | undefined {
    const first = this.#firstWaiting();
    return first && first.state === "blocked" && first.seq > job.seq ? first : undefined;
  }

  /** The member to be admitted now, if any. Those that were parked and are not sorted back yet keep their order. */
  next(): Job | undefined {
    const first = this.#firstWaiting();
    const isOpen = this.closed === undefined && this.#heads.size === 0;
    return first && isOpen && this.#admitted.size < (first.lane?.width ?? 1) ? first : undefined;
  }

  admit(job: Job): void {
    this.leave(job);
    this.#admitted.add(job);
  }

  block(job: Job): void {
    this.leave(job);
    this.#blocked.push(job);
  }

  park(job: Job): void {
    this.leave(job);
    this.#parked.push(job);
  }

  /** It died, and holds its lane until it is redriven or cancelled. */
  hold(job: Job): void {
    this.leave(job);
    this.#heads.add(job);
  }

  leave(job: Job): void {
    this.#admitted.delete(job);
    this.#blocked.remove(job);
    this.#parked.remove(job);
    this.#heads.delete(job);
  }

  isHeldBy(job: Job): boolean {
    return this.#heads.has(job);
  }

  firstBlocked(): Job | undefined {
    return this.#blocked.first();
  }

  firstParked(): Job | undefined {
    return this.#parked.first();
  }

  /** At most `width`. */
  admittedWaiting(): Job[] {
    return [...this.#admitted].filter((job) => job.state !== "running");
  }

  #firstWaiting(): Job | undefined {
    const [blocked, parked] = [this.#blocked.first(), this.#parked.first()];
    return blocked && parked ? (bySeq(blocked, parked) < 0 ? blocked : parked) : (blocked ?? parked);
  }
}

export class Lanes {
  readonly #byKey = new Map<string, Lane>();
  /** Lanes that may have room: admitted from at the end of each verb, and by tidy where that was too much for one pass. */
  readonly toAdmit: Set<Lane> = new Set();
  /** Closed lanes with blocked members that tidy has yet to park; opened ones with parked members it has yet to sort back. */
  readonly toSort: Set<Lane> = new Set();

  find(key: string): Lane | undefined {
    return this.#byKey.get(key);
  }

  of(key: string): Lane {
    const lane = this.#byKey.get(key) ?? new Lane(key);
    this.#byKey.set(key, lane);
    return lane;
  }

  /** The lane of a live job. */
  laneOf(job: Job): Lane | undefined {
    return job.lane && this.#byKey.get(job.lane.key);
  }

  leave(job: Job): void {
    const lane = this.laneOf(job);
    if (lane === undefined) return;
    lane.leave(job);
    if (lane.isEmpty) this.#forget(lane);
    else this.toAdmit.add(lane);
  }

  all(): Iterable<Lane> {
    return this.#byKey.values();
  }

  #forget(lane: Lane): void {
    this.#byKey.delete(lane.key);
    this.toAdmit.delete(lane);
    this.toSort.delete(lane);
  }
}
