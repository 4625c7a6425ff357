/** A folder beside the user's file, so that the run is on the same disk. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { ErrandError } from "../../core/errors.ts";
import type { Place } from "./place.ts";

export function sqlitePlace(file: string, name: string): Place {
  const folder = path.join(path.dirname(path.resolve(file)), name);
  if (!existsSync(path.dirname(folder))) throw new ErrandError("option-invalid", `the directory of ${path.resolve(file)} does not exist; create it first`);
  mkdirSync(folder);
  const store = path.join(folder, "store.db");
  return {
    name: `sqlite:${store}`,
    servers: [],
    whyNoServers: "a file is reached without a network",
    file: store,
    reach: () => ({ by: "url", url: `sqlite:${store}` }),
    remove: () => Promise.resolve(rmSync(folder, { recursive: true, force: true, maxRetries: 5 })),
    byHand: `rm -r ${folder}`,
  };
}
