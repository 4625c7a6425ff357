/**
 * The Engine port: everything errand asks of a store. Twelve batch-first verbs, each one atom (a transaction, a script), beside opening and closing.
 * No verb calls another. Instants inside the store come from the store's own clock, or from `at.now` under a virtual clock;
 * durations cross the port, instants only where a user stated one (G21).
 *
 * This file and those in port/ are the specification that engines, the reference model and the laws are written from.
 */
import type { ErrandError } from "./errors.ts";
import type { BeatSource, Instant, Ms, Runtime } from "./runtime.ts";
import type { Change, Changed, Selection } from "./port/change.ts";
import type { Claim, Claimed } from "./port/claim.ts";
import type { Grant, LockRequest, Waiting } from "./port/lock.ts";
import type { CountRow, Page, Query } from "./port/look.ts";
import type { Outbox } from "./port/outbox.ts";
import type { Outcome, Settled } from "./port/outcome.ts";
import type { Heard, Pin, Tidied, Tidy } from "./port/upkeep.ts";
import type { Atom, Enqueued, Note } from "./port/work.ts";

export type * from "./port/work.ts";
export type * from "./port/claim.ts";
export type * from "./port/outbox.ts";
export type * from "./port/outcome.ts";
export type * from "./port/upkeep.ts";
export type * from "./port/change.ts";
export type * from "./port/look.ts";
export type * from "./port/lock.ts";

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
  /**
   * Calls `wake` soon after work may have become ready, from any process, in a turn of the event loop of its own, or in that of the enqueue which sends it. A hint:
   * correctness never hangs on it.
   */
  listen(wake: () => void): Maybe<Unlisten>;
  /** Whether `wake` is called for the work of other processes too, now. Absent: it is. Where it is not, those who wait look more often by themselves. */
  readonly isHearing?: boolean;
  /** What has kept the store from taking away what is dead for longer than `afterMs`, or for a time that it does not tell: at most 80. Writes nothing. Absent: nothing can. */
  pins?(afterMs: Ms): Maybe<readonly Pin[]>;
  /** How much of what transactions handed in could not be stored, and was set aside: at most 1,000. Absent: none ever is. */
  setAside?(): Maybe<number>;
  /** For how long the oldest of what transactions handed in has waited to be stored here; 0 without any. Absent: it is stored with their commit. */
  outboxLagMs?(at: At): Maybe<Ms>;
  /** One that another engine may use, on the database of this one, which need not be open. Absent: it has none to lend. */
  outbox?(): Outbox;
  /** Work is handed in by name as well, without the code, as by SQL: brokers leave what that needs as notes (notes.ts, `StoredTask`). Absent: they do not. */
  readonly enqueuesByName?: boolean;
  /** Enqueues that are made while others are under way need no connection and no commit of their own, as where one connection carries all. Absent: they do. */
  readonly isPipelined?: boolean;
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
