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
  /** "no": jobs fewer than two times suspect. "only": one job that is twice suspect or more, to be run alone. */
  readonly alone: "no" | "only";
  /** Outcomes to write first, in the same commit. */
  readonly settling: readonly Outcome[];
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
  /** max(the store's highest fence, now in µs, lastFence) grown by at least one. Stands on every job handed out; also answered when there are none. */
  readonly fence: number;
  readonly jobs: readonly ClaimedJob[];
  readonly settled: readonly Settled[];
  /** Until the next scheduled job of any queue is due; absent: none is scheduled. A hint for a timer. */
  readonly nextDueMs?: Ms;
  /** True: a twice suspect job of these queues and tasks waits to be run alone. */
  readonly hasSuspects: boolean;
}

export interface ClaimedJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly payload: string;
  /** 1 for the first: outcomes that count as attempts, plus one. A crash, a snooze and a release are not attempts. */
  readonly attempt: number;
  /** Claims so far, this one included. */
  readonly starts: number;
  readonly suspects: number;
  readonly enqueuedAt: Instant;
  readonly dueAt: Instant;
  readonly isOrdered: boolean;
  readonly checkpoint?: string;
  readonly expecting?: string;
  readonly version?: number;
  readonly from?: NonNullable<NewJob["from"]>;
  readonly slotAt?: Instant;
  /** Cancel was asked for before the claim reached its worker. */
  readonly isCancelled?: boolean;
}
