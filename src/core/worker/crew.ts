/** All hands of a worker: which jobs run, which are held ready, and how many more could be used. */
import { claimMax, pollIdleMs } from "../defaults.ts";
import type { ClaimQueue } from "../engine.ts";
import type { Ms, Timer } from "../runtime.ts";
import { Hands } from "./hands.ts";
import type { Draft, Run } from "./run.ts";
import { Runner } from "./runner.ts";
import type { WorkerParts } from "./settings.ts";

/** Starting jobs stops for a turn of the event loop after so long, so that timers and sockets get theirs. */
const sliceMs = 10;

export interface CrewHears {
  /** Without a draft there is nothing to write. */
  ended(run: Run, draft: Draft | undefined, ranMs: Ms): void;
  /** Held jobs, given back unstarted. */
  handedBack(runs: readonly Run[]): void;
  /** More could start, in a later turn of the event loop. */
  tired(): void;
}

export class Crew {
  readonly runner: Runner;
  readonly #parts: WorkerParts;
  readonly #hears: CrewHears;
  readonly #hands: Map<string, Hands>;
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
    return this.runner.running.size + this.held;
  }

  handsOf(queue: string): Hands | undefined {
    return this.#hands.get(queue);
  }

  /** What to ask the store for. */
  wanted(): ClaimQueue[] {
    const wanted: ClaimQueue[] = [];
    let room = claimMax;
    for (const hands of this.#hands.values()) {
      const queue = hands.wanted(room);
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
  deliver(asked: readonly ClaimQueue[], runs: readonly Run[]): boolean {
    const now = this.#parts.runtime.monotonic();
    let isFull = false;
    for (const { queue, slots, ahead } of asked) {
      const own = asked.length === 1 ? runs : runs.filter((run) => run.claimed.queue === queue);
      const isOwnFull = slots + ahead > 0 && own.length >= slots + ahead;
      this.#hands.get(queue)?.deliver(own, isOwnFull, now);
      isFull ||= isOwnFull;
    }
    this.#fillAll();
    if (this.held > 0) this.#watchStale();
    return isFull;
  }

  /** A new turn of the event loop: what is held may start. */
  turn(): void {
    this.#sliceAt = this.#parts.runtime.monotonic();
    this.#fillAll();
  }

  handBack(isWanted: (run: Run) => boolean): void {
    for (const hands of this.#hands.values()) {
      const runs = hands.handBack(isWanted);
      if (runs.length > 0) this.#hears.handedBack(runs);
    }
  }

  /** Held jobs are void; those that run end without an outcome. */
  lost(): void {
    for (const hands of this.#hands.values()) hands.handBack(() => true);
    this.runner.loseAll();
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
    if (hands !== undefined) this.#fill(hands);
  }

  /** Held jobs that wait behind long runs go back: others may be free. */
  #watchStale(): void {
    this.#staleCheck ??= this.#parts.runtime.after(pollIdleMs, () => {
      this.#staleCheck = undefined;
      const now = this.#parts.runtime.monotonic();
      for (const hands of this.#hands.values()) {
        if (!hands.isStale(now)) continue;
        hands.slowDown();
        this.#hears.handedBack(hands.handBack(() => true));
      }
      if (this.held > 0) this.#watchStale();
    });
  }
}
