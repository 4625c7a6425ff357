/** What can be read, page by page. Part of the Engine port. */
import type { Instant, Ms } from "../runtime.ts";
import type { JobState } from "../states.ts";
import type { StoredError } from "./outcome.ts";
import type { After, KeyLimit, LaneMembership, NewJob, Note } from "./work.ts";

export interface JobFilter {
  readonly states?: readonly JobState[];
  readonly queue?: string;
  readonly task?: string;
  /** Exact full name of a lane, or of a unique key. */
  readonly lane?: string;
  readonly unique?: string;
  /** Members of this join; jobs that came after this job or join (the one that has the id now). */
  readonly join?: string;
  readonly after?: string;
  /** What the job or join of this id came after: its predecessors that are jobs, and the members of those that are joins. */
  readonly before?: string;
}

/** Pages go by enqueue order, newest last; `after` is a page's `next`. At most 1,000 rows a page. */
export type Query =
  | { readonly of: "jobs"; readonly ids: readonly string[] }
  | { readonly of: "jobs"; readonly where: JobFilter; readonly limit: number; readonly after?: string; readonly newestFirst?: boolean }
  | { readonly of: "events"; readonly name?: string; readonly limit: number; readonly after?: string }
  | { readonly of: "notes"; readonly prefix: string; readonly limit: number; readonly after?: string }
  | { readonly of: "processes"; readonly limit: number; readonly after?: string }
  /** Closed lanes: one row each. */
  | { readonly of: "lanes"; readonly limit: number; readonly after?: string }
  | { readonly of: "locks"; readonly limit: number; readonly after?: string }
  /** By order of storing. Unknown ids are left out. */
  | { readonly of: "joins"; readonly ids: readonly string[] }
  /** The joins within `parent`; without it those that are in none. */
  | { readonly of: "joins"; readonly parent?: string; readonly limit: number; readonly after?: string; readonly newestFirst?: boolean }
  /** Who uses these limits and resources now, by name, a limit before a resource; names without a note and without use are left out. */
  | { readonly of: "gates"; readonly names: readonly string[] };

export interface Page<Q extends Query = Query> {
  readonly rows: readonly Row<Q["of"]>[];
  readonly now: Instant;
  readonly next?: string;
}

export type Row<Of extends Query["of"]> = Of extends "jobs"
  ? JobRow
  : Of extends "events"
    ? EventRow
    : Of extends "notes"
      ? Note
      : Of extends "processes"
        ? ProcessRow
        : Of extends "lanes"
          ? LaneRow
          : Of extends "joins"
            ? JoinRow
            : Of extends "gates"
              ? GateRow
              : LockRow;

export interface JobRow {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly state: JobState;
  readonly payload: string;
  readonly headStartMs: Ms;
  readonly urgency: number;
  readonly enqueuedAt: Instant;
  readonly dueAt: Instant;
  readonly startBy?: Instant;
  /** Attempts spent, claims made, crashes it was in flight of since its last outcome. */
  readonly attempts: number;
  readonly starts: number;
  readonly suspects: number;
  readonly lane?: string;
  readonly ifDead?: LaneMembership["ifDead"];
  readonly unique?: string;
  readonly keyLimits?: readonly KeyLimit[];
  /** The joins it is a member of; its own first. */
  readonly joins?: readonly string[];
  readonly after?: readonly After[];
  /** Of a live job that is not running. */
  readonly waits?: Waits;
  /** Of a running job. */
  readonly claim?: {
    readonly process: string;
    readonly claim: string;
    readonly fence: number;
    readonly startedAt: Instant;
    readonly leaseUntil: Instant;
    readonly isCancelling: boolean;
  };
  /** Why it ended; of a parked job only where its own death parked it. */
  readonly reason?: string;
  readonly endedAt?: Instant;
  readonly isPoison?: boolean;
  /** The last 10 attempts that did not end it cleanly, oldest first; and its ending if it was not clean. */
  readonly history: readonly AttemptRow[];
  readonly checkpoint?: string;
  readonly expecting?: string;
  readonly result?: string;
  readonly version?: number;
  readonly from?: NonNullable<NewJob["from"]>;
  readonly slotAt?: Instant;
}

/**
 * Why a job waits. `on`: time, retry, snooze: the due instant as text; key, parked: the lane's name; worker, alone: the queue; limit: the key limit's name;
 * join: its own join, which is not open or has not let it go yet; after: the first predecessor that is open.
 * `since`: when its state began; while it is blocked, when it was let go into its lane, or came to wait for a limit.
 */
export interface Waits {
  readonly reason: "time" | "retry" | "snooze" | "key" | "parked" | "worker" | "alone" | "limit" | "join" | "after";
  readonly on: string;
  readonly since: Instant;
}

export interface AttemptRow {
  /** The number of the claim it tells of. */
  readonly start: number;
  readonly is: "retry" | "snoozed" | "dead" | "skipped" | "cancelled" | "crashed";
  readonly at: Instant;
  readonly ranMs?: Ms;
  readonly reason?: string;
  readonly error?: StoredError;
}

export interface EventRow {
  readonly id: string;
  readonly name: string;
  readonly payload: string;
  readonly publishedAt: Instant;
  readonly orderedBy?: readonly string[];
}

export interface ProcessRow {
  readonly process: string;
  readonly leaseUntil: Instant;
  readonly since: Instant;
  readonly running: number;
}

export interface LaneRow {
  readonly lane: string;
  /** The job whose death closed it. */
  readonly closedBy: string;
  readonly closedAt: Instant;
}

export interface JoinRow {
  readonly id: string;
  readonly name: string;
  readonly state: "staged" | "waiting" | "open" | "closed";
  readonly isCancelled: boolean;
  /** Members: jobs and joins. `live` have not ended. */
  readonly members: number;
  readonly live: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly storedAt: Instant;
  readonly closedAt?: Instant;
  readonly join?: string;
  readonly after?: readonly After[];
}

export interface GateRow {
  readonly name: string;
  readonly kind: "limit" | "resource";
  /** running jobs, starts that count now, or the amount in use. */
  readonly used: number;
  /** running, starts or capacity of its note; absent: it has none. */
  readonly most?: number;
  /** Of starts that are used up: when the next has room. */
  readonly freeAt?: Instant;
}

export interface LockRow {
  readonly name: string;
  readonly mode: "read" | "write";
  readonly ticket: string;
  readonly process: string;
  readonly fence: number;
  readonly isGranted: boolean;
}

export interface CountRow {
  readonly queue: string;
  readonly task: string;
  readonly state: JobState;
  readonly jobs: number;
}
