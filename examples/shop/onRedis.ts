/**
 * Errand's store on Redis, and the shop's own table on SQLite: where REDIS_URL says, else on a server started for the run, which has each write on its disk before it
 * answers; else on this machine.
 */
import { join } from "node:path";
import { installation } from "../../test/redis/installations.ts";
import { freshPlace } from "../../test/redis/places.ts";
import { PrivateServer } from "../../test/redis/privateServer.ts";
import { redisMissing } from "../../test/redis/server.ts";
import type { Stores } from "./engines.ts";

const settings = { appendonly: "yes", appendfsync: "always", "maxmemory-policy": "noeviction" };

export async function freshStores(directory: string): Promise<Stores> {
  if (redisMissing !== undefined)
    throw new Error("--engine redis: nothing answers on 127.0.0.1:6379, and no redis-server is installed here; set REDIS_URL, or install one");
  const database = join(directory, "shop.db");
  if (process.env["REDIS_URL"] === undefined && installation() !== undefined) {
    const server = await PrivateServer.start({ settings });
    return { store: server.url, database, remove: () => server.stop() };
  }
  const place = await freshPlace();
  return { store: `${place.url}?prefix=${place.prefix}`, database, remove: () => place.done() };
}
