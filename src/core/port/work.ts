/** What is stored: jobs, events, notes, and the keys that order them or make them unique. Part of the Engine port. */
import type { Instant, Ms } from "../runtime.ts";
import type { EndedState, JobState } from "../states.ts";
import type { TaskTerms } from "./claim.ts";

/** At most 500 works and 100 notes. One that has several faults is refused for any of them. */
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
  /** What bounds the jobs of its own keys (G9). At most 8, each with another key; a job passes them in this order. */
  readonly keyLimits?: readonly KeyLimit[];
  /** The caller's premise, JSON, opaque (G15). */
  readonly expecting?: string;
  readonly keep: Keep;
  /** The payload's version, for `upgrade`. */
  readonly version?: number;
  /** The subscription that made it. `isHop`: run the subscription's mapping and enqueue what it answers. */
  readonly from?: { readonly event: string; readonly eventId: string; readonly subscription: string; readonly isHop: boolean };
  /** The instant of a schedule it stands for. */
  readonly slot?: { readonly schedule: string; readonly at: Instant };
  /** The join it is a member of. */
  readonly join?: string;
  /** What must end before it may start ({@link After}). At most 500. */
  readonly after?: readonly After[];
  /** Born leased ({@link BirthLease}). */
  readonly lease?: BirthLease;
}

/**
 * `id` is a job (else a join) that is stored before or stands earlier in the same atom; unknown: the atom is refused with `after-unknown`.
 * It means what stands under that id then, never a later one. An id that lost its unique key in the same atom means the winner.
 * A member that comes after its own join, or one around it, is refused with `graph-cycle`; what waits for itself over several calls waits until it is cancelled.
 *
 * It has ended well: completed or skipped, or a join that closed without a failure; badly: dead, cancelled, parked, or a join that closed with one.
 * While one of them has not ended the job is `blocked` (waits: after, on the first of them that is open), outside its lane and its key limits, and holds
 * its unique key. When all have ended as asked it is let go: its place in its lane is by its order of enqueue among those that wait there then, and
 * lanes admit when a verb has let go all that it can; delayMs and startWithinMs count from that moment (a stated dueAt or startBy, and the due time of a
 * debounce, stand; until then startBy is what was stated); its urgency stays. As soon as one has ended otherwise, it ends too: where "well" was asked
 * `cancelled`, where "badly" was asked `skipped`, with the reason of {@link file://../joining.ts}; the first of its list that did decides.
 *
 * Judged by the states of now: at once when it is stored (in the order of works), else at the end of the verb (of the atom) that ended one, in the order
 * of storing; more than 1,000 in bounded passes of tidy. One that was parked and lives again is waited for again. One that was deleted has ended as asked.
 * A predecessor is not removed by retention while a live job, or a join that has not closed, names it.
 */
export interface After {
  readonly id: string;
  readonly when: "well" | "badly" | "ended";
}

/**
 * Running from the start, for the process that enqueues it, if it would be `ready` now, its queue and task are not paused, and the claim's terms let it
 * (see TaskTerms). The process gets a lease as by a claim, and settles the job as if claimed; `leased` is in the answer. Otherwise, also where the process
 * is lost, and in the `follow` of an outcome, it is stored as if without it, and there is no `leased`. A duplicate is never leased.
 * Of the terms, `most` counts for the whole call; `retriesMost` and `freshFrom` do not matter.
 */
export interface BirthLease {
  readonly process: string;
  readonly leaseMs: Ms;
  readonly claim: string;
  readonly lastFence: number;
  readonly terms?: TaskTerms;
}

/**
 * Bounds the jobs of one key (G9). It is asked for when the job would become ready: due, let go, and admitted by its lane; again when it comes back from
 * running. A job it has no room for is `blocked` (waits: limit, on the key), and takes neither a worker's slot nor an attempt; one that is too late is skipped
 * instead of given room. Room is given at the end of each verb (of each atom) to the most urgent, then the first enqueued, of those that come and those that
 * wait; by claim and tidy also where time has made some; the rest, beyond 1,000, by tidy. A verb may give it in rounds, where what it ended or let go brings
 * others to ask: these find what is left. A job that had to wait takes its place among the ready ones as of then: its urgency becomes now - headStartMs, so that
 * many keys take turns. The number of the job that is next decides, and nobody goes past it.
 * A job with several limits waits for the first in its list that has no room, and holds none meanwhile; it is looked at again when that one has room.
 *
 * One count for a key, of both kinds. running: held while the job is ready or running. starts: held while it is ready, and from its start until everyMs after
 * it (of the job that started, also when it is deleted); so never more than so many starts in any everyMs. A release gives it back.
 */
