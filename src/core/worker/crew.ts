/** All hands of a worker: which jobs run, which are held ready, and how many more could be used. */
import { claimMax, pollIdleMs } from "../defaults.ts";
import type { ClaimQueue, Settled } from "../engine.ts";
import type { WorkerLoad } from "../metrics/processMetrics.ts";
import type { Ms, Timer } from "../runtime.ts";
import { Hands } from "./hands.ts";
import { afterEnd, hasEnded, Rows } from "./rows.ts";
import type { Draft, Run } from "./run.ts";
import { Runner } from "./runner.ts";
import type { WorkerParts } from "./settings.ts";

/** Starting jobs stops for a turn of the event loop after so long, so that timers and sockets get theirs. */
const sliceMs = 10;
/** Measured work of one key that is claimed in a row: after a crash so much of it may run again, in its order. */
const rowMs: Ms = 200;

export interface CrewHears {
  /** Without a draft there is nothing to write. */
  ended(run: Run, draft: Draft | undefined, ranMs: Ms): void;
  /** Held jobs, given back unstarted. */
  handedBack(runs: readonly Run[]): void;
  /** More could start, in a later turn of the event loop. */
  tired(): void;
  /** False: it goes back unstarted. */
  mayStart(run: Run): boolean;
}

export class Crew {
  readonly runner: Runner;
  readonly #parts: WorkerParts;
  readonly #hears: CrewHears;
  readonly #hands: Map<string, Hands>;
  readonly #rows: Rows = new Rows();
  /** How many jobs ran at once after the last claim: as many keys, where they are ordered. */
  #atOnce = 0;
  #sliceAt = 0;
  #staleCheck: Timer | undefined;

