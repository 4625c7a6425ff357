/**
 * The Engine port: everything errand asks of a store. Sixteen batch-first verbs, each one atom (a transaction, a script).
 * No verb calls another. Instants inside the store come from the store's own clock, or from `at.now` under a virtual clock;
 * durations cross the port, instants only where a user stated one (G21).
 *
 * This file is the specification that engines, the reference model and the laws are written from.
 */
import type { ErrandError } from "./errors.ts";
import type { BeatSource, Instant, Ms, Runtime } from "./runtime.ts";
import type { EndedState, JobState } from "./states.ts";

export interface Engine<Tx = unknown> {
  /** "memory", "sqlite", "postgres", "redis". Stands in messages. */
  readonly name: string;
  /** Idempotent. Creates or migrates what is missing. Synchronous where the driver is, so that `within` may open on demand. */
  open(host: Host): void | Promise<void>;
  close(): Promise<void>;
  /** What holds here, and what is weaker than the guarantees' wording. Callable after `open`. */
  guarantees(): Guarantees;

  /**
   * Stores atoms. Each atom is all or nothing and stands apart from the others; all atoms of one call share one commit where the store allows.
   * One answer per atom, in order: the list of its items' answers, or the ErrandError that refused it whole (`id-conflict`, `note-conflict`).
   * With `at.tx` it joins the caller's transaction; on an engine whose transactions are synchronous it answers synchronously.
   */
  enqueue(atoms: readonly Atom[], at: At<Tx>): Maybe<(Enqueued[] | ErrandError)[]>;
  /**
   * Settles `wanted.settling`, promotes what is due, skips what came too late, then hands out the most urgent ready jobs, and renews the process's lease
   * if it hands out any. One commit. Writes nothing if there is nothing to write.
   */
  claim(wanted: Claim, at: At): Maybe<Claimed>;
  /** Writes outcomes; each stands or falls alone, with its follow-up work. */
  settle(outcomes: readonly Outcome[], at: At<Tx>): Maybe<Settled[]>;
  /** Renews all that a process holds, in O(1) writes, and hears what it must know. For a process that holds nothing it writes nothing. */
  beat(process: string, leaseMs: Ms, at: At): Maybe<Heard>;
  /** One bounded pass of housekeeping. */
  tidy(pass: Tidy, at: At): Maybe<Tidied>;
  /** Changes jobs that a person or a program selected; an answer per job, never more than `limit`. */
  change(which: Selection, change: Change, limit: number, at: At<Tx>): Maybe<Changed>;
  /** Reads a page. Never a snapshot of more than `limit` rows. */
  find<Q extends Query>(query: Q, at: At): Maybe<Page<Q>>;
  /** How many jobs in each (queue, task, state). O(lines), whatever the number of jobs. */
  count(at: At): Maybe<CountRow[]>;
  lock(request: LockRequest, at: At): Maybe<Grant | Waiting>;
  unlock(grant: { readonly name: string; readonly ticket: string }, at: At): Maybe<boolean>;
  readNote(key: string, at: At): Maybe<Note | undefined>;
  /** Calls `wake` soon after work may have become ready, from any process. A hint: correctness never hangs on it. */
  listen(wake: () => void): Maybe<Unlisten>;
  /** How a thread of its own can beat. Absent: the main loop beats, and `guarantees()` says so. */
  beatSource?(): BeatSource;
  /** Throws ErrandError (`tx-foreign`, `tx-not-open`, `tx-not-durable`, `tx-unsupported`) unless `tx` can be joined. Answers whether it is synchronous. */
  joins(tx: unknown): "sync" | "async";
}

export type Maybe<T> = T | Promise<T>;
export type Unlisten = () => void;

/** What an engine is given by its broker. */
export interface Host {
  readonly runtime: Runtime;
}

export interface At<Tx = never> {
  /** The caller's own transaction. */
  readonly tx?: Tx;
  /** The store's time. Given only by virtual clocks. Never goes back. */
  readonly now?: Instant;
}

export interface Guarantees {
  readonly engine: string;
  /** What an acknowledged write survives, in one sentence. */
  readonly durability: string;
  /** Whether a thread with its own connection keeps leases alive while the event loop is blocked. */
  readonly beatsFromThread: boolean;
  /** Guarantees that are weaker here than worded, by number, with the reason. */
  readonly weaker: Readonly<Record<string, string>>;
}

// ── work ────────────────────────────────────────────────────────────────────────────────────────────

/** At most 500 works and 100 notes. */
export interface Atom {
  readonly works: readonly NewWork[];
  readonly notes?: readonly NoteWrite[];
}

export type NewWork = NewJob | NewEvent;

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
  /** A join it is a member of; and jobs that must end before it may start. */
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

// ── claiming ────────────────────────────────────────────────────────────────────────────────────────

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

// ── settling ────────────────────────────────────────────────────────────────────────────────────────

