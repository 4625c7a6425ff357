/** A system on Redis, as the questions use it. */
import type { Producer, WorkingSystem } from "../working.ts";

export interface RedisSystem extends WorkingSystem {
  /** Default: a server. */
  readonly on?: "server" | "cluster";
  produce(url: string): Promise<RedisProducer>;
  /** Claims by its own verb, one after the other, each with the settlement of the one before: ms of each. Absent: it has no such verb. */
  claims?(url: string, times: number): Promise<readonly number[]>;
}

export interface RedisProducer extends Producer {
  /** In one call, to start at this time and not before, in ms since 1970. */
  enqueueDue?(ids: readonly number[], at: number): Promise<unknown>;
}
