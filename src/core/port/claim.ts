/** What a worker asks for and is handed. Part of the Engine port. */
import type { Instant, Ms } from "../runtime.ts";
import type { Outcome, Settled } from "./outcome.ts";
import type { NewJob } from "./work.ts";

export interface Claim {
  /** The claiming process: its lease covers all it claims. A new process id for each start of a worker, and after `isLost`. */
  readonly process: string;
  readonly leaseMs: Ms;
  /** Random, fresh for each call. Stands on every job it hands out. */
  readonly claim: string;
  /** The largest fence this process was ever given. */
  readonly lastFence: number;
  readonly queues: readonly ClaimQueue[];
  /** Names of the tasks this worker can run. Ready jobs of other tasks are left alone (G22) and cost nothing. */
  readonly tasks: readonly string[];
  /** What must hold for jobs of these tasks to be handed out. */
  readonly terms?: Readonly<Record<string, TaskTerms>>;
  /**
   * How many jobs of one lane may be handed out in a row, the first included; default 1, and less is 1. Where a lane is of width 1, the members behind one that
   * is handed out follow it, in order, while they wait for nothing but it, are of its task and queue, were never suspect and have no key limits. None does while
   * one that ran behind it before runs still. They are running then, and counted in `ahead`, though the worker starts each when the one before has ended, and
   * hands back the rest where one did not end. One that comes back (retry, snooze, release, crash, redrive) while an earlier member lives goes back behind it,
   * `blocked`. Never where the terms name a gate, a need or `retriesMost`.
   * They come right behind the first in the answer, and only members that were enqueued after it follow.
   */
  readonly inRow?: number;
  /** "no": jobs fewer than two times suspect. "only": one job that is twice suspect or more, to be run alone. */
  readonly alone: "no" | "only";
  /** Outcomes to write first, in the same commit. */
  readonly settling: readonly Outcome[];
}

/**
 * Gates of a task (G9): named by the worker that has its definition, while the numbers stand in notes (notes.ts), where people change them at once for
 * all. A task whose terms leave no room is passed over, one entry for all its jobs. Jobs of a task with a gate or a need are never held ahead: they count for
 * `slots` only, and handing out of a queue stops before them once its slots are filled, as before one with a lane.
 */
export interface TaskTerms {
  /**
   * Names of limits (limitKey); one without a note does not limit. `running`: each running job that was handed out under that name holds one, from
   * its claim until it leaves `running`, crashes included. `starts`: never more of them within any everyMs; an entry's time is rounded up to a multiple of
   * max(1, floor(everyMs / 1000)) ms, and it counts while rounded time + everyMs > now. Releasing a job does not give its start back. Starts are recorded only
   * while there is a note of that kind; what runs counts also under a name that gets its note later.
   */
  readonly gates?: readonly string[];
  /** Amounts of named resources (resourceKey) held by each running job; a resource without a note has none to give. */
  readonly needs?: Readonly<Record<string, number>>;
  /** At most so many jobs of the task in this call, over all queues. */
  readonly most?: number;
  /**
   * At most so many jobs of the task in this call, over all queues, that were tried before: those of which an outcome has counted as an attempt
   * ({@link ClaimedJob.attempt} above 1). Once so many are handed out, those that are left are passed over, however urgent, and those
   * that were not tried go on, by urgency, also as to {@link freshFrom}. No gate: jobs are held ahead as without it. For what is run alone it does not
   * matter; `nextDueMs` counts those that were passed over as ready.
   */
  readonly retriesMost?: number;
  /**
   * Fresh work beside a backlog: every second job handed out of the task in this call, beginning with the first, is the most urgent of those whose
   * urgency is at or after this instant, while there are any; the others are the most urgent of the rest, while there are any. Among tasks, the urgency of the
   * one that would be next counts. Over several queues, of which one has no place left, whether its jobs have a turn still is the engine's.
   */
  readonly freshFrom?: Instant;
}

export interface ClaimQueue {
  readonly queue: string;
  /** How many jobs can start at once. */
  readonly slots: number;
  /** How many more to hold ready. Handing out stops before the first job with a lane once `slots` are filled. */
  readonly ahead: number;
}

export interface Claimed {
  readonly now: Instant;
  /** max(the store's highest fence, now in µs, lastFence) grown by at least one. Stands on every job handed out that names no other; also answered when there are none. */
  readonly fence: number;
  readonly jobs: readonly ClaimedJob[];
  readonly settled: readonly Settled[];
  /**
   * Until the next scheduled job of any queue is due, or room comes back to a limit of starts that keeps ready jobs of these tasks or blocked ones waiting;
   * absent: neither. A hint for a timer.
   */
  readonly nextDueMs?: Ms;
  /**
   * Some parts of the store did not answer. What they were told has no answer in `settled`: it may be written or not, and is to be handed in again; and they may have handed
   * out jobs under this claim as well.
   */
  readonly isPartial?: true;
  /** True: a twice suspect job of these queues and tasks waits to be run alone. */
  readonly hasSuspects: boolean;
}

export interface ClaimedJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly payload: string;
  /** The fence it was handed out under. Absent: the answer's. A store of several parts may give another one in each, none above the answer's. */
  readonly fence?: number;
  /** 1 for the first: outcomes that count as attempts, plus one. A crash, a snooze and a release are not attempts. */
  readonly attempt: number;
  /** Claims so far, this one included. */
  readonly starts: number;
  readonly suspects: number;
  readonly enqueuedAt: Instant;
  readonly dueAt: Instant;
  /** Its lane, where it has one of width 1. */
  readonly lane?: string;
  readonly isOrdered: boolean;
  /** The join it was stored into, and whether something had to end before it: then there are results to read. */
  readonly join?: string;
  readonly isAfter?: boolean;
  readonly checkpoint?: string;
  readonly expecting?: string;
  readonly version?: number;
  readonly from?: NonNullable<NewJob["from"]>;
  readonly slotAt?: Instant;
  /** Cancel was asked for before the claim reached its worker. */
  readonly isCancelled?: boolean;
}
