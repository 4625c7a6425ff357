/** The verbs of the port on one file: each in a transaction of its own, or in the caller's. */
import type * as port from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import type { BeatSource, Ms } from "../core/runtime.ts";
import { beat, hearOnly } from "./beat.ts";
import { change } from "./change.ts";
import { checkpoint } from "./checkpoint.ts";
import { claim, findsNothing, nothing } from "./claim.ts";
import { count } from "./count.ts";
import { enqueue } from "./enqueue.ts";
import { find } from "./find.ts";
import { guarantees } from "./guarantees.ts";
import { lock, unlock } from "./lock.ts";
import { readNote } from "./note.ts";
import { defaultDriver, open } from "./open.ts";
import type { SqliteOptions, Surroundings } from "./open.ts";
import { SqliteOutbox } from "./outbox.ts";
import { settle } from "./settle.ts";
import type { Store } from "./store.ts";
import { isTidy, nothingTidied, tidy } from "./tidy.ts";
import type { Transaction } from "./transaction.ts";
import { joined } from "./within.ts";

export class SqliteEngine implements port.Engine {
  readonly name = "sqlite";
  readonly #file: string;
  readonly #options: SqliteOptions;
  readonly #around: Surroundings;
  /** Several brokers of one process may open the same value. */
  #openers = 0;
  #opened: Store | undefined;

  constructor(file: string, options: SqliteOptions, around: Surroundings) {
    this.#file = file;
    this.#options = options;
    this.#around = around;
  }

  open({ runtime }: port.Host): void {
    this.#opened ??= open(this.#file, this.#options, runtime, this.#around);
    this.#openers += 1;
  }

  close(): Promise<void> {
    this.#openers = Math.max(0, this.#openers - 1);
    if (this.#openers > 0) return Promise.resolve();
    this.#opened?.close();
    this.#opened = undefined;
    return Promise.resolve();
  }

  guarantees(): port.Guarantees {
    return guarantees;
  }

  enqueue(atoms: readonly port.Atom[], at: port.At<unknown>): port.Maybe<(port.Enqueued[] | ErrandError)[]> {
    // A process that only enqueues has no beat and no tidy that would notice.
    this.#store.refuseMovedFile();
    return this.#write(at, (tx) => enqueue(tx, atoms));
  }

  claim(wanted: port.Claim, at: port.At): port.Maybe<port.Claimed> {
    if (wanted.settling.length > 0) return this.#store.write(at, (tx) => claim(tx, wanted));
    return this.#unless(
      (look) => (findsNothing(look, wanted) ? nothing(look, wanted) : undefined),
      at,
      (tx) => claim(tx, wanted),
    );
  }

  settle(outcomes: readonly port.Outcome[], at: port.At<unknown>): port.Maybe<port.Settled[]> {
    return this.#write(at, (tx) => settle(tx, outcomes));
  }

  beat(process: string, leaseMs: Ms, at: port.At): port.Maybe<port.Heard> {
    this.#store.refuseMovedFile();
    return this.#unless(
      (look) => hearOnly(look, process),
      at,
      (tx) => beat(tx, process, leaseMs),
    );
  }

  tidy(pass: port.Tidy, at: port.At): port.Maybe<port.Tidied> {
    this.#store.refuseMovedFile();
    checkpoint(this.#store);
    return this.#unless(
      (look) => (isTidy(look, pass) ? nothingTidied(look) : undefined),
      at,
      (tx) => tidy(tx, pass),
    );
  }

  change(which: port.Selection, asked: port.Change, limit: number, at: port.At<unknown>): port.Maybe<port.Changed> {
    return this.#write(at, (tx) => change(tx, which, asked, limit));
  }

  find<Q extends port.Query>(query: Q, at: port.At): port.Maybe<port.Page<Q>> {
    return this.#store.read(at, (look) => find(look, query));
  }

  count(at: port.At): port.Maybe<port.CountRow[]> {
    return this.#store.read(at, count);
  }

  lock(request: port.LockRequest, at: port.At): port.Maybe<port.Grant | port.Waiting> {
    return this.#write(at, (tx) => lock(tx, request));
  }

  unlock(grant: { readonly name: string; readonly ticket: string }, at: port.At): port.Maybe<boolean> {
    return this.#write(at, (tx) => unlock(tx, grant));
  }

  readNote(key: string, at: port.At): port.Maybe<port.Note | undefined> {
    return this.#store.read(at, ({ sql }) => readNote(sql, key));
  }

  listen(wake: () => void): port.Unlisten {
    return this.#store.listeners.listen(wake);
  }

  beatSource(): BeatSource {
    // The sources are run as they are, the package as built.
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    return {
      module: new URL(`./beatConnection.${extension}`, import.meta.url).href,
      data: { path: this.#store.path, driver: this.#options.driver ?? defaultDriver },
    };
  }

  outbox(): port.Outbox {
    return new SqliteOutbox(this.#file, this.#options, this.#around);
  }

  joins(tx: unknown): "sync" {
    joined(this.#store, tx);
    return "sync";
  }

  get #store(): Store {
    if (this.#opened === undefined) throw new ErrandError("broker-closed", "the sqlite engine is not open; open its broker before using it");
    return this.#opened;
  }

  #write<T>(at: port.At<unknown>, work: (tx: Transaction) => T): port.Maybe<T> {
    if (at.tx === undefined) return this.#store.write(at, work);
    const { handle, sql } = joined(this.#store, at.tx);
    return this.#store.writeWithin(handle, sql, at, work);
  }

  /** Looks without the write lock first; writes only if there is something to write. */
  #unless<T>(look: (tx: Transaction) => T | undefined, at: port.At, work: (tx: Transaction) => T): port.Maybe<T> {
    const seen = this.#store.read(at, look);
    if (seen instanceof Promise) return seen.then((answer) => answer ?? this.#store.write(at, work));
    return seen ?? this.#store.write(at, work);
  }
}
