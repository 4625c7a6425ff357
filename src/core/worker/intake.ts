/**
 * The exchange with the store: outcomes out, jobs in, one call at a time. It is poked by whatever changes (a free slot, an outcome, a hint, a timer)
 * and asks only when there is something to ask for.
 */
import { at } from "../at.ts";
import type { Claimed, ClaimedJob, ClaimQueue } from "../engine.ts";
import type { Instant, Ms, Timer } from "../runtime.ts";
import type { Alone } from "./alone.ts";
import { isDefinite, type Contact } from "./contact.ts";
import { Gatekeeper } from "../limits/gatekeeper.ts";
import { Crew } from "./crew.ts";
import { released } from "./outcome.ts";
import { Patience } from "./patience.ts";
import { readPauses } from "./pauses.ts";
import { Polling } from "./polling.ts";
import type { Loss, Pulse } from "./pulse.ts";
import { Run, type Draft } from "./run.ts";
import type { WorkerParts } from "./settings.ts";
import { Settling } from "./settling.ts";
import { Stranded } from "./stranded.ts";
import { Wake } from "./wake.ts";

/** On a store that blocks the loop, outcomes that no claim takes along are written together: at most half the time goes into writing. */
const lingerMaxMs = 20;

/** `now`: the store's. */
interface ClaimedBy {
  readonly claim: string;
  readonly fence: number;
  readonly now: Instant;
}

export class Intake {
  readonly crew: Crew;
  /** The largest fence this worker was ever given. */
  lastFence = 0;
  readonly #parts: WorkerParts;
  readonly #contact: Contact;
  readonly #alone: Alone;
  readonly #pulse: Pick<Pulse, "process" | "holds" | "mayHold">;
  readonly #settling: Settling;
  readonly #stranded: Stranded;
  readonly #keeper: Gatekeeper;
  readonly #wake: Wake;
  readonly #patience: Patience;
  readonly #polling: Polling;
  readonly #quietListeners: Set<() => void> = new Set();
  #mayHaveMore = false;
  #isOpen = false;
  #isScheduled = false;
  #isCalling = false;
  #isStoreAsync = false;
  #arePausesStale = false;
  #lingerUntil = 0;
  #nextDueMs: Ms = Number.POSITIVE_INFINITY;
  #isEnded = false;
  #linger: Timer | undefined;
  #retry: Timer | undefined;

  constructor(parts: WorkerParts, contact: Contact, alone: Alone, pulse: Pick<Pulse, "process" | "holds" | "mayHold">) {
    this.#parts = parts;
    this.#contact = contact;
    this.#alone = alone;
    this.#pulse = pulse;
    this.#settling = new Settling(parts, (run, answer) => this.crew.answered(run, answer));
    this.#stranded = new Stranded(parts);
    this.#keeper = new Gatekeeper(parts, { process: () => pulse.process, changed: () => this.wake(), runs: () => this.crew.runs() });
    this.#wake = new Wake(parts.runtime, () => this.wake());
    this.#patience = new Patience(parts.runtime, () => this.#poke());
    this.#polling = new Polling(parts);
    alone.onTried(() => this.wake());
    this.crew = new Crew(parts, {
      ended: (run, draft, ranMs) => this.#ended(run, draft, ranMs),
      handedBack: (runs) => this.#handedBack(runs),
      tired: () => this.#poke(),
      mayStart: (run) => this.#keeper.mayStart(run),
    });
  }

