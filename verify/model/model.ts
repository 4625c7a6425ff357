/**
 * A second opinion: what the Engine port must answer, written from its doc comments in plain lists, without looking at any engine.
 * Joins (`join`, `after`), gates, needs and jobs born leased are left out.
 *
 * Where the port leaves an engine free, the model is told by {@link Told} what the engine chose, and the comparison checks that it was allowed to.
 */
import { ErrandError } from "../../src/core/errors.ts";
import type {
  Atom,
  Change,
  ChangedJob,
  Claim,
  ClaimedJob,
  CountRow,
  Enqueued,
  Grant,
  JobFilter,
  JobRow,
  LockRequest,
  Note,
  Outcome,
  Selection,
  Settled,
  Waiting,
} from "../../src/core/engine.ts";
import type { Instant, Ms } from "../../src/core/runtime.ts";
import { handOut, hasSuspects, nextDues, promote, renew, skipTooLate } from "./claiming.ts";
import { changeOne, matching, selected } from "./changing.ts";
import type { Answered } from "./changing.ts";
import { storeAtom } from "./enqueueing.ts";
import { admit } from "./lanes.ts";
import { requestLock, returnLock } from "./locking.ts";
import { applyOutcome, heldJob } from "./settling.ts";
import type { DiedEvent } from "./settling.ts";
import { emptyState, jobWithId, processNamed, rowOf } from "./state.ts";
import type { ModelJob, ModelState } from "./state.ts";
import { tidyAll } from "./tidying.ts";
import type { Rank, TidyOrder } from "./tidying.ts";

/** What only the store can know. */
export interface Told {
  /** Of a claim or a grant: the fence it was given. */
  readonly fence: number;
  readonly died: DiedEvent;
  /** Of new jobs: their order. */
  readonly rank: Rank;
  /** Of a claim: whether the store has come to this job, whose startBy passed. */
  readonly isSkipped: (job: ModelJob) => boolean;
}

export interface ModelClaimed {
  readonly jobs: ClaimedJob[];
  readonly settled: Settled[];
  readonly nextDueMs: Ms | undefined;
  /** The same, were jobs that wait in closed lanes and are not yet parked counted as well. */
  readonly nextDueHeldMs: Ms | undefined;
  readonly hasSuspects: boolean;
}

export class Model {
  state: ModelState = emptyState();

  enqueue(atoms: readonly Atom[], now: Instant): (Enqueued[] | ErrandError)[] {
    return atoms.map((atom) => this.#atomically(() => storeAtom(this.state, atom, now)));
  }

  claim(wanted: Claim, now: Instant, told: Told): ModelClaimed {
    const settled = this.settle(wanted.settling, now, told);
    skipTooLate(this.state, now, told.isSkipped);
    promote(this.state, now);
    const jobs = handOut(this.state, wanted, now, told.fence);
    const { open, all } = nextDues(this.state, now);
    return { jobs, settled, nextDueMs: open, nextDueHeldMs: all, hasSuspects: hasSuspects(this.state, wanted, now) };
  }

  settle(outcomes: readonly Outcome[], now: Instant, told: Pick<Told, "died">): Settled[] {
    return this.#asBatch(now, () => outcomes.map((outcome) => this.#settleOne(outcome, now, told.died)));
  }

  /** Answers the running jobs for which cancel was asked. */
  beat(process: string, leaseMs: Ms, now: Instant): { isLost: boolean; cancelled: string[] } {
    const isLost = processNamed(this.state, process)?.isLost ?? false;
    if (!isLost) renew(this.state, process, now + leaseMs);
    const cancelled = this.state.jobs.filter((job) => job.claim?.process === process && job.cancelReason !== undefined);
    return { isLost, cancelled: cancelled.map((job) => job.id) };
  }

  /** Passes of `tidy` until nothing is left to do. */
  tidy(mayExpire: boolean, now: Instant, told: Pick<Told, "died" | "rank">, order: TidyOrder): void {
    tidyAll(this.state, mayExpire, now, told, order);
  }

  /** `answered`: what the engine said. It is followed where a lane that this very call opened lets its members wait again now or later. */
  change(which: Selection, change: Change, limit: number, now: Instant, answered: Answered): { jobs: ChangedJob[]; hasMore: boolean } {
    const ids = selected(this.state, which, change, answered);
    const changed = ids.slice(0, limit);
    const jobs = this.#asBatch(now, () => changed.map((id) => ({ id, is: changeOne(this.state, id, change, now, answered(id)) })));
    return { jobs, hasMore: ids.length > limit };
  }

  /** The jobs of a filter in the order of enqueue. */
  find(filter: JobFilter): JobRow[] {
    return matching(this.state, filter).map((job) => rowOf(job, this.state));
  }

  count(): CountRow[] {
    const rows = new Map<string, CountRow>();
    for (const { queue, task, state } of this.state.jobs) {
      const key = JSON.stringify([queue, task, state]);
      rows.set(key, { queue, task, state, jobs: (rows.get(key)?.jobs ?? 0) + 1 });
    }
    return [...rows.values()];
  }

  lock(request: LockRequest, now: Instant, told: Pick<Told, "fence">): Grant | Waiting {
    return requestLock(this.state, request, now, told.fence);
  }

  unlock(name: string, ticket: string): boolean {
    return returnLock(this.state, name, ticket);
  }

  readNote(key: string): Note | undefined {
    return this.state.notes.find((note) => note.key === key);
  }

  #settleOne(outcome: Outcome, now: Instant, died: DiedEvent): Settled {
    const held = heldJob(this.state, outcome);
    if (held === undefined) return this.#answer(outcome, "lease-lost");
    const applied = this.#atomically(() => applyOutcome(this.state, held, outcome, now, died));
    return applied instanceof ErrandError ? { ...this.#answer(outcome, "refused"), error: applied } : this.#answer(outcome, applied);
  }

  #answer(outcome: Outcome, is: Settled["is"]): Settled {
    const job = jobWithId(this.state, outcome.id);
    return { id: outcome.id, is, ...(job && { state: job.state }) };
  }

  /** The places of lanes that a batch sets free are handed out at its end: as if those that died had died first, and all were cancelled at once. */
  #asBatch<T>(now: Instant, write: () => T): T {
    this.state.lanesDue = [];
    const answers = write();
    const lanes = this.state.lanesDue;
    this.state.lanesDue = undefined;
    for (const lane of lanes) admit(this.state, lane, now);
    return answers;
  }

  /** All or nothing: the old state comes back when `change` is refused. */
  #atomically<T>(change: () => T): T | ErrandError {
    const before = structuredClone(this.state);
    try {
      return change();
    } catch (error) {
      this.state = before;
      if (error instanceof ErrandError) return error;
      throw error;
    }
  }
}
