/**
 * The exchange with the store: outcomes out, jobs in, one call at a time. It is poked by whatever changes (a free slot, an outcome, a hint, a timer)
 * and asks only when there is something to ask for.
 */
import { at } from "../at.ts";
import { claimMax, pollIdleMs } from "../defaults.ts";
import type { Claimed, ClaimedJob, ClaimQueue, Outcome } from "../engine.ts";
import type { Timer } from "../runtime.ts";
import type { Alone } from "./alone.ts";
import { jittered } from "./backoff.ts";
import { isDefinite, type Contact } from "./contact.ts";
import { Hands } from "./hands.ts";
import { released } from "./outcome.ts";
import { readPauses } from "./pauses.ts";
import { Run, type Draft } from "./run.ts";
import { Runner } from "./runner.ts";
import type { WorkerParts } from "./settings.ts";
import { Settling } from "./settling.ts";
import { Stranded } from "./stranded.ts";
import { Wake } from "./wake.ts";

/** Starting jobs stops for a turn of the event loop after so long, so that timers and sockets get theirs. */
const sliceMs = 10;
/** On a store that blocks the loop, outcomes that no claim takes along are written together: at most half the time goes into writing. */
const lingerMaxMs = 20;

export class Intake {
  readonly runner: Runner;
  /** The largest fence this worker was ever given. */
  lastFence = 0;
  readonly #parts: WorkerParts;
  readonly #contact: Contact;
  readonly #alone: Alone;
  readonly #process: () => string;
  readonly #settling: Settling;
  readonly #stranded: Stranded;
  readonly #hands: Map<string, Hands>;
  readonly #tasks: readonly string[];
  readonly #wake: Wake;
  readonly #quietListeners: Set<() => void> = new Set();
  #mayHaveMore = false;
  #isOpen = false;
  #isScheduled = false;
  #isCalling = false;
  #isStoreAsync = false;
  #arePausesStale = false;
  #sliceAt = 0;
  #lingerUntil = 0;
  #isEnded = false;
  #linger: Timer | undefined;
  #retry: Timer | undefined;
  #staleCheck: Timer | undefined;

