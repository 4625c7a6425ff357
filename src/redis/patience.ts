/** Makes a call again that a cluster refused: it is without the keys' node for a moment whenever it moves them or one of its nodes fails. */
import { redisAgainFirstMs, redisAgainUpToMs, redisClusterMs } from "../core/defaults.ts";
import { ErrandError } from "../core/errors.ts";
import type { Runtime } from "../core/runtime.ts";
import { answerOf } from "./failure.ts";

export type Clock = Pick<Runtime, "after" | "monotonic" | "random">;

/** Without a clock only once, and at once. Throws what the last call threw. */
export async function patiently<T>(clock: Clock | undefined, call: () => Promise<T>): Promise<T> {
  let until: number | undefined;
  for (let tries = 0; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (!isPassing(error)) throw error;
      // The next call asks the nodes which one it is.
      if (tries === 0 && answerOf(error).word === "MOVED") continue;
      if (clock === undefined) throw error;
      until ??= clock.monotonic() + redisClusterMs;
      const waitMs = clock.random() * Math.min(redisAgainUpToMs, redisAgainFirstMs * 2 ** Math.min(tries, 30));
      if (clock.monotonic() + waitMs >= until) throw error;
      await new Promise<void>((over) => void clock.after(waitMs, over));
    }
  }
}

/** Nothing was done, and the next node, or this one a little later, may do it. */
function isPassing(error: unknown): boolean {
  if (!ErrandError.is(error) || !error.isDefinite) return false;
  return error.code === "store-unreachable" || error.code === "store-readonly" || ["ASK", "TRYAGAIN"].includes(answerOf(error).word ?? "");
}
