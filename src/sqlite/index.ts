/** The SQLite engine: one file on a local disk, any number of processes, nothing to install or run. */
import type * as port from "../core/engine.ts";
import { surroundings } from "./open.ts";
import type { SqliteOptions } from "./open.ts";
import { SqliteEngine } from "./sqliteEngine.ts";

export type { SqliteOptions };

/**
 * An engine that keeps everything in `file`, which is made if it is missing; the app's own database file will do.
 * Throws when it is opened: `engine-missing`, `store-foreign`, `store-newer`, `store-readonly`, `store-unsafe`, `store-corrupt`, `store-busy`.
 *
 * ```ts
 * const work = broker(sqlite("shop.db"), orders, mail);
 * ```
 */
export function sqlite(file: string, options: SqliteOptions = {}): port.Engine {
  return new SqliteEngine(file, options, surroundings);
}
