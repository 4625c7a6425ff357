/** A system on Redis, as the questions use it. */
import type { WorkingSystem } from "../working.ts";

export interface RedisSystem extends WorkingSystem {
  /** Default: a server. */
  readonly on?: "server" | "cluster";
  /** Claims by its own verb, one after the other, each with the settlement of the one before: ms of each. Absent: it has no such verb. */
  claims?(url: string, times: number): Promise<readonly number[]>;
}
