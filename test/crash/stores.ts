/** The stores that real processes are killed on. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freshPlace } from "../postgres/places.ts";
import { postgresMissing } from "../postgres/server.ts";
import { freshPlace as freshPrefix } from "../redis/places.ts";
import { redisMissing } from "../redis/server.ts";

export interface CrashStore {
  readonly url: string;
  dispose(): void | Promise<void>;
}

export interface StoreUnderTest {
  readonly name: string;
  /** Why it cannot be tested here, if so. */
  readonly skip: string | false;
  /** Of the app, that errand's work can be part of. */
  readonly hasTransactions: boolean;
  fresh(): Promise<CrashStore>;
}

export const stores: readonly StoreUnderTest[] = [
  {
    name: "sqlite",
    skip: false,
    hasTransactions: true,
    fresh: () => {
      const folder = mkdtempSync(join(tmpdir(), "errand-crash-"));
      return Promise.resolve({ url: `sqlite:${join(folder, "store.db")}`, dispose: () => rmSync(folder, { recursive: true, force: true }) });
    },
  },
  {
    name: "postgres",
    skip: postgresMissing ?? false,
    hasTransactions: true,
    fresh: async () => {
      const { url, schema, pool, done } = await freshPlace();
      const dispose = async (): Promise<void> => {
        // The app's own, which the next one that gets this place has not made.
        await pool.query(`DROP TABLE IF EXISTS charges_of_${schema}`);
        await done();
      };
      return { url: `${url}?schema=${schema}`, dispose };
    },
  },
  {
    name: "redis",
    skip: redisMissing ?? false,
    hasTransactions: false,
    fresh: async () => {
      const { url, prefix, done } = await freshPrefix();
      return { url: `${url}?prefix=${prefix}`, dispose: done };
    },
  },
];
