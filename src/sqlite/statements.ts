/** Prepared statements of one handle, each prepared when first used. */
import type { Handle, Statement, Value } from "./driver.ts";

export class Statements {
  readonly #handle: Handle;
  readonly #byText = new Map<string, Statement>();
  readonly #tuplesByText = new Map<string, Statement>();

  constructor(handle: Handle) {
    this.#handle = handle;
  }

  /** Answers how many rows changed. */
  run(sql: string, ...values: Value[]): number {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  get<Row>(sql: string, ...values: Value[]): Row | undefined {
    return this.#prepared(sql).get(...values) as Row | undefined;
  }

  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.#prepared(sql).all(...values) as Row[];
  }

  /** Rows as arrays: half the cost of objects where there are many. */
  tuples<Tuple extends readonly Value[]>(sql: string, ...values: Value[]): Tuple[] {
    return this.#preparedForTuples(sql).all(...values) as Tuple[];
  }

  /** The first column of the first row. */
  value<T extends Value>(sql: string, ...values: Value[]): T | undefined {
    return (this.#preparedForTuples(sql).get(...values) as readonly T[] | undefined)?.[0];
  }

  exec(sql: string): void {
    this.#handle.exec(sql);
  }

  #prepared(sql: string): Statement {
    let statement = this.#byText.get(sql);
    if (statement === undefined) this.#byText.set(sql, (statement = prepare(this.#handle, sql)));
    return statement;
  }

  #preparedForTuples(sql: string): Statement {
    let statement = this.#tuplesByText.get(sql);
    if (statement === undefined) {
      this.#tuplesByText.set(sql, (statement = prepare(this.#handle, sql)));
      if (statement.raw) statement.raw(true);
      else statement.setReturnArrays?.(true);
    }
    return statement;
  }
}

/** A handle of the app may be set to read integers as bigint. */
function prepare(handle: Handle, sql: string): Statement {
  const statement = handle.prepare(pinned(sql));
  if (statement.safeIntegers) statement.safeIntegers(false);
  else statement.setReadBigInts?.(false);
  return statement;
}

/**
 * A library built with STAT4, as better-sqlite3's is, plans a statement anew with each value bound to a parameter that stands next to a column:
 * 22 µs where 1 µs would do. The plan of a `+?` does not look at the value.
 */
function pinned(sql: string): string {
  return sql.includes(" VALUES (") ? sql : sql.replaceAll("?", "+?");
}
