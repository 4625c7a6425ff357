/**
 * Commands as data, so that they shrink and read well: small key spaces, so that they collide.
 * Whom a command concerns is a number, taken modulo what there is when it runs (world.ts).
 */
import type { Outcome } from "../../src/core/engine.ts";
import type { JobState } from "../../src/core/states.ts";

export interface AfterPlan {
  /** "previous": the job before it in its atom; the rest: among what has not ended, or among all there ever was. */
  readonly of: "previous" | "live" | "any" | "unknown";
  readonly pick?: number;
  /** well, badly, ended. */
  readonly when: number;
}

export interface JobPlan {
  /** Absent: an id of its own. */
  readonly id?: number;
  readonly content?: number;
  readonly task: number;
  readonly queue: number;
  readonly priority?: number;
  readonly delayMs?: number;
  readonly dueInMs?: number;
  readonly startWithinMs?: number;
  readonly startByInMs?: number;
  readonly lane?: number;
  readonly unique?: number;
  readonly keep?: number;
  readonly hasExtras?: boolean;
  /** Of the joins that take members; of an outcome's follow-up work: of those that its job is a member of. */
  readonly join?: number;
  readonly after?: readonly AfterPlan[];
  readonly keyLimits?: number;
  /** Born leased to this worker, under these terms. */
  readonly lease?: number;
  readonly terms?: number;
}
export interface JoinPlan {
  readonly isStaged?: boolean;
  readonly size?: "right" | "more";
  /** A join that takes members, as its parent. */
  readonly join?: number;
  readonly after?: readonly AfterPlan[];
  readonly members: readonly JobPlan[];
  readonly inner?: readonly InnerPlan[];
  /** What comes after it. */
  readonly callbacks?: readonly CallbackPlan[];
}
/** A join within a join. */
export interface InnerPlan {
  readonly isStaged?: boolean;
  readonly members: readonly JobPlan[];
}
export interface CallbackPlan {
  readonly when: number;
  readonly job: JobPlan;
}
export interface EventPlan {
  readonly event: number;
  readonly id?: number;
  readonly key: number;
  readonly isOrdered?: boolean;
}
export interface NotePlan {
  readonly note: number;
  readonly isDeleted?: boolean;
  /** "right": the version it has; a number: that version. */
  readonly ifVersion?: "right" | number;
}
export interface AtomPlan {
  readonly joins?: readonly JoinPlan[];
  readonly jobs: readonly JobPlan[];
  readonly events?: readonly EventPlan[];
  readonly notes?: readonly NotePlan[];
}
export interface OutcomePlan {
  /** "running": a job that runs; "former": any claim there ever was; the rest: a running job's, distorted. */
  readonly of: "running" | "former" | "wrong-fence" | "wrong-claim" | "unknown";
  readonly pick: number;
  readonly is: Outcome["is"];
  readonly delayMs?: number;
  readonly hasCheckpoint?: boolean;
  readonly isPoison?: boolean;
  readonly follow?: readonly JobPlan[];
}
export interface SelectionPlan {
  readonly ids?: readonly number[];
  readonly states?: readonly JobState[];
  readonly queue?: number;
  readonly task?: number;
  readonly lane?: number;
  readonly unique?: number;
  readonly join?: number;
  readonly after?: number;
  readonly before?: number;
}
export interface QueuePlan {
  readonly slots: number;
  readonly ahead: number;
}

export type Command =
  | { readonly do: "enqueue"; readonly atoms: readonly AtomPlan[] }
  /** More members for a staged join, or its sealing, or both. */
  | { readonly do: "stage"; readonly join: number; readonly members: readonly JobPlan[]; readonly isSealed?: boolean; readonly size?: "right" | "more" }
  /** The very same atom, once more. */
  | { readonly do: "again"; readonly pick: number }
  | {
      readonly do: "claim";
      readonly worker: number;
      readonly q1?: QueuePlan;
      readonly q2?: QueuePlan;
      readonly tasks?: readonly number[];
      readonly isAlone?: boolean;
      readonly settling?: readonly OutcomePlan[];
      readonly lastFenceAheadMs?: number;
      readonly terms?: number;
      readonly inRow?: number;
    }
  | { readonly do: "settle"; readonly outcomes: readonly OutcomePlan[] }
  | { readonly do: "beat"; readonly worker: number }
  /** The process stops beating; a new one takes its hands. `isTakenBack`: its lease ends and its jobs are taken back. */
  | { readonly do: "crash"; readonly worker: number; readonly isTakenBack?: boolean }
  /** So often in a row: all that is ready is claimed, a suspect alone, and the process is killed. */
  | { readonly do: "crashLoop"; readonly worker: number; readonly times: number }
  | { readonly do: "tidy"; readonly items: number; readonly mayExpire: boolean; readonly overdueMs?: number }
  /** `isHeard`: the processes that run here beat right after. */
  | { readonly do: "cancel" | "retry" | "delete"; readonly which: SelectionPlan; readonly limit?: number; readonly isHeard?: boolean }
  | { readonly do: "prioritise"; readonly which: SelectionPlan; readonly priority: number; readonly limit?: number }
  | { readonly do: "pause" | "resume"; readonly what: number }
  /** A limit or a resource: its number is written, or, where that may be, deleted. */
  | { readonly do: "limit"; readonly what: number; readonly number?: number }
  /** A schedule's next slots, and its cursor. `isLate`: as one who read the cursor before the last tick. */
  | { readonly do: "tick"; readonly schedule: number; readonly slots: number; readonly isLate?: boolean }
  | { readonly do: "subscribe"; readonly subscription: number; readonly variant: number }
  | { readonly do: "unsubscribe"; readonly subscription: number }
  | { readonly do: "lock"; readonly worker: number; readonly lock: number; readonly ticket: number; readonly isRead?: boolean; readonly permits?: number }
  | { readonly do: "unlock"; readonly lock: number; readonly ticket: number }
  | { readonly do: "find"; readonly which: SelectionPlan; readonly limit: number; readonly newestFirst?: boolean }
  /** Pages through what is not a job, and must see what one look at all of it sees. */
  | { readonly do: "page"; readonly of: number; readonly limit: number }
  | { readonly do: "readNote"; readonly note: number }
  /** What follows goes through another handle on the same store, as from another process; `isFresh`: one that is opened now, the one before it closed. */
  | { readonly do: "handle"; readonly handle: number; readonly isFresh?: boolean }
  | { readonly do: "pass"; readonly ms: number }
  /** Eight days, after which all that has ended and every event is forgotten. */
  | { readonly do: "passDays" };
