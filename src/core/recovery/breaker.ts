/** One breaker as a process sees it: the state it last read, and what its own runs have told since. */
import type { ClaimedJob } from "../engine.ts";
import type { Instant } from "../runtime.ts";
import { breakerGate } from "./breakerNotes.ts";
import type { BreakerPolicy } from "./breakerPolicy.ts";
import { isHealthy, unknownState, type BreakerState } from "./breakerState.ts";
import { decide, looksAt } from "./decide.ts";
import { Evidence, type EndedRun } from "./evidence.ts";
import { LearnedRate } from "./learnedRate.ts";
import { RetryBudget } from "./retryBudget.ts";

/** So many looks in a row at a rate that is not used up: nothing waits for it. */
const freeLooksEnough = 2;

export class Breaker {
  readonly name: string;
  readonly learned: LearnedRate = new LearnedRate();
  budget: RetryBudget = new RetryBudget();
  state: BreakerState = unknownState;
  version = 0;
  readonly #evidence: Evidence;
  #freeLooks = 0;
  #backlogAt: Instant = 0;

  constructor(policy: BreakerPolicy) {
    this.name = policy.name;
    this.#evidence = new Evidence(policy);
  }

  /** The name that claims ask for it by. */
  get gate(): string {
    return breakerGate(this.name);
  }

  get isHealthy(): boolean {
    return isHealthy(this.state);
  }

  /** Work that is due after it goes beside what has piled up. */
  get freshFrom(): Instant | undefined {
    const { is, recoveringAt } = this.state;
    return is === "ramping" || is === "draining" ? recoveringAt : undefined;
  }

  /** True: the state may change by this, so it is worth a look. */
  add(run: EndedRun, now: Instant): boolean {
    this.#evidence.add(run, now);
    if (this.isHealthy) return this.#evidence.isOutage(now);
    // The process may not have heard yet that its run was the probe.
    if (this.state.is !== "ramping") return true;
    return this.#evidence.verdict !== "fine";
  }

  handedOut(job: Pick<ClaimedJob, "attempt" | "dueAt">, now: Instant): void {
    if (job.attempt === 1 && job.dueAt < this.state.recoveringAt) this.#backlogAt = now;
  }

  /** `isFull`: its rate is used up, where that was looked at. */
  decide(
    now: Instant,
    { process, monotonic, isFull }: { readonly process: string; readonly monotonic: number; readonly isFull: boolean | undefined },
  ): BreakerState | undefined {
    if (isFull !== undefined) this.#freeLooks = isFull ? 0 : this.#freeLooks + 1;
    const told = { process, rate: this.learned.perSecond(monotonic) };
    return decide(this.state, now, { evidence: this.#evidence, told, isBinding: this.#freeLooks < freeLooksEnough, backlogAt: this.#backlogAt });
  }

  take(state: BreakerState, version: number): void {
    if (state.is === "ramping" && this.state.is !== "ramping") {
      this.budget = new RetryBudget();
      this.#freeLooks = 0;
    }
    this.state = state;
    this.version = version;
  }

  /** Undefined: there is nothing to wait for. */
  get looksAt(): Instant | undefined {
    return looksAt(this.state, { evidence: this.#evidence, backlogAt: this.#backlogAt });
  }
}
