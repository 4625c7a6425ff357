/** One open file: its connection, what is cached of it, and how an atom gets the write lock. */
import type { At } from "../core/engine.ts";
import { storeBusyMs } from "../core/defaults.ts";
import { ErrandError } from "../core/errors.ts";
import type { Maybe } from "../core/engine.ts";
import type { Runtime } from "../core/runtime.ts";
import type { Connection, Handle } from "./driver.ts";
import { failureOf, isBusy } from "./failure.ts";
import { HandedOut } from "./handedOut.ts";
import { Dictionary } from "./lines.ts";
import { Listeners } from "./listen.ts";
import { NoticeCache } from "./notices.ts";
import { identityOf, isSameFile } from "./place.ts";
import type { Identity } from "./place.ts";
import type { Statements } from "./statements.ts";
import { Transaction } from "./transaction.ts";

const retryFirstMs = 1;
const retryUpToMs = 20;
const lookAtFileEveryMs = 60_000;

export interface Opened {
  readonly path: string;
  /** As it was asked for: perhaps a link to the path. */
  readonly named: string;
  readonly runtime: Runtime;
  readonly connection: Connection;
  readonly sql: Statements;
}

export class Store {
  readonly path: string;
  readonly readOne: string = "SELECT value FROM errand_numbers WHERE line = 0 AND what = 0";
  readonly takeWriteLock: string = "UPDATE errand_numbers SET value = value WHERE line = 0 AND what = 0";
  readonly runtime: Runtime;
  readonly sql: Statements;
  readonly dictionary: Dictionary = new Dictionary();
  readonly notices: NoticeCache = new NoticeCache();
  readonly handedOut: HandedOut = new HandedOut();
  readonly listeners: Listeners;
  readonly #connection: Connection;
  readonly #named: string;
  readonly #identity: Identity | undefined;
  #lookedAtFile: number;
  #isClosed = false;

  constructor({ path, named, runtime, connection, sql }: Opened) {
    this.path = path;
    this.#named = named;
    this.runtime = runtime;
    this.sql = sql;
    this.#connection = connection;
    this.#identity = identityOf(path);
    this.#lookedAtFile = runtime.monotonic();
    this.listeners = new Listeners(runtime, path, () => this.#dataVersion());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.listeners.stop();
    this.#connection.close();
  }

  /** Looks without the write lock: nothing of it is ever written. */
  read<T>(at: At<unknown>, look: (transaction: Transaction) => T): Maybe<T> {
    return this.#retrying(() => look(new Transaction(this, this.sql, at.now)));
  }

  /** One commit of its own. At once if the write lock is free, else as soon as it is had. */
  write<T>(at: At<unknown>, work: (transaction: Transaction) => T): Maybe<T> {
    return this.#retrying(() => this.#commit(at, work));
  }

  /** As part of the app's own transaction: stored and rolled back with it, and at once or not at all. */
  writeWithin<T>(handle: Handle, sql: Statements, at: At<unknown>, work: (transaction: Transaction) => T): T {
    try {
      handle.exec("SAVEPOINT errand");
      const transaction = new Transaction(this, sql, at.now);
      const answer = work(transaction);
      transaction.finish();
      handle.exec("RELEASE errand");
      return answer;
    } catch (error) {
      undoWithin(handle);
      throw failureOf(error, this.path);
    }
  }

  /** Once a minute: a file that was deleted or replaced takes everything written to it along. */
  refuseMovedFile(): void {
    const now = this.runtime.monotonic();
    if (now - this.#lookedAtFile < lookAtFileEveryMs) return;
    this.#lookedAtFile = now;
    if (isSameFile(identityOf(this.#named), this.#identity)) return;
    this.#lookedAtFile = -Infinity;
    throw new ErrandError(
      "store-moved",
      `${this.#named} was deleted or replaced while it was open; what was written since is lost with the old file: restart every process that uses it`,
    );
  }

  isThisFile(path: string): boolean {
    return isSameFile(identityOf(path), this.#identity);
  }

  /** Whether somebody whose locks this connection sees is writing. */
  isWriteLocked(): boolean {
    try {
      this.sql.run("BEGIN IMMEDIATE");
    } catch (error) {
      if (isBusy(error)) return true;
      throw failureOf(error, this.path);
    }
    this.sql.run("ROLLBACK");
    return false;
  }

  /** Copies the write-ahead log back, as far as others let it. */
  checkpoint(mode: "PASSIVE" | "TRUNCATE"): void {
    try {
      this.#connection.pragma(`wal_checkpoint(${mode})`, { simple: true });
    } catch (error) {
      if (!isBusy(error)) throw failureOf(error, this.path);
    }
  }

  #commit<T>(at: At<unknown>, work: (transaction: Transaction) => T): T {
    this.sql.run("BEGIN IMMEDIATE");
    try {
      const transaction = new Transaction(this, this.sql, at.now);
      const answer = work(transaction);
      transaction.finish();
      this.sql.run("COMMIT");
      this.dictionary.learn(transaction.dictionary);
      if (transaction.isReadied) this.listeners.wake();
      return answer;
    } catch (error) {
      if (this.#connection.inTransaction) this.sql.run("ROLLBACK");
      throw error;
    }
  }

  /** The app may hold the lock on a handle of this very process, across an await: waiting for it must not block the event loop. */
  #retrying<T>(run: () => T): Maybe<T> {
    try {
      return this.#run(run);
    } catch (error) {
      if (!isBusy(error)) throw failureOf(error, this.path);
    }
    return new Promise((resolve, reject) => this.#later({ run, resolve, reject, until: this.runtime.monotonic() + storeBusyMs, pauseMs: retryFirstMs }));
  }

  #run<T>(run: () => T): T {
    if (this.#isClosed) throw new ErrandError("broker-closed", "the sqlite engine is closed; open its broker before using it");
    return run();
  }

  #later<T>(waiting: Waiting<T>): void {
    this.runtime.after(waiting.pauseMs * (0.5 + this.runtime.random()), () => {
      try {
        waiting.resolve(this.#run(waiting.run));
      } catch (error) {
        if (isBusy(error) && this.runtime.monotonic() < waiting.until) this.#later({ ...waiting, pauseMs: Math.min(retryUpToMs, waiting.pauseMs * 2) });
        else waiting.reject(failureOf(error, this.path));
      }
    });
  }

  #dataVersion(): number | undefined {
    try {
      return this.sql.value<number>("PRAGMA data_version");
    } catch {
      // Busy, or broken: the verbs say so.
      return undefined;
    }
  }
}

interface Waiting<T> {
  readonly run: () => T;
  readonly resolve: (answer: T) => void;
  readonly reject: (error: Error) => void;
  readonly until: number;
  readonly pauseMs: number;
}

/** On a full disk or a damaged file SQLite has rolled the whole transaction back itself. */
function undoWithin(handle: Handle): void {
  try {
    handle.exec("ROLLBACK TO errand");
    handle.exec("RELEASE errand");
  } catch {
    // There is nothing left to undo; the caller gets the first error.
  }
}
