/** A connection of its own for the thread that beats, so that a busy main thread loses no lease. */
import type { Heard } from "../core/engine.ts";
import type { BeatConnection, Ms } from "../core/runtime.ts";
import { beat, hearOnly } from "./beat.ts";
import { connect } from "./connection.ts";
import { loadDriver } from "./driver.ts";
import type { Connection, DriverName } from "./driver.ts";
import { failureOf } from "./failure.ts";
import { Dictionary } from "./lines.ts";
import { NoticeCache } from "./notices.ts";
import type { Statements } from "./statements.ts";
import { Transaction } from "./transaction.ts";

/** In a thread of its own it may block; a beat that fails is tried again with the next. */
const beatBusyMs = 1_500;
/** The same clock as the main thread's. */
const clock = "SELECT cast(unixepoch('subsec') * 1000 AS INTEGER)";

export function openBeat(data: unknown): BeatConnection {
  const { path, driver } = data as { readonly path: string; readonly driver: DriverName };
  try {
    const { connection, sql } = connect(loadDriver(driver), path, () => "");
    connection.pragma(`busy_timeout = ${beatBusyMs}`, { simple: true });
    return new SqliteBeat(path, connection, sql);
  } catch (error) {
    throw failureOf(error, path);
  }
}

class SqliteBeat implements BeatConnection {
  readonly #path: string;
  readonly #connection: Connection;
  readonly #sql: Statements;

  constructor(path: string, connection: Connection, sql: Statements) {
    this.#path = path;
    this.#connection = connection;
    this.#sql = sql;
  }

  beat(process: string, leaseMs: Ms): Heard {
    try {
      return this.#within("BEGIN", (look) => hearOnly(look, process)) ?? this.#within("BEGIN IMMEDIATE", (tx) => renewed(tx, process, leaseMs));
    } catch (error) {
      if (this.#connection.inTransaction) this.#sql.run("ROLLBACK");
      throw failureOf(error, this.#path);
    }
  }

  #within<T>(begin: "BEGIN" | "BEGIN IMMEDIATE", work: (tx: Transaction) => T): T {
    this.#sql.run(begin);
    // Asked after the wait for the lock.
    const now = this.#sql.value<number>(clock) ?? 0;
    const shared = { runtime: { now: () => now, random: () => 0 }, dictionary: new Dictionary(), notices: new NoticeCache() };
    const answer = work(new Transaction(shared, this.#sql, now));
    this.#sql.run("COMMIT");
    return answer;
  }

  close(): void {
    this.#connection.close();
  }
}

function renewed(tx: Transaction, process: string, leaseMs: Ms): Heard {
  const heard = beat(tx, process, leaseMs);
  tx.finish();
  return heard;
}
