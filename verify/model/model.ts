/**
 * A second opinion: what the Engine port must answer, written from its doc comments in plain lists, without looking at any engine.
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
  JoinRow,
  LockRequest,
  Note,
  Outcome,
  Selection,
  Settled,
  Waiting,
} from "../../src/core/engine.ts";
import type { Instant, Ms } from "../../src/core/runtime.ts";
import { cancelJoins, changeOne, matching, selected } from "./changing.ts";
import type { Answered } from "./changing.ts";
import { cascade } from "./cascading.ts";
import type { Choices } from "./cascading.ts";
import { claimedJob, nextDue, promote, renew, skipTooLate, suspectsOf } from "./claiming.ts";
import type { NextDue } from "./claiming.ts";
import { storeAtom } from "./enqueueing.ts";
import type { Storing } from "./enqueueing.ts";
import { Handing, handingOrders } from "./handing.ts";
import type { HandingOrder } from "./handing.ts";
import { requestLock, returnLock } from "./locking.ts";
import { joinRowOf, rowOf } from "./rows.ts";
import { applyOutcome, heldJob } from "./settling.ts";
import type { Settling } from "./settling.ts";
import { copyOf, emptyState, jobWithId, processNamed } from "./state.ts";
import type { ModelJob, ModelState } from "./state.ts";
import { tidyAll } from "./tidying.ts";
import type { Tidying, TidyOrder } from "./tidying.ts";

/** What only the store can know. */
export interface Told extends Tidying {
  /** Of a claim or a grant: the fence it was given. */
  readonly fence: number;
  /** Of a claim: whether the store has come to this job, whose startBy passed; to this one, which is due. */
  readonly isSkipped: (job: ModelJob) => boolean;
  readonly isPromoted: (job: ModelJob) => boolean;
  /** Whom the claim handed out, where it is known. */
  readonly handed: readonly string[] | undefined;
}

export interface ModelClaimed {
  readonly jobs: ClaimedJob[];
  readonly settled: Settled[];
  readonly nextDue: NextDue;
  readonly hasSuspects: boolean;
}

/** Whether the jobs of a queue are those that were told, in their order. */
function isOrder(handed: readonly ModelJob[], queue: string, told: readonly string[] = []): boolean {
  const ids = handed.filter((job) => job.queue === queue).map((job) => job.id);
  return ids.join() === told.filter((id) => ids.includes(id)).join() && handed.length === told.length;
}

export class Model {
  state: ModelState = emptyState();

