/** What is stored: jobs, events, notes, and the keys that order them or make them unique. Part of the Engine port. */
import type { Instant, Ms } from "../runtime.ts";
import type { EndedState, JobState } from "../states.ts";

/** At most 500 works and 100 notes. */
export interface Atom {
  readonly works: readonly NewWork[];
  readonly notes?: readonly NoteWrite[];
}

export type NewWork = NewJob | NewEvent | NewJoin;

export interface NewJob {
  readonly kind: "job";
  /**
   * Made by the client, so that the same call again is safe. A stored job with the same id and the same `content` is the same job
   * (answered `isDuplicate`, nothing changes); with other content it is `id-conflict`.
   */
  readonly id: string;
  /** Hash of task and payload, compared when the id is met again. */
  readonly content: string;
  /** How long the id is remembered, counted from enqueue; retention never removes the job sooner. 0 for ids that errand made. */
  readonly rememberMs: Ms;
  readonly task: string;
  readonly queue: string;
  /** JSON text, opaque, stored as it is. */
  readonly payload: string;
  /**
   * urgency = due - headStartMs, fixed at enqueue; the smallest goes first, then the first enqueued (G8). Retries, snoozes and redrives move the due
   * time and leave the urgency; only replace, debounce and `prioritise` change it.
   */
  readonly headStartMs: Ms;
  /** Due this long after the store's now; or at this stated instant. Absent: now. An instant in the past counts as now. */
  readonly delayMs?: Ms;
  readonly dueAt?: Instant;
  /**
   * Never started (`starts` is 0) when that is past: it ends skipped, reason "too late: not started by …". A blocked or parked one is skipped
   * when it would be admitted.
   */
  readonly startWithinMs?: Ms;
  readonly startBy?: Instant;
  readonly lane?: LaneMembership;
  readonly unique?: Uniqueness;
  /** Names of limit notes whose permits a claim must get first (G9). */
  readonly gates?: readonly string[];
  /** Amounts of named resources held while it runs. */
  readonly needs?: Readonly<Record<string, number>>;
  /** The caller's premise, JSON, opaque (G15). */
  readonly expecting?: string;
  readonly keep: Keep;
  /** The payload's version, for `upgrade`. */
  readonly version?: number;
  /** The subscription that made it. `isHop`: run the subscription's mapping and enqueue what it answers. */
  readonly from?: { readonly event: string; readonly eventId: string; readonly subscription: string; readonly isHop: boolean };
  /** The instant of a schedule it stands for. */
  readonly slot?: { readonly schedule: string; readonly at: Instant };
  /** A join it is a member of ({@link NewJoin}); and jobs that must end before it may start. */
  readonly join?: string;
  readonly after?: readonly string[];
  /** Born leased: running from the start, for the process that enqueues it. */
  readonly lease?: { readonly process: string; readonly leaseMs: Ms; readonly claim: string; readonly lastFence: number };
}

export type Keep = Readonly<Record<EndedState, Ms>>;

/**
 * Order by key (G7). A lane is admitted `width` at a time, in the order of enqueue. A member that is not admitted is `blocked`.
 * An admitted member stays admitted through delays, retries and snoozes, until it ends or is parked.
 */
export interface LaneMembership {
  /** Full name: scope and key. The same name is the same lane. */
  readonly key: string;
  readonly width: number;
  /**
   * What the death of a member does. "continue": it is `dead`, the next is admitted. "block": it is `parked`, those behind stay `blocked`;
   * when it is redriven it runs first, when it is cancelled the next is admitted. "park": it is `parked`, the lane is closed, all behind it and all
   * that arrive are `parked` too (at once for new ones; in bounded passes of `tidy` for those that wait, none of which starts meanwhile),
   * until a member is redriven (`change` retry): that opens the lane, and its members run in their order. Cancelling the one that died does not open
   * a closed lane; a closed lane without live members is forgotten at once. In a lane wider than 1, running members go on; one that is retried,
   * released or taken back then waits in the closed lane, and is parked. With "block", nobody behind the parked one is admitted; who was, goes on.
   */
  readonly ifDead: "park" | "block" | "continue";
}

/** At most one live job per `key` (G6). The answer to a loser carries the winner's id and `isDuplicate`. */
export interface Uniqueness {
  /** Full name: scope and key. */
  readonly key: string;
  readonly mode:
    /** The live job stays as it is. */
    | { readonly is: "keep" }
    /** A waiting (not running, not parked) live job takes the new payload, due time, urgency, startBy, expecting and content, keeping id and place; otherwise as keep. */
    | { readonly is: "replace" }
    /** As replace, with due = min(now + quietMs, its first enqueue + atMostMs), also where that is past. The first one is due at now + quietMs. */
    | { readonly is: "debounce"; readonly quietMs: Ms; readonly atMostMs: Ms }
    /** As keep; and the key outlives its job, also a deleted one, until windowMs after that job's enqueue: any newcomer loses, whatever its own mode. */
    | { readonly is: "throttle"; readonly windowMs: Ms }
    /** A live job that is not running wins; if the only live one is running, the new one is accepted (the core puts both in one lane of width 1). */
    | { readonly is: "one-more" };
}

export interface NewEvent {
  readonly kind: "event";
  readonly id: string;
  readonly content: string;
  readonly rememberMs: Ms;
  readonly name: string;
  readonly payload: string;
  /** Fields of the payload that order its hops. */
  readonly orderedBy?: readonly string[];
}

export interface Enqueued {
  /** The job's or event's id; of a duplicate, the id of the one that stands. */
  readonly id: string;
  readonly isDuplicate: boolean;
  /** Of a job: its state after the call. */
  readonly state?: JobState;
}

/**
 * Jobs that belong together (G11). Members name it in `join`. Until it is sealed they are stored and invisible: a large batch is staged in
 * idempotent atoms, the last of which seals it. When it is sealed and its last member has ended, the fitting follow-ups are enqueued, each once:
 * completed and skipped members count as success, dead, cancelled and parked ones as failure. Endings are appended, never counted on one row.
 */
export interface NewJoin {
  readonly kind: "join";
  readonly id: string;
  readonly content: string;
  readonly rememberMs: Ms;
  readonly isSealed: boolean;
  readonly whenAllSucceed?: NewJob;
  readonly whenAnyFails?: NewJob;
  readonly whenAllEnd?: NewJob;
  /** The join that it is itself a member of. */
  readonly join?: string;
}

/** A small versioned document: subscriptions, pauses, schedules, limits. See notes.ts for the keys in use. */
export interface Note {
  readonly key: string;
  /** 1 when first written, one more with each write. */
  readonly version: number;
  readonly value: string;
  readonly writtenAt: Instant;
}

export interface NoteWrite {
  readonly key: string;
  /** Undefined deletes it; written again, it starts at version 1. */
  readonly value: string | undefined;
  /** 0: it must not exist. Absent: whatever it is. Anything else: this version, or the atom is refused with `note-conflict`. */
  readonly ifVersion?: number;
}
