/** An outbox: tables beside the app's rows, in which its transactions hand in what another engine is to store. Part of the Engine port, for engines that have one to lend. */
import type { At, Host, Maybe } from "../engine.ts";
import type { Ms } from "../runtime.ts";
import type { Atom } from "./work.ts";

/**
 * Rows have the order of handing in: what is handed in after another one's commit has returned comes after it. One at a time moves them on, in that order: who takes has
 * a lease, and with each a fence that only grows. A batch that was taken keeps its name and its rows until it is done, whoever takes it then; so whoever stores it can
 * tell a repeat, and one who comes late by his fence.
 */
export interface Outbox {
  /** Where it is, for messages: without a password. */
  readonly name: string;
  /** Makes what is missing; several processes may begin at once. `store`: what its rows are for, always the same. Throws `store-foreign` where they are for another one. */
  open(host: Host, store: string): Maybe<void>;
  close(): Promise<void>;
  /** As the engine's: throws unless `tx` can be joined, and answers whether it is synchronous. */
  joins(tx: unknown): "sync" | "async";
  /** In the caller's transaction `at.tx`; at once where that is synchronous. */
  add(atoms: readonly Atom[], at: At<unknown>): Maybe<void>;
  /** The batch that is next, at most {@link outboxRowsMax} rows. Undefined: there is none, or somebody else moves them. Writes nothing where there is none. */
  take(asked: OutboxTake, at: At): Maybe<OutboxBatch | undefined>;
  /**
   * Takes away what a batch held, and gives the lease back: `moved` is stored, `refused` never can be, and is set aside with what was said. With neither, the batch stays
   * as it is, for whoever takes next.
   */
  done(done: OutboxDone): Maybe<void>;
  /** Of its oldest row, how long that has waited, 0 without any; and how many are set aside, at most 1,000. */
  standing(at: At): Maybe<OutboxStanding>;
}

export interface OutboxTake {
  /** Who takes. */
  readonly by: string;
  readonly leaseMs: Ms;
  /** The fence will be above this. */
  readonly above: number;
  /** A fresh name, for a batch that nobody has taken yet. */
  readonly batch: string;
}

export interface OutboxBatch {
  readonly batch: string;
  readonly fence: number;
  readonly rows: readonly OutboxRow[];
}

export interface OutboxRow {
  readonly n: number;
  /** JSON of an {@link Atom}. */
  readonly body: string;
  /** Since it was handed in. */
  readonly ageMs: Ms;
}

export interface OutboxDone {
  readonly fence: number;
  readonly moved: readonly number[];
  readonly refused: readonly { readonly n: number; readonly error: string }[];
}

export interface OutboxStanding {
  readonly lagMs: Ms;
  readonly setAside: number;
}
