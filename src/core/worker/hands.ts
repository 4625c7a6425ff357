/** The hands of one queue: its slots, and the jobs held ready for them. */
import { claimAheadMs, claimMax } from "../defaults.ts";
import type { ClaimQueue } from "../engine.ts";
import type { Ms } from "../runtime.ts";
import type { Run } from "./run.ts";

/** Longer runs gain nothing from a job held ready: to ask for the next takes a few milliseconds. */
const longRunMs = 100;
/** How much a new measurement moves the average: up quickly, down slowly, since holding too much is worse than asking often. */
const weightOfSlower = 0.3;
const weightOfFaster = 0.05;
/** Jobs of one key that together take no longer than this may as well run one after the other as beside those of other keys. */
const shortRowMs: Ms = 1;
/** Longer rows gain nothing: each job of them is on other pages of the store. Measured. */
const shortRowMost = 64;

export class Hands {
  readonly queue: string;
  readonly slots: number;
  busy = 0;
  /** Jobs that wait behind another of their key that runs or is held here. */
  behind = 0;
  /** Something ended here since the last claim, and nothing waited behind it: a key, or a slot without one, is free. */
  hasFreed = true;
  /** A loop of starts is under way: a run that ends within it starts no other. */
  isFilling = false;
  #held: Run[] = [];
  #head = 0;
  #ahead = 0;
  /** How many keys to ask for in one claim; undefined: as many as there are free slots. */
  #keysAtOnce: number | undefined;
  /** The last jobs that came were partly rows. */
  #hasRows = false;
  #runMs: Ms | undefined;
  #hasRunDry = false;
  #deliveredAt = 0;

  constructor(queue: string, slots: number) {
    this.queue = queue;
    this.slots = slots;
  }

  get free(): number {
    return this.slots - this.busy;
  }

  get held(): number {
    return this.#held.length - this.#head;
  }

  /** Half of what was claimed ahead is used up. */
  get isLow(): boolean {
    return this.#ahead > 0 && this.held + this.behind <= this.#ahead / 2;
  }

  take(): Run | undefined {
    const run = this.#held[this.#head];
    if (run === undefined) return undefined;
    if (++this.#head === this.#held.length) this.#clear();
    return run;
  }

  /** What is held. */
  all(): readonly Run[] {
    return this.#head === 0 ? this.#held : this.#held.slice(this.#head);
  }

  /** Before all that is held. */
  putFirst(run: Run): void {
    if (this.#head > 0) this.#held[--this.#head] = run;
    else this.#held.unshift(run);
  }

  /** Jobs that came with one claim, most urgent first. `mayHaveMore`: as many as were asked for, in all or of some key. */
  deliver(runs: readonly Run[], mayHaveMore: boolean, now: number): void {
    this.hasFreed = false;
    // Slots stood empty while the store had more: too little was held.
    this.#hasRunDry = mayHaveMore && this.held === 0 && this.free > 0;
    if (runs.length === 0) return;
    this.#deliveredAt = now;
    if (this.held === 0) this.#held = [...runs];
    else this.#held = [...this.#held.slice(this.#head), ...runs];
    this.#head = 0;
  }

  /** Takes out the held jobs that `isWanted` names. */
  handBack(isWanted: (run: Run) => boolean): Run[] {
    const held = this.#held.slice(this.#head);
    const back = held.filter(isWanted);
    if (back.length === 0) return back;
    this.#held = held.filter((run) => !isWanted(run));
    this.#head = 0;
    return back;
  }

  /** Whatever has waited in the hands for so long is better off with another worker. */
  isStale(now: number): boolean {
    return this.held + this.behind > 0 && now - this.#deliveredAt > 2 * claimAheadMs;
  }

  /** How many jobs to hold beyond those that run. */
  get ahead(): number {
    return this.#ahead;
  }

  /** How long a run takes, on average; undefined: none has ended yet. */
  get runMs(): Ms | undefined {
    return this.#runMs;
  }

  slowDown(): void {
    this.#ahead = 0;
    this.#hasRunDry = false;
  }

  learn(ranMs: Ms): void {
    if (this.#runMs === undefined) this.#runMs = ranMs;
    else this.#runMs += (ranMs - this.#runMs) * (ranMs > this.#runMs ? weightOfSlower : weightOfFaster);
  }

  /** What to ask the store for, of at most `room` jobs; undefined: nothing. `mayHaveMore`: there may be jobs of other keys than those that wait here in rows. */
  wanted(room: number, mayHaveMore: boolean): ClaimQueue | undefined {
    // While a row lasts the store has nothing more of its key.
    if (this.behind > 0 && !this.hasFreed && !mayHaveMore) return undefined;
    const slots = Math.min(room, Math.max(0, this.free - this.held));
    this.#adapt();
    const spare = Math.max(0, this.held - this.free) + this.behind;
    const ahead = slots > 0 || spare <= this.#ahead / 2 ? Math.min(room - slots, Math.max(0, this.#ahead - spare)) : 0;
    const keys = Math.min(slots, this.#keysAtOnce ?? slots);
    return slots + ahead === 0 ? undefined : { queue: this.queue, slots: keys, ahead: slots - keys + ahead };
  }

  get isMostlyBusy(): boolean {
    return this.free * 2 < this.slots;
  }

  /** How long a row may be whatever the number of keys: what a key costs in a claim is shared by its jobs. */
  get shortRow(): number {
    return !this.#hasRows || this.#runMs === undefined ? 1 : Math.max(1, Math.min(shortRowMost, Math.floor(shortRowMs / this.#runMs)));
  }

  /** The fewer keys, the longer their rows, while that fills what was asked for. */
  gather({ slots, ahead }: ClaimQueue, keys: number, jobs: number): void {
    if (jobs > 0) this.#hasRows = jobs > keys;
    const fewest = Math.ceil((slots + ahead) / this.shortRow);
    if (jobs > keys && jobs >= slots + ahead) this.#keysAtOnce = fewest;
    else if (this.#keysAtOnce !== undefined) this.#keysAtOnce = this.#keysAtOnce * 2 < this.slots ? this.#keysAtOnce * 2 : undefined;
  }

  /** Doubles what is claimed ahead while the hands run dry, up to one second of measured work. */
  #adapt(): void {
    if (this.#runMs === undefined) return;
    if (this.#hasRunDry) this.#ahead = Math.max(this.slots, this.#ahead * 2);
    this.#hasRunDry = false;
    this.#ahead = Math.min(this.#ahead, this.#runMs > longRunMs ? 0 : aheadMost(this.#runMs / this.slots));
  }

  #clear(): void {
    this.#held = [];
    this.#head = 0;
  }
}

function aheadMost(perJobMs: Ms): number {
  return perJobMs === 0 ? claimMax : Math.min(claimMax, Math.floor(claimAheadMs / perJobMs));
}