  /** Nothing in flight, nothing to write, and the last claim found no more. */
  get isIdle(): boolean {
    return this.isQuiet && !(this.#isOpen && this.#mayHaveMore);
  }

  /** Nothing in flight and nothing to write. */
  get isQuiet(): boolean {
    return this.crew.inFlight === 0 && this.#settling.waiting === 0 && !this.#isCalling;
  }

  /** Outcomes that the store has not answered for, but for those of a call that is under way. */
  get unwritten(): number {
    return this.#settling.waiting;
  }

  /** Until time alone may let something start, as the last claim told: a due time, room at a limit, hours, a calendar. */
  nextLookMs(): Ms {
    return Math.min(this.#nextDueMs, this.#keeper.untilOpeningMs());
  }

  /** A breaker is not healthy. */
  get isRecovering(): boolean {
    return this.#keeper.isRecovering;
  }

  open(): void {
    this.#isOpen = true;
    this.wake();
  }

  /** Claims no more and hands back what is held; outcomes are still written. */
  close(): void {
    this.#isOpen = false;
    this.#wake.cancel();
    this.crew.handBack(() => true);
    this.#poke();
  }

  /** Ends all timers: nothing is written any more. */
  end(): void {
    this.#isEnded = true;
    this.#retry?.cancel();
    this.#linger?.cancel();
    this.#patience.end();
    this.crew.end();
    this.#keeper.end();
    this.#wake.cancel();
  }

  /** There may be work. `isOwnTurn`: nothing but to send that work is done in this turn of the event loop, so it is asked for at once. */
  wake(isOwnTurn: boolean = false): void {
    this.#mayHaveMore = true;
    if (this.#isOpen && isOwnTurn && !this.#isScheduled) this.#turn();
    else if (this.#isOpen) this.#poke();
  }

  /** The store's notes are others than before: pauses, limits, breakers. */
  notesChanged(): void {
    this.#arePausesStale = true;
    this.#keeper.notesChanged();
    this.#poke();
  }

  /** A beat was answered. */
  heard(): void {
    this.#keeper.heard();
  }

  /** Held jobs are void; those that run end without an outcome, or with one that a store of another era may refuse. */
  lost(why: Loss): void {
    if (why === "given up") this.crew.lost();
    else this.#settling.addBare(this.crew.leave().map((run) => run.outcome(released, 0)));
    this.#keeper.notesChanged();
    this.wake();
  }

  /** Held jobs of these ids end cancelled; runs are signalled. */
  cancelled(ids: readonly string[]): void {
    const wanted = new Set(ids);
    this.crew.handBack((run) => wanted.has(run.claimed.id));
    this.crew.runner.cancel(ids);
  }

  /** `fn` is called after each exchange that leaves it idle, or quiet once it is closed. Answers how to stop listening. */
  onQuiet(fn: () => void): () => void {
    this.#quietListeners.add(fn);
    return () => this.#quietListeners.delete(fn);
  }

  #poke(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#parts.runtime.soon(this.#turn);
  }

  readonly #turn = (): void => {
    this.#isScheduled = false;
    this.crew.turn();
    void this.#exchange();
  };

  #ended(run: Run, draft: Draft | undefined, ranMs: Ms): void {
    if (draft !== undefined) this.#settling.add(run, draft, ranMs);
    this.#keeper.ended(run, draft);
    this.#poke();
    const { hands } = run;
    if (hands === undefined) {
      this.#alone.ended(run);
      this.wake();
    } else if (this.#isStoreAsync && hands.isLow && !this.#isCalling) {
      void this.#exchange(); // while the store works on the answer, the rest of the held jobs run
      this.crew.rest();
    }
  }

  #handedBack(runs: readonly Run[]): void {
    for (const run of runs) this.#settling.add(run, released, 0);
    this.#poke();
  }

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
    if (this.#isOpen && this.#keeper.isStale) await this.#keeper.read();
    if (this.#mayClaimAlone()) await this.#claim(this.crew.queues(1), "only");
    const wanted = this.#wanted();
    const hasToSettle = this.#settling.waiting > 0;
    const mayClaim = wanted.length > 0 && (this.#mayHaveMore || hasToSettle);
    if (mayClaim && this.crew.isEarly(wanted, this.#mayHaveMore) && this.#patience.isWaiting()) return false;
    if (mayClaim) await this.#claim(wanted, "no");
    else if (!hasToSettle || this.#isLingering()) return false;
    else await this.#settle();
    return this.#settling.waiting > 0 || (this.#mayHaveMore && this.#wanted().length > 0) || this.#mayClaimAlone();
  }

  #mayClaimAlone(): boolean {
    return this.#isOpen && this.#alone.isReady(this.crew.inFlight);
  }

  #wanted(): ClaimQueue[] {
    if (!this.#isOpen) return [];
    if (!this.#alone.needsWorker) return this.crew.wanted(this.#mayHaveMore);
    // This worker empties itself for a suspect: it takes nothing, but hears whether another has taken the suspect.
    this.crew.handBack(() => true);
    return this.#alone.isBusy ? [] : this.crew.queues(0);
  }

  async #claim(queues: readonly ClaimQueue[], alone: "no" | "only"): Promise<void> {
    const { engine, runtime, settings } = this.#parts;
    const process = this.#pulse.process;
    const claim = runtime.id();
    const settling = this.#settling.take();
    const { tasks, terms } = this.#keeper.asks();
    const inRow = alone === "only" ? 1 : this.crew.inRow(queues);
    this.#mayHaveMore = false;
    const startedAt = runtime.monotonic();
    let claimed: Claimed;
    try {
      const wanted = { process, leaseMs: settings.leaseMs, claim, lastFence: this.lastFence, queues, tasks, alone, settling };
      const answer = engine.claim({ ...wanted, ...(terms && { terms }), ...(inRow > 1 && { inRow }) }, at(runtime));
      this.#isStoreAsync = answer instanceof Promise;
      this.#patience.claimed(this.#isStoreAsync ? 0 : Math.min(lingerMaxMs, runtime.monotonic() - startedAt));
      claimed = this.#isStoreAsync ? await answer : (answer as Claimed);
    } catch (error) {
      if (!isDefinite(error)) this.#unanswered(claim, process);
      this.#settling.putBack(settling, isDefinite(error));
      throw error;
    }
    this.#contact.reached("claim");
    this.#parts.meter.claims++;
    this.#parts.meter.claimedJobs += claimed.jobs.length;
    this.#settling.answered(settling, claimed.settled);
    if (this.#keeper.took(claimed)) this.#mayHaveMore = true;
    if (claimed.isPartial === true) {
      this.#unanswered(claim, process);
      this.#againLater();
    }
    this.#take(claimed, { process, claim, queues, alone, inRow });
  }

  /** It may have leased jobs all the same. */
  #unanswered(claim: string, process: string): void {
    this.#stranded.add(claim);
    if (process === this.#pulse.process) this.#pulse.mayHold();
  }

  #take(
    claimed: Claimed,
    {
      process,
      claim,
      queues,
      alone,
      inRow,
    }: { readonly process: string; readonly claim: string; readonly queues: readonly ClaimQueue[]; readonly alone: "no" | "only"; readonly inRow: number },
  ): void {
    this.lastFence = Math.max(this.lastFence, claimed.fence);
    if (claimed.jobs.length > 0) this.#polling.came();
    if (claimed.jobs.length > 0 && process === this.#pulse.process) this.#pulse.holds(claimed.now);
    this.#alone.heard(claimed.hasSuspects);
    const by = { claim, fence: claimed.fence, now: claimed.now };
    if (alone === "only") {
      this.#takeAlone(claimed, by, process);
      return;
    }
    const isUnwanted = !this.#isOpen || process !== this.#pulse.process;
    const runs: Run[] = [];
    let laneBack: string | undefined; // a row comes together, and whoever is behind one that goes back must not overtake it
    for (const job of claimed.jobs) {
      const run = this.#runOf(job, by, isUnwanted || (laneBack !== undefined && job.lane === laneBack));
      if (run !== undefined) runs.push(run);
      else laneBack = job.lane;
    }
    if (this.crew.deliver(queues, runs, inRow)) this.#mayHaveMore = true;
    // A promotion may be due before the next poll; never trust a hint to come.
    this.#nextDueMs = claimed.nextDueMs ?? Number.POSITIVE_INFINITY;
    this.#wake.within(Math.min(this.#nextDueMs, this.#keeper.untilChangeMs(), this.#polling.nextMs()));
  }

  /** A run, unless the job goes straight back. */
  #runOf(job: ClaimedJob, by: ClaimedBy, isUnwanted: boolean): Run | undefined {
    const run = new Run(job, by, this.#parts.definitions.tasks.get(job.task), this.crew.handsOf(job.queue));
    if (isUnwanted || job.isCancelled === true || run.hands === undefined) {
      this.#settling.add(run, released, 0);
      return undefined;
    }
    this.#keeper.admits(run, by.now);
    return run;
  }

  #takeAlone(claimed: Claimed, by: ClaimedBy, process: string): void {
    this.#mayHaveMore = true;
    const [job] = claimed.jobs;
    if (job === undefined) {
      this.#alone.missed();
      return;
    }
    const run = new Run(job, by, this.#parts.definitions.tasks.get(job.task), undefined);
    if (!this.#isOpen || process !== this.#pulse.process || job.isCancelled === true) {
      this.#settling.add(run, released, 0);
      return;
    }
    this.#keeper.admits(run, by.now);
    this.#alone.began();
    this.#alone.prolong(run);
    this.crew.runner.start(run, this.#parts.runtime.monotonic(), this.#alone.isolated(run));
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
    if (!this.#isStoreAsync) this.#lingerUntil = endedAt + Math.min(lingerMaxMs, this.crew.hasRows ? lingerMaxMs : endedAt - startedAt);
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
    if (this.crew.held === 0) return;
    try {
      this.crew.handBack(await readPauses(this.#parts));
    } catch (error) {
      this.#arePausesStale = true;
      throw error;
    }
  }

  #failed(error: unknown): void {
    if (this.#isEnded) return;
    this.#contact.failed("claim", error);
    this.#againLater();
  }

  #againLater(): void {
    this.#mayHaveMore = true;
    this.#retry = this.#parts.runtime.after(this.#contact.nextTryMs(), () => {
      this.#retry = undefined;
      this.#poke();
    });
  }
}