  constructor(parts: WorkerParts, hears: CrewHears) {
    this.#parts = parts;
    this.#hears = hears;
    this.#hands = new Map([...parts.settings.queues].map(([queue, slots]) => [queue, new Hands(queue, slots)]));
    this.runner = new Runner(parts, (run, draft, now) => this.#ended(run, draft, now));
  }

  /** Jobs held ready. */
  get held(): number {
    let held = 0;
    for (const hands of this.#hands.values()) held += hands.held;
    return held;
  }

  get inFlight(): number {
    return this.runner.running.size + this.held + this.#rows.size;
  }

  /** All that is in flight. */
  *runs(): Iterable<Run> {
    yield* this.runner.running;
    for (const hands of this.#hands.values()) yield* hands.all();
    yield* this.#rows.all();
  }

  /** How many jobs of one key to claim in a row, of those that are claimed ahead. */
  inRow(asked: readonly ClaimQueue[]): number {
    let most = 1;
    for (const { queue, slots, ahead: askedAhead } of asked) {
      const { runMs, ahead = 0, shortRow = 1 } = this.#hands.get(queue) ?? {};
      if (ahead === 0 || runMs === undefined) continue;
      const perKey = Math.max(Math.min(shortRow, 1 + askedAhead), 1 + Math.floor(ahead / Math.max(1, this.#atOnce || slots)));
      most = Math.max(most, Math.min(perKey, runMs === 0 ? claimMax : Math.floor(rowMs / runMs)));
    }
    return most;
  }

  /** Most rows of the last claim go on, and no key waits that half of the slots are free for: a claim would get little. */
  isEarly(asked: readonly ClaimQueue[], mayHaveMore: boolean): boolean {
    if (this.#rows.size === 0 || this.runner.running.size * 2 <= this.#atOnce) return false;
    return !mayHaveMore || asked.every(({ queue }) => this.#hands.get(queue)?.isMostlyBusy);
  }

  handsOf(queue: string): Hands | undefined {
    return this.#hands.get(queue);
  }

  /** Jobs wait behind others of their keys. */
  get hasRows(): boolean {
    return this.#rows.size > 0;
  }

  /** What is in the hands of each queue. */
  load(): WorkerLoad["queues"] {
    const running = new Map<string, number>();
    for (const { claimed } of this.runner.running) running.set(claimed.queue, (running.get(claimed.queue) ?? 0) + 1);
    return [...this.#hands.values()].map(({ queue, slots, held, behind }) => ({ queue, slots, running: running.get(queue) ?? 0, held: held + behind }));
  }

  /** What to ask the store for. */
  wanted(mayHaveMore: boolean): ClaimQueue[] {
    const wanted: ClaimQueue[] = [];
    let room = claimMax;
    for (const hands of this.#hands.values()) {
      const queue = hands.wanted(room, mayHaveMore);
      if (queue === undefined) continue;
      wanted.push(queue);
      room -= queue.slots + queue.ahead;
    }
    return wanted;
  }

  /** All queues, with so many slots each. */
  queues(slots: number): ClaimQueue[] {
    return [...this.#hands.keys()].map((queue) => ({ queue, slots, ahead: 0 }));
  }

  /** The answer to `asked`, most urgent first. True: some queue gave all that it was asked for, so it may have more. */
  deliver(asked: readonly ClaimQueue[], runs: readonly Run[], inRow: number): boolean {
    const now = this.#parts.runtime.monotonic();
    const heads = this.#rows.form(runs);
    this.#atOnce = heads.length + this.runner.running.size;
    let isFull = false;
    for (const ask of asked) {
      const { queue, slots, ahead } = ask;
      const isOwn = (run: Run): boolean => run.claimed.queue === queue;
      const [own, all] = asked.length === 1 ? [heads, runs] : [heads.filter(isOwn), runs.filter(isOwn)];
      const isOwnFull = slots + ahead > 0 && all.length >= slots + ahead;
      this.#hands.get(queue)?.deliver(own, isOwnFull || this.#isSomeRowFull(own, inRow), now);
      this.#hands.get(queue)?.gather(ask, own.length, all.length);
      isFull ||= isOwnFull;
    }
    this.#fillAll();
    if (this.held + this.#rows.size > 0) this.#watchStale();
    return isFull;
  }

  /** Some key gave as many in a row as it was asked for, so it may have more. */
  #isSomeRowFull(heads: readonly Run[], inRow: number): boolean {
    return heads.some((run) => run.claimed.lane !== undefined && this.#rows.length(run) >= inRow);
  }

  /** What the store made of an outcome that those behind its job waited for. */
  answered(run: Run, answer: Settled["is"]): void {
    if (!this.#rows.isBefore(run)) return;
    if (hasEnded(run, answer)) this.#goOn(run);
    else this.#sendBack(run);
    if (run.hands !== undefined) this.#fill(run.hands);
  }

  /** A new turn of the event loop: what is held may start. */
  turn(): void {
    this.#sliceAt = this.#parts.runtime.monotonic();
    this.#fillAll();
  }

  /** Starts nothing more in this turn of the event loop: what was just asked of the store is on its way only when the loop goes on. */
  rest(): void {
    this.#sliceAt = Number.NEGATIVE_INFINITY;
  }

  handBack(isWanted: (run: Run) => boolean): void {
    for (const hands of this.#hands.values()) this.#handedBack(hands.handBack(isWanted).flatMap((run) => [run, ...this.#rows.cut(run)]));
    this.#handedBack(this.#rows.cutWhere(isWanted));
  }

  /** Held jobs are void; those that run end without an outcome. */
  lost(): void {
    for (const hands of this.#hands.values()) hands.handBack(() => true);
    this.#rows.cutWhere(() => true);
    this.runner.loseAll();
  }

  /** Jobs may be another's by now: those that run are asked to stop, and the store is to judge what they answer. Answers those that were held. */
  leave(): Run[] {
    const held = [...this.#hands.values()].flatMap((hands) => hands.handBack(() => true));
    held.push(...this.#rows.cutWhere(() => true));
    this.runner.leaveAll();
    return held;
  }

  end(): void {
    this.#staleCheck?.cancel();
  }

  #fillAll(): void {
    for (const hands of this.#hands.values()) this.#fill(hands);
  }

  #fill(hands: Hands): void {
    if (hands.isFilling || hands.held === 0) return;
    hands.isFilling = true;
    while (hands.free > 0) {
      const now = this.#parts.runtime.monotonic();
      if (now - this.#sliceAt > sliceMs) {
        this.#hears.tired();
        break;
      }
      const run = hands.take();
      if (run === undefined) break;
      if (!this.#hears.mayStart(run)) {
        this.#handedBack([run, ...this.#rows.cut(run)]);
        continue;
      }
      hands.busy++;
      this.runner.start(run, now);
    }
    hands.isFilling = false;
  }

  #ended(run: Run, draft: Draft | undefined, now: number): void {
    const ranMs = now - run.startedAt;
    const { hands } = run;
    if (hands !== undefined) {
      hands.busy--;
      hands.learn(ranMs);
    }
    this.#hears.ended(run, draft, Math.max(0, Math.round(ranMs)));
    if (this.#rows.isBefore(run)) this.#afterEnd(run, draft);
    else if (hands !== undefined) hands.hasFreed = true;
    if (hands !== undefined) this.#fill(hands);
  }

  #afterEnd(run: Run, draft: Draft | undefined): void {
    const next = afterEnd(run, draft);
    if (next === "go") this.#goOn(run);
    else if (next === "back") this.#sendBack(run);
  }

  /** The next of its key is the next to start. */
  #goOn(run: Run): void {
    const next = this.#rows.takeNext(run);
    if (next !== undefined) next.hands?.putFirst(next);
  }

  #sendBack(run: Run): void {
    const cut = this.#rows.cut(run);
    if (run.hands !== undefined) run.hands.hasFreed = true;
    if (!run.isLost) this.#handedBack(cut);
  }

  #handedBack(runs: readonly Run[]): void {
    if (runs.length > 0) this.#hears.handedBack(runs);
  }

  /** Held jobs that wait behind long runs go back: others may be free. */
  #watchStale(): void {
    this.#staleCheck ??= this.#parts.runtime.after(pollIdleMs, () => {
      this.#staleCheck = undefined;
      const now = this.#parts.runtime.monotonic();
      for (const hands of this.#hands.values()) {
        if (!hands.isStale(now)) continue;
        hands.slowDown();
        this.handBack((run) => run.hands === hands);
      }
      if (this.held + this.#rows.size > 0) this.#watchStale();
    });
  }
}
