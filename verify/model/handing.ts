/** Whom a claim hands out: the most urgent of its open lines (G8), under its terms (G9), and in a row behind the head of a lane. */
import { suspectsBeforeAlone } from "../../src/core/defaults.ts";
import type { Claim, ClaimQueue } from "../../src/core/engine.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { claimable, start, suspectsOf } from "./claiming.ts";
import { letsThrough } from "./gates.ts";
import { isTooLate, membersOf } from "./lanes.ts";
import { byUrgency } from "./limits.ts";
import type { ModelJob, ModelState } from "./state.ts";

/** Which queue comes first is the engine's, and shows where two of them share a gate. */
export const handingOrders = ["in order", "in reverse", "by urgency"] as const;
export type HandingOrder = (typeof handingOrders)[number];

/** One queue of a claim, while it is filled. */
interface Line {
  readonly asked: ClaimQueue;
  slotsUsed: number;
  aheadUsed: number;
  isDone: boolean;
}

export class Handing {
  readonly handed: ModelJob[] = [];
  readonly #state: ModelState;
  readonly #wanted: Claim;
  readonly #now: Instant;
  readonly #fence: number;

  constructor(state: ModelState, wanted: Claim, now: Instant, fence: number) {
    this.#state = state;
    this.#wanted = wanted;
    this.#now = now;
    this.#fence = fence;
  }

  run(order: HandingOrder): void {
    if (this.#wanted.alone === "only") return this.#handSuspect();
    const lines: Line[] = this.#wanted.queues.map((asked) => ({ asked, slotsUsed: 0, aheadUsed: 0, isDone: false }));
    if (order === "in reverse") lines.reverse();
    for (;;) {
      const offers = lines.flatMap((line) => this.#offer(line) ?? []);
      const next = order === "by urgency" ? offers.toSorted((a, b) => byUrgency(a.job, b.job))[0] : offers[0];
      if (next === undefined) return;
      this.#take(next.line, next.job);
    }
  }

  #handSuspect(): void {
    const suspect = suspectsOf(this.#state, this.#wanted, this.#now).find((job) => this.#hasRoom(job.task));
    if (suspect) this.#hand(suspect);
  }

  /** What the line would hand out next. */
  #offer(line: Line): { readonly line: Line; readonly job: ModelJob } | undefined {
    const job = line.isDone ? undefined : this.#nextOf(line);
    if (job !== undefined && this.#fits(line, job)) return { line, job };
    // It stops before what does not fit, whatever room others leave later.
    line.isDone ||= job !== undefined;
    return undefined;
  }

  #fits({ asked, slotsUsed, aheadUsed }: Line, job: ModelJob): boolean {
    return slotsUsed < asked.slots || (aheadUsed < asked.ahead && job.lane === undefined && !this.#isGated(job.task));
  }

  #nextOf(line: Line): ModelJob | undefined {
    const ready = this.#readyOf(line);
    const tasks = this.#wanted.tasks.filter((task) => this.#hasRoom(task));
    return tasks.flatMap((task) => this.#turnOf(task, ready)).toSorted(byUrgency)[0];
  }

  #readyOf({ asked }: Line): ModelJob[] {
    return claimable(this.#state, this.#wanted, asked.queue, this.#now).filter((job) => job.suspects < suspectsBeforeAlone);
  }

  /** Every second one, beginning with the first, is a fresh one, while there are any of both. Claims ask one queue for such tasks. */
  #turnOf(task: string, ready: readonly ModelJob[]): ModelJob[] {
    const all = ready.filter((job) => job.task === task && (job.attempts === 0 || this.#hasRetriesLeft(task)));
    const freshFrom = this.#wanted.terms?.[task]?.freshFrom;
    if (freshFrom === undefined) return all.slice(0, 1);
    const isFreshTurn = this.#handedOf(task) % 2 === 0;
    return [all.find((job) => job.urgency >= freshFrom === isFreshTurn) ?? all].flat().slice(0, 1);
  }

  #isGated(task: string): boolean {
    const { gates = [], needs = {} } = this.#wanted.terms?.[task] ?? {};
    return gates.length > 0 || Object.keys(needs).length > 0;
  }

  #hasRoom(task: string): boolean {
    const terms = this.#wanted.terms?.[task] ?? {};
    return this.#handedOf(task) < (terms.most ?? Infinity) && letsThrough(this.#state, terms, this.#now);
  }

  #hasRetriesLeft(task: string): boolean {
    return this.handed.filter((job) => job.task === task && job.attempts > 0).length < (this.#wanted.terms?.[task]?.retriesMost ?? Infinity);
  }

  #handedOf(task: string): number {
    return this.handed.filter((job) => job.task === task).length;
  }

  #take(line: Line, job: ModelJob): void {
    if (line.slotsUsed < line.asked.slots) line.slotsUsed += 1;
    else line.aheadUsed += 1;
    const row = this.#rowBehind(job).slice(0, Math.max(line.asked.ahead - line.aheadUsed, 0));
    line.aheadUsed += row.length;
    for (const one of [job, ...row]) this.#hand(one, one !== job);
  }

  /** Those of its lane that may follow it, as many as the claim allows in a row. */
  #rowBehind(head: ModelJob): ModelJob[] {
    const { inRow = 1, terms } = this.#wanted;
    if (head.lane?.width !== 1 || this.#isGated(head.task) || terms?.[head.task]?.retriesMost !== undefined) return [];
    const behind = membersOf(this.#state, head.lane.key).filter((job) => job !== head);
    const end = behind.findIndex((job) => !this.#mayFollow(head, job));
    const left = (terms?.[head.task]?.most ?? Infinity) - this.#handedOf(head.task) - 1;
    return behind.slice(0, Math.min(end < 0 ? behind.length : end, Math.max(inRow, 1) - 1, left));
  }

  #mayFollow(head: ModelJob, job: ModelJob): boolean {
    const waitsForHeadOnly = job.state === "blocked" && job.dueAt <= this.#now && !isTooLate(job, this.#now);
    return waitsForHeadOnly && job.seq > head.seq && job.task === head.task && job.queue === head.queue && job.suspects === 0 && job.keyLimits.length === 0;
  }

  #hand(job: ModelJob, isFollower = false): void {
    const { process, claim } = this.#wanted;
    start(this.#state, job, { process, claim, fence: this.#fence, startedAt: this.#now }, this.#wanted.terms?.[job.task]);
    job.isFollower = isFollower;
    this.handed.push(job);
  }
}