export interface KeyLimit {
  /** Full name: scope and key. The same name is the same limit. */
  readonly key: string;
  readonly is: { readonly running: number } | { readonly starts: number; readonly everyMs: Ms };
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
    /**
     * A waiting (not running, not parked) live job takes the new payload, due time, urgency, startBy, expecting, version and content, keeping id and place; and
     * it loses its checkpoint, which was of the payload before. Otherwise as keep.
     */
    | { readonly is: "replace" }
    /** As replace, with due = min(now + quietMs, its first enqueue + atMostMs), also where that is past. The first one is due at now + quietMs. */
    | { readonly is: "debounce"; readonly quietMs: Ms; readonly atMostMs: Ms }
    /** As keep; and the key outlives its job, also a deleted one, until windowMs after that job's enqueue: any newcomer loses, whatever its own mode. */
    | { readonly is: "throttle"; readonly windowMs: Ms }
    /** A live job that is not running wins; if the only live one is running, the new one is accepted (the core puts both in one lane of width 1). */
    | { readonly is: "one-more" }
    /**
     * Debounce that accumulates. `payload` is a JSON array of one. Only a waiting job that is not full holds the key: it takes the newcomer's element at the
     * end of its array and is due as for debounce. It is full when it holds `most` elements (then it is due now), or when one more would take the
     * array above 256 KiB (then the newcomer starts the next). A full, running or parked one does not hold the key; for a newcomer of another mode it
     * counts as live all the same. A live job of another mode does not hold it for one that gathers. One that once was full stays so; a newcomer of another
     * `version`, or one that meets a checkpoint, starts the next. The id and content of the first stand; those of newcomers are not kept, so an element whose
     * call is repeated is there twice.
     */
    | { readonly is: "gather"; readonly quietMs: Ms; readonly atMostMs: Ms; readonly most: number };
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
  /** Of a job that was born leased. */
  readonly leased?: { readonly fence: number; readonly now: Instant };
}

/**
 * Jobs that belong together (G11). Members (jobs and joins) name it in `join`; callbacks and what comes next are jobs that name it in `after`.
 *
 * Its life: *staged* until it is sealed, so that a large batch is stored in several idempotent atoms; *waiting* while its own `after` or its parent holds it;
 * *open* when it is sealed, what it waits for has ended as asked, and its parent is open or there is none; *closed* when it is open and no member is left that
 * has not ended. Until it is open its members are `blocked` (waits: join, on it), in no lane and under no key limit, as with `after`; then they are let
 * go, the first 1,000 in the same verb, the rest by tidy; what comes new then goes on at once. One atom that stores a sealed join and its members is looked
 * at when the atom is stored: a sealed join that has no member by then closes at once, without a failure; its own `after` is judged from then on.
 *
 * A member that has ended well counts as success, badly as failure (see {@link After}; parked counts as ended). A redrive of one, before the join has closed,
 * takes its count back. A job that lost its unique key, or whose id is known, makes the one that stands a member as well, if the join takes members:
 * one that has ended counts as it ended; one that lives goes on as it was, since only its own join holds it; one that itself waits for this join, over whatever
 * (at most 1,000 things are looked at), is left out. What a member's outcome hands over (`follow`) is stored before its ending counts, so a member may add
 * members to its own open join.
 * The join is closed in the verb that ended its last member, where the engine can see that; else, or if it was too much for one verb, by tidy. Endings are
 * appended, never counted on one hot row.
 *
 * Where its own `after` ends otherwise than asked, all that it holds ends as the job in its place would, joins within it included, in bounded passes, and it
 * closes with a failure ("badly" was asked: without one, whatever became of those it shares with other joins) when no member lives. A cancelled join closes with
 * a failure when no member lives, also if it was staged.
 *
 * The same id with the same `content` again is the same join (answered isDuplicate); `isSealed: true` seals it, whatever it was before. A join that is closed or
 * cancelled, or whose own `after` ended otherwise, takes no new member: the atom is refused with `join-closed`; unless it stores that same join again: then
 * the new member is answered isDuplicate, and not stored. A known job is a duplicate in any case. A member or `after` that names an unknown join: `after-unknown`.
 * Nothing else is invisible about staged members: they are found and counted like others. A staged join to which nothing was added for an hour (to it or within
 * it; duplicates count) is removed with its members, in bounded passes of tidy (counted as purged). It has ended badly, for what comes after it or a member
 * that had not ended, and for the join around it.
 *
 * Retention: a member goes no sooner than its `keep` after its join has closed; a join when it closed `joinsKeptMs` ago and has no member left, and not while
 * it is remembered.
 */
export interface NewJoin {
  readonly kind: "join";
  readonly id: string;
  readonly content: string;
  readonly rememberMs: Ms;
  /** What people see it as: "batch", "chain", or a name of theirs. */
  readonly name: string;
  readonly isSealed: boolean;
  /**
   * How many works named it before it was sealed, duplicates and repeats included, but none from the `follow` of an outcome: sealing one that was given fewer is
   * refused, `join-incomplete`.
   */
  readonly size?: number;
  /** The join that it is itself a member of. */
  readonly join?: string;
  readonly after?: readonly After[];
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
