/** The engines the shop can run on: for each, the store's URL. The shop's own table lives in `databaseIn(directory)` whatever the engine. */
import { join } from "node:path";

export const engines: Readonly<Record<string, (directory: string) => string>> = {
  sqlite: (directory) => `sqlite:${databaseIn(directory)}`,
};

export function databaseIn(directory: string): string {
  return join(directory, "shop.db");
}