  /** `told`: what the engine let be known of each atom. */
  enqueue(atoms: readonly Atom[], now: Instant, told: (atom: number) => Storing): (Enqueued[] | ErrandError)[] {
    return atoms.map((atom, index) => this.#atomically(() => storeAtom(this.state, atom, now, told(index))));
  }

  claim(wanted: Claim, now: Instant, told: Told): ModelClaimed {
    const settled = this.#asBatch(now, told, () => {
      const answers = wanted.settling.map((outcome) => this.#settleOne(outcome, now, told));
      skipTooLate(this.state, now, told.isSkipped);
      promote(this.state, now, (job) => wanted.queues.some(({ queue }) => queue === job.queue) || told.isPromoted(job));
      return answers;
    }).map((answer) => ({ ...answer, ...this.#stateOf(answer.id) }));
    const jobs = this.#handOut(wanted, now, told);
    return { jobs, settled, nextDue: nextDue(this.state, wanted, now), hasSuspects: suspectsOf(this.state, wanted, now).length > 0 };
  }

  settle(outcomes: readonly Outcome[], now: Instant, told: Settling): Settled[] {
    const answers = this.#asBatch(now, told, () => outcomes.map((outcome) => this.#settleOne(outcome, now, told)));
    return answers.map((answer) => ({ ...answer, ...this.#stateOf(answer.id) }));
  }

  /** Answers the running jobs for which cancel was asked. */
  beat(process: string, leaseMs: Ms, now: Instant): { isLost: boolean; cancelled: string[] } {
    const isLost = processNamed(this.state, process)?.isLost ?? false;
    if (!isLost) renew(this.state, process, now + leaseMs);
    const cancelled = this.state.jobs.filter((job) => job.claim?.process === process && job.cancelReason !== undefined);
    return { isLost, cancelled: cancelled.map((job) => job.id) };
  }

  /** Passes of `tidy` until nothing is left to do. `expireUntil`: of processes whose lease ended by then; undefined: of nobody. */
  tidy(expireUntil: Instant | undefined, now: Instant, told: Tidying, order: TidyOrder): void {
    tidyAll(this.state, expireUntil, now, told, order);
  }

  /** `answered`: what the engine said. It is followed where a lane that this very call opened lets its members wait again now or later. */
  change(which: Selection, change: Change, limit: number, now: Instant, answered: Answered, told: Choices): { jobs: ChangedJob[]; hasMore: boolean } {
    const ids = selected(this.state, which, change, answered);
    cancelJoins(this.state, which, change, ids.length > limit);
    const changed = ids.slice(0, limit);
    const jobs = this.#asBatch(now, told, () => changed.map((id) => ({ id, is: changeOne(this.state, id, change, now, answered(id)) })));
    return { jobs, hasMore: ids.length > limit };
  }

  /** The jobs of a filter in the order of enqueue. */
  find(filter: JobFilter): JobRow[] {
    return matching(this.state, filter).map((job) => rowOf(job, this.state));
  }

  /** The joins within `parent`, or in none, by the order of storing. */
  findJoins(parent: string | undefined): JoinRow[] {
    return this.state.joins.filter((join) => join.join === parent).map((join) => joinRowOf(join, this.state));
  }

  count(): CountRow[] {
    const rows = new Map<string, CountRow>();
    for (const { queue, task, state } of this.state.jobs) {
      const key = JSON.stringify([queue, task, state]);
      rows.set(key, { queue, task, state, jobs: (rows.get(key)?.jobs ?? 0) + 1 });
    }
    return [...rows.values()];
  }

  lock(request: LockRequest, now: Instant, told: Pick<Told, "fence">): Grant | Waiting | ErrandError {
    return this.#atomically(() => requestLock(this.state, request, now, told.fence));
  }

  unlock(name: string, ticket: string): boolean {
    return returnLock(this.state, name, ticket);
  }

  readNote(key: string): Note | undefined {
    return this.state.notes.find((note) => note.key === key);
  }

  /** The order of queues that hands out what the engine did; the first where none does. */
  #handOut(wanted: Claim, now: Instant, told: Told): ClaimedJob[] {
    const before = this.state;
    const attempt = (order: HandingOrder): readonly ModelJob[] => {
      this.state = copyOf(before);
      const handing = new Handing(this.state, wanted, now, told.fence);
      handing.run(order);
      return handing.handed;
    };
    const fits = (order: HandingOrder): boolean => wanted.queues.every(({ queue }) => isOrder(attempt(order), queue, told.handed));
    const [first] = handingOrders;
    const handed = attempt(wanted.terms === undefined || told.handed === undefined ? first : (handingOrders.find(fits) ?? first));
    if (handed.length > 0) renew(this.state, wanted.process, now + wanted.leaseMs);
    return handed.map(claimedJob);
  }

  #settleOne(outcome: Outcome, now: Instant, told: Settling): Settled {
    const held = heldJob(this.state, outcome);
    const { id } = outcome;
    if (held === undefined) return { id, is: "lease-lost" };
    const applied = this.#atomically(() => applyOutcome(this.state, held, outcome, now, told));
    return applied instanceof ErrandError ? { id, is: "refused", error: applied } : { id, is: applied };
  }

  /** After all that followed from the batch. */
  #stateOf(id: string): Pick<Settled, "state"> {
    const job = jobWithId(this.state, id);
    return job ? { state: job.state } : {};
  }

  /** The places of lanes that a batch sets free are handed out at its end: as if those that died had died first, and all were cancelled at once. */
  #asBatch<T>(now: Instant, told: Choices, write: () => T): T {
    this.state.lanesDue = [];
    const answers = write();
    cascade(this.state, now, told);
    return answers;
  }

  /** All or nothing: the old state comes back when `change` is refused. */
  #atomically<T>(change: () => T): T | ErrandError {
    const before = copyOf(this.state);
    try {
      return change();
    } catch (error) {
      this.state = before;
      if (error instanceof ErrandError) return error;
      throw error;
    }
  }
}
