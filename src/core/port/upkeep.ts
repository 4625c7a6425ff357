/** What keeps leases alive, and one pass of housekeeping. Part of the Engine port. */
import type { Instant, Ms } from "../runtime.ts";

export interface Heard {
  readonly now: Instant;
  /** The store took this process's jobs back, or never knew it while it held any: everything it holds is void. It must go on under a new id. */
  readonly isLost: boolean;
  /** Jobs running here for which cancel was asked. Repeated until they settle; at most 1,000. */
  readonly cancelled: readonly string[];
  /** Grows with every note written. */
  readonly notesVersion: number;
  /** Random; another one means that the store was wiped, rolled back or promoted. */
  readonly era: string;
  /** Some parts of the store did not answer: what is held there may run out, who is to be cancelled there is not told, and `notesVersion` says nothing. */
  readonly isPartial?: true;
}

export interface Tidy {
  /** At most this many jobs are touched for each reason. An ended job goes when endedAt + keep <= now and enqueuedAt + rememberMs <= now. */
  readonly items: number;
  /** Whether expired processes' jobs may be taken back: the asker has reached the store for a whole lease term (G20). */
  readonly mayExpire: boolean;
  /**
   * Only of processes whose lease had ended by then. Default: now. The asker names the time at which it asks, less what the store was away for within that term: nobody
   * could renew a lease then, nor while this very call waited for the store, or its write lock.
   */
  readonly expireUntil?: Instant;
}

/** What one pass did, counted. */
export interface Tidied {
  readonly now: Instant;
  /** scheduled → ready. */
  readonly promoted: number;
  /** Jobs whose startBy passed: → skipped. */
  readonly skipped: number;
  /** Jobs taken back from expired processes (running → ready, one more suspicion; or cancelled; or dead, when alone too often). */
  readonly takenBack: number;
  readonly quarantined: number;
  readonly parked: number;
  /** By their lanes, and by limits that had room. */
  readonly admitted: number;
  /** Members of joins that opened: let go. */
  readonly released: number;
  /** Joins that closed; jobs that ended because of what they came after, or of a join that was cancelled. */
  readonly closed: number;
  readonly dropped: number;
  /** History replayed to new subscribers: jobs made. */
  readonly replayed: number;
  /** Ended jobs, old events and joins removed by retention; joins whose storing was given up, with their members. */
  readonly purged: number;
  /** Some reason reached `items`: call again soon. */
  readonly hasMore: boolean;
}

/** What keeps a store from taking away what is dead: an open snapshot, or what stands for one. Until it ends, the store grows and becomes slower. */
export interface Pin {
  /** The same for as long as the same holder holds the same. */
  readonly key: string;
  readonly by: PinKind;
  /** Undefined: the store does not tell since when. */
  readonly ageMs: Ms | undefined;
  /** Begun since then. */
  readonly transactions: number;
  /** Names the holder, and what it does; one sentence. */
  readonly what: string;
  /** What ends it. Absent: no statement here does. */
  readonly repair?: string;
  /** The same as facts, for logs. */
  readonly details: Readonly<Record<string, unknown>>;
}

export type PinKind = "session" | "prepared-transaction" | "replication-slot" | "standby";
