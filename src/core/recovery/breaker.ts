/** One breaker as a process sees it: the state it last read, and what its own runs have told since. */
import type { ClaimedJob } from "../engine.ts";
import type { Instant, Ms } from "../runtime.ts";
import { breakerGate, breakerGates } from "./breakerNotes.ts";
import type { BreakerPolicy } from "./breakerPolicy.ts";
import { isHealthy, unknownState, type BreakerState } from "./breakerState.ts";
import { decide, looksAt } from "./decide.ts";
import type { Evidence, EndedRun } from "./evidence.ts";
import type { Experienced } from "./experience.ts";
import type { LearnedRate } from "./learnedRate.ts";
import { hasComeBack } from "./rampRate.ts";
import { RetryBudget } from "./retryBudget.ts";

/** So many looks in a row at a rate of which less than that part is used: nothing waits for more. */
const freeLooksEnough = 4;
const fullPart = 0.7;
const aheadMax = 10;
/** Where nothing came up for so long that was not tried before, there is none. */
const untriedMs: Ms = 2_000;

export class Breaker {
  readonly name: string;
  readonly learned: LearnedRate;
  state: BreakerState = unknownState;
  version = 0;
  readonly #evidence: Evidence;
  readonly #isRated: boolean;
  #budget: RetryBudget = new RetryBudget();
  #untriedAt: Instant = 0;
  #freeLooks = 0;
  #backlogAt: Instant = 0;
  /** How many more fresh jobs than others were handed out. */
  #freshAhead = 0;

  constructor(policy: BreakerPolicy, { evidence, learned }: Experienced) {
    this.name = policy.name;
    this.#evidence = evidence;
    this.learned = learned;
    this.#isRated = policy.isRated;
  }

  /** The name of the limit that its starts are held to. */
  get gate(): string {
    return breakerGate(this.name);
  }

  /** What claims ask for it by. */
  get gates(): readonly string[] {
    return breakerGates(this.name);
  }

  get isHealthy(): boolean {
    return isHealthy(this.state);
  }

  /**
   * Work that is due after it goes beside what has piled up. A claim that gets one job gets a fresh one, and a ramp lets out few at a time: so it is named
   * only while no more of them were handed out than of the others.
   */
  get freshFrom(): Instant | undefined {
    return this.#isRecovering && this.#freshAhead <= 0 ? this.state.recoveringAt : undefined;
  }

  /** How many that were tried before may start; undefined: all. It is healthy enough for all of them when it has come back to what was done before. */
  retriesMost(now: Instant): number | undefined {
    if (this.state.is !== "ramping" || hasComeBack(this.state)) return undefined;
    return now - Math.max(this.#untriedAt, this.state.untriedAt) < untriedMs ? this.#budget.most : undefined;
  }

  get #isRecovering(): boolean {
    return this.state.is === "ramping" || this.state.is === "draining";
  }

  /** True: the state may change by this, so it is worth a look. */
  add(run: EndedRun, now: Instant): boolean {
    this.#evidence.add(run, now);
    if (this.isHealthy) return !run.isGood && this.#evidence.isOutage(now);
    // The process may not have heard yet that its run was the probe.
    if (this.state.is !== "ramping") return true;
    return this.#evidence.verdict !== "fine";
  }

  handedOut(job: Pick<ClaimedJob, "attempt" | "dueAt">, now: Instant): void {
    if (!this.#isRecovering) return;
    this.#budget.started(job.attempt > 1);
    if (job.attempt === 1) this.#untriedAt = now;
    const isFresh = job.attempt === 1 && job.dueAt >= this.state.recoveringAt;
    this.#freshAhead = Math.max(-aheadMax, Math.min(aheadMax, this.#freshAhead + (isFresh ? 1 : -1)));
    if (job.attempt === 1 && !isFresh) this.#backlogAt = now;
  }

  /** `used`: how much of its rate is used now, where that was looked at. */
  decide(
    now: Instant,
    { process, monotonic, used }: { readonly process: string; readonly monotonic: number; readonly used: number | undefined },
  ): BreakerState | undefined {
    if (used !== undefined) this.#freeLooks = used >= fullPart ? 0 : this.#freeLooks + 1;
    const told = { process, rate: this.learned.perSecond(monotonic) };
    const isBinding = !this.#isRated && this.#freeLooks < freeLooksEnough;
    return decide(this.state, now, { evidence: this.#evidence, told, isBinding, untriedAt: this.#untriedAt, backlogAt: this.#backlogAt });
  }

  take(state: BreakerState, version: number): void {
    if (state.is === "ramping" && this.state.is !== "ramping") {
      this.#budget = new RetryBudget();
      this.#freeLooks = 0;
      this.#freshAhead = 0;
    }
    this.state = state;
    this.version = version;
  }

  /** Undefined: there is nothing to wait for. */
  get looksAt(): Instant | undefined {
    return looksAt(this.state, { evidence: this.#evidence, backlogAt: this.#backlogAt });
  }
}
