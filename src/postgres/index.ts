/** The PostgreSQL engine: the database that the app runs already, any number of machines. */
import type * as port from "../core/engine.ts";
import type { PgPool, PostgresSql } from "./driver.ts";
import { PostgresEngine } from "./postgresEngine.ts";
import type { PostgresOptions } from "./postgresEngine.ts";

export type { PostgresOptions };

/**
 * An engine that keeps everything in a schema of its own, which is made if it is missing. `database`: a URL, a Pool of `pg`, or the `sql` of `postgres`;
 * a pool that is handed in stays the app's and is never closed here.
 * Throws when it is opened: `engine-missing`, `store-foreign`, `store-newer`, `store-readonly`, `store-unsafe`, `store-unreachable`.
 *
 * ```ts
 * const work = broker(postgres(pool), orders, mail);
 * ```
 */
export function postgres(database: string | PgPool | PostgresSql, options: PostgresOptions = {}): port.Engine {
  return new PostgresEngine(database, options);
}
