/** Opens the file, after making sure that it may be: the place, the driver, the library, the tables. */
import type { Runtime } from "../core/runtime.ts";
import { connect } from "./connection.ts";
import { loadDriver } from "./driver.ts";
import type { Driver } from "./driver.ts";
import { failureOf } from "./failure.ts";
import { pathOf, refuseReadOnly, refuseUnsafePlace } from "./place.ts";
import { Store } from "./store.ts";

export interface SqliteOptions {
  /** Opens a file on a network file system, where SQLite's WAL is known to lose data. Default: refused. */
  readonly unsafeFileSystem?: boolean;
}

/** What the engine finds around it. Tests hand in others. */
export interface Surroundings {
  readonly load: () => Driver;
  readonly fileSystemType?: (directory: string) => number;
}

export const surroundings: Surroundings = { load: () => loadDriver() };

export function open(file: string, options: SqliteOptions, runtime: Runtime, around: Surroundings): Store {
  const path = pathOf(file);
  const Driver = around.load();
  if (options.unsafeFileSystem !== true) refuseUnsafePlace(path, around.fileSystemType);
  refuseReadOnly(path);
  try {
    return new Store({ path, runtime, ...connect(Driver, path, () => runtime.id()) });
  } catch (error) {
    throw failureOf(error, path);
  }
}
