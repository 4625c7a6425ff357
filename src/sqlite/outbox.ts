/** Tables beside the app's rows, in which its transactions hand in what another engine is to store: an outbox. Not errand's whole schema. */
import { outboxBytesMax, outboxRowsMax, outboxWorksMax, storeBusyMs } from "../core/defaults.ts";
import type * as port from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import type { Instant, Ms, Runtime } from "../core/runtime.ts";
import { connectTo } from "./connection.ts";
import type { Tables } from "./connection.ts";
import type { Connection } from "./driver.ts";
import { failureOf, isBusy } from "./failure.ts";
import { placeFor } from "./open.ts";
import type { SqliteOptions, Surroundings } from "./open.ts";
import { identityOf, isSameFile } from "./place.ts";
import type { Identity } from "./place.ts";
import type { Statements } from "./statements.ts";
import { joined } from "./within.ts";
import type { Joinable } from "./within.ts";

const format = 1;
const countedMax = 1_000;
const retryFirstMs = 1;
const retryUpToMs = 20;

/** One row in errand_outbox_relay: who moves rows on, and which. A number is not given twice: the one that was written last is the last that was committed. */
const tables = `
CREATE TABLE errand_outbox (n INTEGER PRIMARY KEY AUTOINCREMENT, works INTEGER NOT NULL, body TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE errand_outbox_set_aside (n INTEGER PRIMARY KEY, works INTEGER NOT NULL, body TEXT NOT NULL, error TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE errand_outbox_relay (
  id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL, store TEXT NOT NULL,
  fence INTEGER NOT NULL, holder TEXT, lease_until INTEGER, batch TEXT NOT NULL, ns TEXT NOT NULL
);`;
const start = `INSERT INTO errand_outbox_relay (id, format, store, fence, batch, ns) VALUES (1, ${format}, ?, 0, '', '[]')`;
const isThere = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'errand_outbox_relay'";

// All by primary key.
const readRelay = "SELECT format, store, fence, holder, lease_until AS leaseUntil, batch, ns FROM errand_outbox_relay WHERE id = 1";
const hasRow = "SELECT 1 FROM errand_outbox LIMIT 1";
const add = "INSERT INTO errand_outbox (works, body, at) VALUES (?, ?, ?)";
const firstRows = `SELECT n, works, body, at FROM errand_outbox ORDER BY n LIMIT ${outboxRowsMax}`;
const rowsAgain = "SELECT n, works, body, at FROM errand_outbox WHERE n IN (SELECT value FROM json_each(?)) ORDER BY n";
const lease = "UPDATE errand_outbox_relay SET fence = ?, holder = ?, lease_until = ?, batch = ?, ns = ? WHERE id = 1";
const free = "UPDATE errand_outbox_relay SET holder = NULL, lease_until = NULL WHERE id = 1 AND fence = ?";
const setAside = "INSERT INTO errand_outbox_set_aside (n, works, body, error, at) SELECT n, works, body, ?, at FROM errand_outbox WHERE n = ?";
const remove = "DELETE FROM errand_outbox WHERE n IN (SELECT value FROM json_each(?))";
const oldest = "SELECT at FROM errand_outbox ORDER BY n LIMIT 1";
const countAside = `SELECT count(*) FROM (SELECT 1 FROM errand_outbox_set_aside LIMIT ${countedMax})`;

interface Relay {
  readonly format: number;
  readonly store: string;
  readonly fence: number;
  readonly holder: string | null;
  readonly leaseUntil: Instant | null;
  readonly batch: string;
  readonly ns: string;
}

interface Row {
  readonly n: number;
  readonly works: number;
  readonly body: string;
  readonly at: Instant;
}

interface Opened extends Joinable {
  readonly runtime: Runtime;
  readonly connection: Connection;
  readonly sql: Statements;
}

export class SqliteOutbox implements port.Outbox {
  readonly #file: string;
  readonly #options: SqliteOptions;
  readonly #around: Surroundings;
  #opened: Opened | undefined;

  constructor(file: string, options: SqliteOptions, around: Surroundings) {
    this.#file = file;
    this.#options = options;
    this.#around = around;
  }

  get name(): string {
    return this.#opened?.path ?? this.#file;
  }

