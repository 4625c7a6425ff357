/** The Redis engine: a Redis or Valkey server, any number of machines; as durable as the server is set to be. */
import type * as port from "../core/engine.ts";
import type { RedisClient } from "./driver.ts";
import { RedisEngine } from "./redisEngine.ts";
import type { RedisOptions } from "./redisEngine.ts";

export type { RedisOptions };

/**
 * An engine that keeps everything in keys that begin with its prefix. `server`: a URL, or a client of `ioredis` or `iovalkey`, after which errand makes connections
 * of its own; the client stays the app's.
 * Throws when it is opened: `engine-missing`, `store-denied`, `store-foreign`, `store-newer`, `store-readonly`, `store-unsafe`, `store-unreachable`.
 *
 * ```ts
 * const work = broker(redis("redis://localhost:6379"), orders, mail);
 * ```
 */
export function redis(server: string | RedisClient, options: RedisOptions = {}): port.Engine {
  return new RedisEngine(server, options);
}
