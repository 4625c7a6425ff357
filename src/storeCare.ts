/** What an operator does to a store beside using it, by its URL: making its schema, and looking for what is wrong with it. */
import type { Examination } from "./core/examination.ts";
import { ErrandError } from "./core/errors.ts";
import { examine as examinePostgres } from "./postgres/doctor/examine.ts";
import { bringToNow, isThere, printed } from "./postgres/bring.ts";
import { defaultSchema } from "./postgres/postgresEngine.ts";
import { examine as examineRedis, isThere as isRedisThere } from "./redis/doctor.ts";
import { isRedis, postgresStoreOf, withoutSecrets } from "./stores.ts";
import { examineFile } from "./sqlite/doctor.ts";

export interface Brought {
  readonly schema: string;
  /** The version that was there before; 0: there was nothing. */
  readonly from: number;
  readonly to: number;
}

/** Throws `not-supported`, and what opening it throws. */
export function migrate(url: string, schema: string | undefined): Promise<Brought> {
  const store = postgresOf(url, schema);
  return bringToNow(store.database, store.schema);
}

/** What `migrate` would do where nothing is yet. Connects to nothing. */
export function migrationOf(url: string, schema: string | undefined): string {
  return printed(postgresOf(url, schema).schema);
}

export async function examine(url: string, schema: string | undefined): Promise<Examination> {
  if (url.startsWith("sqlite:")) return examineFile(url.slice("sqlite:".length).replace(/^\/\/(?=\/)/, ""));
  if (isRedis(url)) return examineRedis(url);
  const store = postgresOf(url, schema);
  return examinePostgres(store.database, store.schema);
}

/** Whether the schema, or what begins with the prefix, holds a store: of files nothing is said. */
export async function isStoreThere(url: string): Promise<boolean> {
  if (isRedis(url)) return isRedisThere(url);
  if (postgresStoreOf(url) === undefined) return true;
  const { database, schema } = postgresOf(url, undefined);
  return isThere(database, schema);
}

function postgresOf(url: string, schema: string | undefined): { readonly database: string; readonly schema: string } {
  const store = postgresStoreOf(url);
  if (store !== undefined) return { database: store.database, schema: schema ?? store.schema ?? defaultSchema };
  throw new ErrandError("not-supported", `"${withoutSecrets(url)}" has no schema of its own; this is for postgres://user@host/database`);
}