/** Written only if `id` is running under `claim` and `fence`; else nothing changes and the answer is `lease-lost` (G3). */
export interface Outcome {
  readonly id: string;
  readonly claim: string;
  readonly fence: number;
  /**
   * completed, skipped, dead: it ends (a death at a lane with "park" or "block" parks it). retry: an attempt is spent, due after delayMs.
   * snoozed: no attempt spent, due after delayMs. released: handed back, ready, as if never claimed (`starts` is taken back, suspects stay).
   * saved: the checkpoint is written, the lease goes on. All but released and saved clear the suspicion.
   * If cancel was asked for meanwhile, all but saved end the job `cancelled`, and the answer says so (G4); follow-up work and result are dropped,
   * and the suspicion is cleared.
   * completed, skipped, dead and retry spend an attempt; a snooze, a release, a crash and a quarantine do not.
   */
  readonly is: "completed" | "skipped" | "dead" | "retry" | "snoozed" | "released" | "saved";
  /** Of a skip, a snooze, a death. */
  readonly reason?: string;
  readonly error?: StoredError;
  readonly delayMs?: Ms;
  /** Kept with the job by any `is`; undefined keeps what is stored. */
  readonly checkpoint?: string;
  readonly result?: string;
  /** How long the run took. */
  readonly ranMs: Ms;
  /** Stored in the same atom, after the outcome is applied, or the outcome is `refused` whole. At most 500. Only with completed, skipped, retry, snoozed. */
  readonly follow?: readonly NewWork[];
  /** A death by killing its process. */
  readonly isPoison?: boolean;
}

export interface StoredError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
}

export interface Settled {
  readonly id: string;
  readonly is: "settled" | "cancelled" | "lease-lost" | "refused";
  /** The job's state after the call; absent when it is unknown to the store. */
  readonly state?: JobState;
  /** Why it was refused: its follow-up work's error. */
  readonly error?: ErrandError;
}

// ── keeping alive ───────────────────────────────────────────────────────────────────────────────────

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
}

export interface Tidy {
  /** At most this many jobs are touched for each reason. An ended job goes when endedAt + keep <= now and enqueuedAt + rememberMs <= now. */
  readonly items: number;
  /**
   * Whether expired processes' jobs may be taken back: the asker has reached the store without a gap for a whole lease term (G20).
   * An engine takes none back in a pass in which it had to wait for the store's write lock.
   */
  readonly mayExpire: boolean;
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
  readonly admitted: number;
  /** History replayed to new subscribers: jobs made. */
  readonly replayed: number;
  /** Ended jobs and old events removed by retention. */
  readonly purged: number;
  /** Some reason reached `items`: call again soon. */
  readonly hasMore: boolean;
}

// ── changing ────────────────────────────────────────────────────────────────────────────────────────

export type Selection = { readonly ids: readonly string[] } | { readonly jobs: JobFilter };

export type Change =
  /** Live and not running: cancelled. Running: marked, heard by its worker's beat. */
  | { readonly do: "cancel"; readonly reason: string }
  /**
   * dead → live again; parked → its lane opens; scheduled → due now. Attempts, starts and suspicion begin anew; history, checkpoint and, but for a
   * scheduled job, the due time stay. `taken` where a live job holds the unique key; an open throttle window alone does not.
   */
  | { readonly do: "retry" }
  /** Urgency becomes due - headStartMs. */
  | { readonly do: "prioritise"; readonly headStartMs: Ms }
  /** Ended jobs are removed at once. */
  | { readonly do: "delete" };

export interface ChangedJob {
  readonly id: string;
  /**
   * cancel: cancelled, cancelling, ended. retry: retried, taken (a live job holds its unique key), running, ended (completed, skipped or cancelled: not retried),
   * waiting (ready or blocked: nothing to do). prioritise: prioritised, running, ended. delete: deleted, live. All: unknown.
   */
  readonly is: "cancelled" | "cancelling" | "ended" | "retried" | "taken" | "running" | "waiting" | "prioritised" | "deleted" | "live" | "unknown";
}

export interface Changed {
  readonly jobs: readonly ChangedJob[];
  /** The selection may hold more than `limit`: call again. */
  readonly hasMore: boolean;
}

// ── looking ─────────────────────────────────────────────────────────────────────────────────────────

export interface JobFilter {
  readonly states?: readonly JobState[];
  readonly queue?: string;
  readonly task?: string;
  /** Exact full name of a lane, or of a unique key. */
  readonly lane?: string;
  readonly unique?: string;
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
  | { readonly of: "locks"; readonly limit: number; readonly after?: string };

export interface Page<Q extends Query = Query> {
  readonly rows: readonly Row<Q["of"]>[];
  readonly now: Instant;
  readonly next?: string;
}

export type Row<Of extends Query["of"]> = Of extends "jobs" ? JobRow
  : Of extends "events" ? EventRow
  : Of extends "notes" ? Note
  : Of extends "processes" ? ProcessRow
  : Of extends "lanes" ? LaneRow
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
  /** Of a live job that is not running. */
  readonly waits?: Waits;
  /** Of a running job. */
  readonly claim?: { readonly process: string; readonly claim: string; readonly fence: number; readonly startedAt: Instant; readonly leaseUntil: Instant; readonly isCancelling: boolean };
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

/** Why a job waits. `on`: time, retry, snooze: the due instant as text; key, parked: the lane's name; worker, alone: the queue. */
export interface Waits {
  readonly reason: "time" | "retry" | "snooze" | "key" | "parked" | "worker" | "alone" | "join" | "after";
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

// ── locks (G17) ─────────────────────────────────────────────────────────────────────────────────────

/** Asking again with the same ticket keeps the place; readers share, writers wait in the order of their tickets and let no later reader pass. */
export interface LockRequest {
  readonly name: string;
  readonly mode: "read" | "write";
  readonly process: string;
  readonly ticket: string;
  readonly leaseMs: Ms;
  readonly lastFence: number;
  /** How many writers may hold it at once: a semaphore. Default 1. */
  readonly permits?: number;
}

export interface Grant {
  readonly is: "granted";
  readonly fence: number;
  readonly now: Instant;
}

export interface Waiting {
  readonly is: "waiting";
  readonly ahead: number;
  readonly now: Instant;
}
