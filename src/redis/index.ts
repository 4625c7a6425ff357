/** The Redis engine: a Redis or Valkey server or cluster, any number of machines; as durable as the server is set to be. */
import type * as port from "../core/engine.ts";
import type { RedisClient, RedisCluster } from "./driver.ts";
import { RedisEngine } from "./redisEngine.ts";
import type { RedisOptions } from "./redisEngine.ts";

export type { RedisOptions };

/**
 * An engine that keeps everything in keys that begin with its prefix. `server`: a URL (`redis://host:6379/0`, or of a cluster `redis+cluster://host:7000,host:7001`), or a client or
 * a `Cluster` of `ioredis` or `iovalkey`, after which errand makes connections of its own; it stays the app's. With one partition a Cluster gives
 * fail-over, not more throughput; `partitions` spreads a store over its nodes.
 * Throws when it is opened: `engine-missing`, `store-denied`, `store-foreign`, `store-newer`, `store-readonly`, `store-unsafe`, `store-unreachable`.
 *
 * ```ts
 * const work = broker(redis("redis://localhost:6379"), orders, mail);
 * ```
 */
export function redis(server: string | RedisClient | RedisCluster, options: RedisOptions = {}): port.Engine {
  return new RedisEngine(server, options);
}
