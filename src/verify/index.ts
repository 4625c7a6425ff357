/** What `errand verify` runs: a fault run on a store of the user's, in a place of its own there. */
import { pathToFileURL } from "node:url";
import path from "node:path";
import { ErrandError } from "../core/errors.ts";
import { realRuntime } from "../runtime/real.ts";
import { engineOf, isRedis, postgresStoreOf } from "../stores.ts";
import { run, type RunOptions, type RunReport } from "./run.ts";
import { modulePlace } from "./stores/modulePlace.ts";
import { placeName, type Place } from "./stores/place.ts";
import { postgresPlace } from "./stores/postgresPlace.ts";
import { redisPlace } from "./stores/redisPlace.ts";
import { sqlitePlace } from "./stores/sqlitePlace.ts";

export { reportText } from "./report.ts";
export type { RunReport } from "./run.ts";

export interface VerifyOptions extends Omit<RunOptions, "place" | "opened"> {
  /** A URL, or the path of a module whose default export is a SharedEngine. */
  readonly store: string;
}

export interface Verified {
  readonly report: RunReport;
  /** What could not be taken away, and how to do it by hand. */
  readonly left: string | undefined;
}

/** A file of JavaScript or TypeScript, not a URL. */
export function isModule(store: string): boolean {
  return /\.[cm]?[jt]s$/.test(store) && !/^[a-z+]+:/.test(store);
}

/** Throws what keeps it from running, and the reason of its signal. Whatever it made is taken away first; the error says what could not be. */
export async function verify({ store, ...options }: VerifyOptions): Promise<Verified> {
  const place = await placeIn(store);
  options.progress(`in ${place.name}, which is taken away at the end; should this process be killed: ${place.byHand}`);
  let report: RunReport;
  let isMade = false;
  try {
    report = await run({ ...options, place, opened: () => (isMade = true) });
  } catch (error) {
    const left = await takeAway(place);
    throw left === undefined || !isMade
      ? error
      : new ErrandError("store-failed", `${error instanceof Error ? error.message : String(error)}; ${left}`, { cause: error });
  }
  return { report, left: await takeAway(place) };
}

async function takeAway(place: Place): Promise<string | undefined> {
  try {
    await place.remove();
    return undefined;
  } catch (error) {
    return `${place.name} is left: ${error instanceof Error ? error.message : String(error)}; take it away by hand: ${place.byHand}`;
  }
}

/** Throws `engine-unknown`, `option-invalid`, `definition-invalid`, and what a server answers. */
async function placeIn(store: string): Promise<Place> {
  const name = placeName(realRuntime().id());
  if (isModule(store)) return modulePlace(pathToFileURL(path.resolve(store)).href);
  const ofPostgres = postgresStoreOf(store);
  if (ofPostgres !== undefined) return postgresPlace(ofPostgres.database, name);
  if (isRedis(store)) return redisPlace(store, name);
  const file = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(store)?.[1];
  engineOf(store); // refuses what names no store
  if (file !== undefined) return sqlitePlace(file, name);
  throw new ErrandError("not-supported", "memory: is a store within one process, which nothing survives; verify one that processes share");
}