  constructor(parts: WorkerParts, contact: Contact, alone: Alone, process: () => string) {
    this.#parts = parts;
    this.#contact = contact;
    this.#alone = alone;
    this.#process = process;
    this.#settling = new Settling(parts);
    this.#stranded = new Stranded(parts);
    this.#hands = new Map([...parts.settings.queues].map(([queue, slots]) => [queue, new Hands(queue, slots)]));
    this.#tasks = [...parts.definitions.tasks.keys()];
    this.#wake = new Wake(parts.runtime, () => this.wake());
    alone.onTried(() => this.wake());
    this.runner = new Runner(parts, (run, draft, now) => this.#ended(run, draft, now));
  }

  /** Jobs that run or are held ready here. */
  get inFlight(): number {
    return this.runner.running.size + this.#held;
  }

  /** Nothing in flight, nothing to write, and the last claim found no more. */
  get isIdle(): boolean {
    return this.isQuiet && !(this.#isOpen && this.#mayHaveMore);
  }

  /** Nothing in flight and nothing to write. */
  get isQuiet(): boolean {
    return this.inFlight === 0 && this.#settling.waiting === 0 && !this.#isCalling;
  }

  open(): void {
    this.#isOpen = true;
    this.wake();
  }

  /** Claims no more and hands back what is held; outcomes are still written. */
  close(): void {
    this.#isOpen = false;
    this.#wake.cancel();
    this.#handBack(() => true);
    this.#poke();
  }

  /** Ends all timers: nothing is written any more. */
  end(): void {
    this.#isEnded = true;
    this.#retry?.cancel();
    this.#linger?.cancel();
    this.#staleCheck?.cancel();
    this.#wake.cancel();
  }

  /** There may be work. */
  wake(): void {
    this.#mayHaveMore = true;
    if (this.#isOpen) this.#poke();
  }

  pausesChanged(): void {
    this.#arePausesStale = true;
    this.#poke();
  }

  /** Held jobs are void; those that run end without an outcome. */
  lost(): void {
    for (const hands of this.#hands.values()) hands.handBack(() => true);
    this.runner.loseAll();
    this.wake();
  }

  /** Held jobs of these ids end cancelled; runs are signalled. */
  cancelled(ids: readonly string[]): void {
    const wanted = new Set(ids);
    this.#handBack((run) => wanted.has(run.claimed.id));
    this.runner.cancel(ids);
    this.#poke();
  }

  /** `fn` is called after each exchange that leaves it idle, or quiet once it is closed. Answers how to stop listening. */
  onQuiet(fn: () => void): () => void {
    this.#quietListeners.add(fn);
    return () => this.#quietListeners.delete(fn);
  }

  get #held(): number {
    let held = 0;
    for (const hands of this.#hands.values()) held += hands.held;
    return held;
  }

  #poke(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#parts.runtime.soon(this.#turn);
  }

  readonly #turn = (): void => {
    this.#isScheduled = false;
    this.#sliceAt = this.#parts.runtime.monotonic();
    for (const hands of this.#hands.values()) this.#fill(hands);
    void this.#exchange();
  };

  // ── running ───────────────────────────────────────────────────────────────────────────────────────

  #fill(hands: Hands): void {
    if (hands.isFilling || hands.held === 0) return;
    hands.isFilling = true;
    while (hands.free > 0) {
      const now = this.#parts.runtime.monotonic();
      if (now - this.#sliceAt > sliceMs) {
        this.#poke();
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
    if (draft !== undefined) this.#settling.add(run, draft, Math.max(0, Math.round(ranMs)));
    const { hands } = run;
    if (hands === undefined) {
      this.#alone.ended();
      this.wake();
    } else {
      hands.busy--;
      hands.learn(ranMs);
      this.#fill(hands);
      // While the store works on the answer, the rest of the held jobs run.
      if (this.#isStoreAsync && hands.isLow && !this.#isCalling) void this.#exchange();
    }
    this.#poke();
  }

  #handBack(isWanted: (run: Run) => boolean): void {
    for (const hands of this.#hands.values()) {
      for (const run of hands.handBack(isWanted)) this.#settling.add(run, released, 0);
    }
  }

  // ── exchanging ────────────────────────────────────────────────────────────────────────────────────

  /** Never rejects. */
  async #exchange(): Promise<void> {
    if (this.#isCalling || this.#isEnded || this.#retry !== undefined) return;
    this.#isCalling = true;
    let isWorthwhile: boolean;
    try {
      isWorthwhile = await this.#step();
    } catch (error) {
      isWorthwhile = false;
      this.#failed(error);
    }
    this.#isCalling = false;
    if (isWorthwhile) this.#poke();
    if (this.isQuiet && (this.isIdle || !this.#isOpen)) for (const listener of [...this.#quietListeners]) listener();
  }

  /** True: there is more to do at once. */
  async #step(): Promise<boolean> {
    if (this.#stranded.waiting > 0) this.#settling.addBare(await this.#stranded.look());
    if (this.#arePausesStale) await this.#readPauses();
    if (this.#isOpen && this.#alone.isReady(this.inFlight)) await this.#claim(this.#aloneQueues(), "only");
    const wanted = this.#wanted();
    const hasToSettle = this.#settling.waiting > 0;
    if (wanted.length > 0 && (this.#mayHaveMore || hasToSettle)) await this.#claim(wanted, "no");
    else if (!hasToSettle || this.#isLingering()) return false;
    else await this.#settle();
    return this.#settling.waiting > 0 || (this.#mayHaveMore && this.#wanted().length > 0);
  }

  #wanted(): ClaimQueue[] {
    if (!this.#isOpen) return [];
    if (this.#alone.needsWorker) return this.#onlyLook();
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

  /** This worker empties itself for a suspect: it takes nothing, but hears whether another has taken the suspect. */
  #onlyLook(): ClaimQueue[] {
    this.#handBack(() => true);
    return this.#alone.isBusy ? [] : [...this.#hands.keys()].map((queue) => ({ queue, slots: 0, ahead: 0 }));
  }

  #aloneQueues(): ClaimQueue[] {
    return [...this.#hands.keys()].map((queue) => ({ queue, slots: 1, ahead: 0 }));
  }

  async #claim(queues: readonly ClaimQueue[], alone: "no" | "only"): Promise<void> {
    const { engine, runtime, settings } = this.#parts;
    const process = this.#process();
    const claim = runtime.id();
    const settling = this.#settling.take();
    this.#mayHaveMore = false;
    let claimed: Claimed;
    try {
      const answer = engine.claim({ process, leaseMs: settings.leaseMs, claim, lastFence: this.lastFence, queues, tasks: this.#tasks, alone, settling }, at(runtime));
      this.#isStoreAsync = answer instanceof Promise;
      claimed = this.#isStoreAsync ? await answer : (answer as Claimed);
    } catch (error) {
      if (!isDefinite(error)) this.#stranded.add(claim);
      this.#settling.putBack(settling, isDefinite(error));
      throw error;
    }
    this.#contact.reached("claim");
    this.#settling.answered(settling, claimed.settled);
    this.#take(claimed, { process, claim, queues, alone });
  }

  #take(claimed: Claimed, { process, claim, queues, alone }: { readonly process: string; readonly claim: string; readonly queues: readonly ClaimQueue[]; readonly alone: "no" | "only" }): void {
    this.lastFence = Math.max(this.lastFence, claimed.fence);
    this.#alone.heard(claimed.hasSuspects);
    const by = { claim, fence: claimed.fence };
    if (alone === "only") {
      this.#takeAlone(claimed, by, process);
      return;
    }
    const isUnwanted = !this.#isOpen || process !== this.#process();
    const runs: Run[] = [];
    for (const job of claimed.jobs) {
      const run = this.#runOf(job, by, isUnwanted);
      if (run !== undefined) runs.push(run);
    }
    for (const queue of queues) this.#deliver(queue, queues.length === 1 ? runs : runs.filter((run) => run.claimed.queue === queue.queue));
    // A promotion may be due before the idle poll; never trust a hint to come.
    this.#wake.within(Math.min(claimed.nextDueMs ?? Number.POSITIVE_INFINITY, jittered(pollIdleMs, this.#parts.runtime.random())));
  }

  #deliver({ queue, slots, ahead }: ClaimQueue, runs: readonly Run[]): void {
    const hands = this.#hands.get(queue);
    if (hands === undefined) return;
    const isFull = slots + ahead > 0 && runs.length >= slots + ahead;
    if (isFull) this.#mayHaveMore = true;
    hands.deliver(runs, isFull, this.#parts.runtime.monotonic());
    this.#fill(hands);
    if (hands.held > 0) this.#watchStale();
  }

  /** A run, unless the job goes straight back. */
  #runOf(job: ClaimedJob, by: { readonly claim: string; readonly fence: number }, isUnwanted: boolean): Run | undefined {
    const run = new Run(job, by, this.#parts.definitions.tasks.get(job.task), this.#hands.get(job.queue));
    if (!isUnwanted && job.isCancelled !== true && run.hands !== undefined) return run;
    this.#settling.add(run, released, 0);
    return undefined;
  }

  #takeAlone(claimed: Claimed, by: { readonly claim: string; readonly fence: number }, process: string): void {
    this.#mayHaveMore = true;
    const [job] = claimed.jobs;
    if (job === undefined) {
      this.#alone.missed();
      return;
    }
    const run = new Run(job, by, this.#parts.definitions.tasks.get(job.task), undefined);
    if (!this.#isOpen || process !== this.#process() || job.isCancelled === true) {
      this.#settling.add(run, released, 0);
      return;
    }
    this.#alone.began();
    this.#alone.prolong(run);
    this.runner.start(run, this.#parts.runtime.monotonic(), this.#alone.isolated);
  }

  async #settle(): Promise<void> {
    const { engine, runtime } = this.#parts;
    const startedAt = runtime.monotonic();
    const outcomes = this.#settling.take();
    try {
      this.#settling.answered(outcomes, await engine.settle(outcomes, at(runtime)));
    } catch (error) {
      this.#settling.putBack(outcomes, isDefinite(error));
      throw error;
    }
    this.#contact.reached("claim");
    const endedAt = runtime.monotonic();
    if (!this.#isStoreAsync) this.#lingerUntil = endedAt + Math.min(lingerMaxMs, endedAt - startedAt);
  }

  #isLingering(): boolean {
    const { runtime } = this.#parts;
    const restMs = this.#lingerUntil - runtime.monotonic();
    if (!this.#isOpen || restMs <= 0) return false;
    this.#linger ??= runtime.after(restMs, () => {
      this.#linger = undefined;
      this.#poke();
    });
    return true;
  }

  async #readPauses(): Promise<void> {
    this.#arePausesStale = false;
    if (this.#held === 0) return;
    try {
      const isPaused = await readPauses(this.#parts);
      this.#handBack(isPaused);
    } catch (error) {
      this.#arePausesStale = true;
      throw error;
    }
  }

  #failed(error: unknown): void {
    if (this.#isEnded) return;
    this.#contact.failed("claim", error);
    this.#mayHaveMore = true;
    this.#retry = this.#parts.runtime.after(this.#contact.nextTryMs(), () => {
      this.#retry = undefined;
      this.#poke();
    });
  }

  /** Held jobs that wait behind long runs go back: others may be free. */
  #watchStale(): void {
    this.#staleCheck ??= this.#parts.runtime.after(pollIdleMs, () => {
      this.#staleCheck = undefined;
      const now = this.#parts.runtime.monotonic();
      for (const hands of this.#hands.values()) {
        if (!hands.isStale(now)) continue;
        hands.slowDown();
        for (const run of hands.handBack(() => true)) this.#settling.add(run, released, 0);
      }
      if (this.#held > 0) this.#watchStale();
      this.#poke();
    });
  }
}
