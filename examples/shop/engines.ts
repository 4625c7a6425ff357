/** The engines that the shop can run on: for each, the URL of errand's store, and where the shop's own table lies: in the same database, or with Redis in a file. */
import { join } from "node:path";

export interface Stores {
  /** Of errand. */
  readonly store: string;
  /** Of the shop: a file, or the URL of a database with its schema. */
  readonly database: string;
  /** Takes away what would outlive the run's directory. */
  remove(): Promise<void>;
}

export const engines: Readonly<Record<string, (directory: string) => Promise<Stores>>> = {
  sqlite: (directory) => {
    const file = join(directory, "shop.db");
    return Promise.resolve({ store: `sqlite:${file}`, database: file, remove: () => Promise.resolve() });
  },
  postgres: async () => (await import("./onPostgres.ts")).freshStores(),
  redis: async (directory) => (await import("./onRedis.ts")).freshStores(directory),
};
