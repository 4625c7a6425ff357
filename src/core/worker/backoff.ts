/** How long to wait: before a job's next attempt, and before the store is asked again. */
import { jitter, reconnectFirstMs, reconnectUpToMs } from "../defaults.ts";
import type { RetryPolicy } from "../policy.ts";
import type { Ms } from "../runtime.ts";

/** The ceiling holds before jitter, and jitter only lengthens: a fleet that failed together does not come back together. */
export function retryDelayMs(policy: RetryPolicy, attempt: number, random: number): Ms {
  const factor = policy.backoff === "fixed" ? 1 : 2 ** Math.min(attempt - 1, 52);
  return Math.round(Math.min(policy.upToMs, policy.firstMs * factor) * (1 + jitter * random));
}

/** Full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter), so that a returning store is not met by all at once. */
export function reconnectDelayMs(failures: number, random: number): Ms {
  return Math.ceil(random * Math.min(reconnectUpToMs, reconnectFirstMs * 2 ** Math.min(failures - 1, 30)));
}

/** Three quarters to five quarters of it. */
export function jittered(ms: Ms, random: number): Ms {
  return ms * (0.75 + random / 2);
}