  open({ runtime }: port.Host, store: string): void {
    const { path, Driver } = placeFor(this.#file, this.#options, this.#around);
    try {
      const { connection, sql } = connectTo(Driver, path, tablesFor(store));
      this.#opened = { runtime, connection, sql, ...joinable(path, sql) };
    } catch (error) {
      throw failureOf(error, path);
    }
  }

  close(): Promise<void> {
    this.#opened?.connection.close();
    this.#opened = undefined;
    return Promise.resolve();
  }

  joins(tx: unknown): "sync" {
    joined(this.#open, tx);
    return "sync";
  }

  add(atoms: readonly port.Atom[], at: port.At<unknown>): void {
    const { runtime, path } = this.#open;
    const { sql } = joined(this.#open, at.tx);
    try {
      for (const atom of atoms) sql.run(add, atom.works.length, JSON.stringify(atom), at.now ?? runtime.now());
    } catch (error) {
      throw failureOf(error, path);
    }
  }

  take({ by, leaseMs, above, batch: name }: port.OutboxTake, at: port.At): port.Maybe<port.OutboxBatch | undefined> {
    const { sql, runtime } = this.#open;
    if (sql.value(hasRow) === undefined) return undefined;
    return this.#write(() => {
      const relay = relayOf(sql);
      const now = runtime.now();
      // A clock that was set back does not make a lease longer.
      const left = (relay.leaseUntil ?? 0) - now;
      if (relay.holder !== null && relay.holder !== by && left > 0 && left <= leaseMs) return undefined;
      const again = sql.all<Row>(rowsAgain, relay.ns);
      const rows = again.length > 0 ? again : fitting(sql.all<Row>(firstRows));
      if (rows.length === 0) return undefined;
      const batch = again.length > 0 ? relay.batch : name;
      const fence = Math.max(relay.fence, above) + 1;
      sql.run(lease, fence, by, now + leaseMs, batch, JSON.stringify(rows.map(({ n }) => n)));
      return { batch, fence, rows: rows.map(({ n, body, at: since }) => ({ n, body, ageMs: Math.max(0, (at.now ?? now) - since) })) };
    });
  }

  done({ fence, moved, refused }: port.OutboxDone): port.Maybe<void> {
    const { sql } = this.#open;
    return this.#write(() => {
      for (const { n, error } of refused) sql.run(setAside, error, n);
      sql.run(remove, JSON.stringify([...moved, ...refused.map(({ n }) => n)]));
      sql.run(free, fence);
    });
  }

  standing(at: port.At): port.OutboxStanding {
    const { sql, runtime } = this.#open;
    const since = sql.value<number>(oldest);
    return { lagMs: since === undefined ? 0 : Math.max(0, (at.now ?? runtime.now()) - since), setAside: sql.value<number>(countAside) ?? 0 };
  }

  get #open(): Opened {
    if (this.#opened === undefined) throw new ErrandError("broker-closed", "the outbox is not open; open its broker before using it");
    return this.#opened;
  }

  /** At once if the write lock is free; else it is asked for again, without blocking: the app may hold it on a handle of this very process, across an await. */
  #write<T>(work: () => T): port.Maybe<T> {
    const { path, runtime } = this.#open;
    try {
      return this.#commit(work);
    } catch (error) {
      if (!isBusy(error)) throw failureOf(error, path);
    }
    return this.#writeLater(work, runtime.monotonic() + storeBusyMs);
  }

  async #writeLater<T>(work: () => T, until: Ms): Promise<T> {
    const { path, runtime } = this.#open;
    for (let pauseMs = retryFirstMs; ; pauseMs = Math.min(retryUpToMs, pauseMs * 2)) {
      await new Promise<void>((resolve) => void runtime.after(pauseMs * (0.5 + runtime.random()), resolve));
      try {
        return this.#commit(work);
      } catch (error) {
        if (!isBusy(error) || runtime.monotonic() >= until) throw failureOf(error, path);
      }
    }
  }

  #commit<T>(work: () => T): T {
    const { connection, sql } = this.#open;
    sql.run("BEGIN IMMEDIATE");
    try {
      const answer = work();
      sql.run("COMMIT");
      return answer;
    } catch (error) {
      if (connection.inTransaction) sql.run("ROLLBACK");
      throw error;
    }
  }
}

function tablesFor(store: string): Tables {
  const areThere = (sql: Statements, path: string): boolean => {
    if (sql.value<number>(isThere) !== 1) return false;
    const relay = relayOf(sql);
    if (relay.format > format) {
      throw new ErrandError(
        "store-newer",
        `the outbox in ${path} was written by a newer errand (format ${relay.format}, known here: ${format}); update errand`,
      );
    }
    if (relay.store === store) return true;
    throw new ErrandError("store-foreign", `the outbox in ${path} is that of ${relay.store}, not of ${store}: its rows would go astray; name another file`);
  };
  return {
    areThere,
    bring: (sql, path) => {
      // Somebody else may have been first.
      if (areThere(sql, path)) return;
      sql.exec(tables);
      sql.run(start, store);
    },
  };
}

function joinable(path: string, sql: Statements): Joinable {
  const identity: Identity | undefined = identityOf(path);
  return {
    path,
    readOne: "SELECT fence FROM errand_outbox_relay WHERE id = 1",
    takeWriteLock: "UPDATE errand_outbox_relay SET fence = fence WHERE id = 1",
    isThisFile: (other) => isSameFile(identityOf(other), identity),
    isWriteLocked: () => {
      try {
        sql.run("BEGIN IMMEDIATE");
      } catch (error) {
        if (isBusy(error)) return true;
        throw failureOf(error, path);
      }
      sql.run("ROLLBACK");
      return false;
    },
  };
}

function relayOf(sql: Statements): Relay {
  const relay = sql.get<Relay>(readRelay);
  if (relay === undefined) throw new ErrandError("store-corrupt", "the row of the table errand_outbox_relay is gone; restore it from a backup");
  return relay;
}

/** What goes on at once: a row at least. */
function fitting(rows: readonly Row[]): readonly Row[] {
  let works = 0;
  let bytes = 0;
  const end = rows.findIndex((row, nth) => {
    works += row.works;
    bytes += row.body.length;
    return nth > 0 && (works > outboxWorksMax || bytes > outboxBytesMax);
  });
  return end === -1 ? rows : rows.slice(0, end);
}
