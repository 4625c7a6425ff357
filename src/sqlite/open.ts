/** Opens the file, after making sure that it may be: the place, the driver, the library, the tables. */
import { resolve } from "node:path";
import type { Runtime } from "../core/runtime.ts";
import { connect } from "./connection.ts";
import { loadDriver } from "./driver.ts";
import type { Driver, DriverName } from "./driver.ts";
import { failureOf } from "./failure.ts";
import { pathOf, refuseReadOnly, refuseUnsafePlace } from "./place.ts";
import { Store } from "./store.ts";

export interface SqliteOptions {
  /** Opens a file on a network file system, where SQLite's WAL is known to lose data. Default: refused. */
  readonly unsafeFileSystem?: boolean;
  /**
   * The library that opens the file. It must be the one that the app itself opens the same file with in this process: two libraries, or two copies of one,
   * do not see each other's locks there, and lose each other's commits. Default: better-sqlite3.
   */
  readonly driver?: DriverName;
}

export const defaultDriver: DriverName = "better-sqlite3";

/** What the engine finds around it. Tests hand in others. */
export interface Surroundings {
  readonly load: (name: DriverName) => Driver;
  readonly fileSystemType?: (place: string) => number;
}

export const surroundings: Surroundings = { load: loadDriver };

export function open(file: string, options: SqliteOptions, runtime: Runtime, around: Surroundings): Store {
  const { path, Driver } = placeFor(file, options, around);
  try {
    return new Store({ path, named: resolve(file), runtime, ...connect(Driver, path, () => runtime.id()) });
  } catch (error) {
    throw failureOf(error, path);
  }
}

/** Makes sure that the file may be there, and opened by that library. */
export function placeFor(file: string, options: SqliteOptions, around: Surroundings): { readonly path: string; readonly Driver: Driver } {
  const path = pathOf(file);
  const Driver = around.load(options.driver ?? defaultDriver);
  if (options.unsafeFileSystem !== true) refuseUnsafePlace(path, around.fileSystemType);
  refuseReadOnly(path);
  return { path, Driver };
}
