/** Whether a store is there, before opening it would make it: a misspelt name must not become an empty store. */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { didYouMean } from "../core/names.ts";
import { isStoreThere } from "../storeCare.ts";
import { isRedis } from "../stores.ts";
import { usage } from "./arguments.ts";

/** The file of `sqlite:shop.db`; undefined for other stores. */
export function fileOf(url: string): string | undefined {
  const file = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(url)?.[1];
  return file === undefined ? undefined : path.resolve(file);
}

/** The URL of a store that was given as the name of a file. */
export function urlMeant(store: string): string | undefined {
  return !/^[a-z]+:/.test(store) && existsSync(store) ? `sqlite:${store}` : undefined;
}

/** Throws `cli-usage`. */
export async function refuseMissingStore(url: string): Promise<void> {
  if (url.startsWith("memory:")) throw usage("memory: is a store within one process, and this process has just begun; name the store that your app uses");
  refuseMissingFile(url);
  if (!(await isStoreThere(url))) throw usage(`no app and no worker has used that ${placeMeant(url)}`);
  const file = fileOf(url);
  if (file === undefined) return;
  if (await isWithoutTables(file)) throw usage(`${file} holds nothing of errand: no app and no worker has used it as a store yet; name another file`);
}

function placeMeant(url: string): string {
  return isRedis(url)
    ? "prefix as a store yet; name another one (?prefix=…), or another database (redis://host/0)"
    : "schema as a store yet; name another one (?schema=…), or make it: errand migrate";
}

/** Throws `cli-usage`. */
export function refuseMissingFile(url: string): void {
  const file = fileOf(url);
  if (file !== undefined && !existsSync(file)) throw usage(`there is no file ${file}${nearest(file) || "; name the store that your app and its workers use"}`);
}

function nearest(file: string): string {
  try {
    return didYouMean(
      path.basename(file),
      readdirSync(path.dirname(file)).filter((name) => /\.(?:db|sqlite3?)$/.test(name)),
    );
  } catch {
    return ""; // there is no such folder either
  }
}

/** A file that cannot be looked into is left to the engine, which says why. */
async function isWithoutTables(file: string): Promise<boolean> {
  try {
    const { default: Database } = await import("better-sqlite3");
    const database = new Database(file, { fileMustExist: true });
    try {
      return database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name GLOB 'errand_*' LIMIT 1").get() === undefined;
    } finally {
      database.close();
    }
  } catch {
    return false;
  }
}
