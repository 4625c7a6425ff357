/** Jobs that were tried before take at most a fifth of the starts while a breaker ramps: a backlog of retries must not push new work aside. */
import { breakerRetryShare } from "../defaults.ts";

/** What a start of a new job gives to retries. */
const perStart = breakerRetryShare / (1 - breakerRetryShare);
const savedMax = 10;
/** After so many retries in a row there is nothing else to be started: then a fifth of them may. */
const onlyRetries = 10;

export class RetryBudget {
  #tokens = 1;
  #inRow = 0;

  /** Whether a job may start now, at this attempt. */
  admits(attempt: number): boolean {
    if (attempt === 1) {
      this.#inRow = 0;
      this.#tokens = Math.min(savedMax, this.#tokens + perStart);
      return true;
    }
    if (++this.#inRow > onlyRetries) this.#tokens += breakerRetryShare;
    // The sum of many small parts is a little less than whole.
    if (this.#tokens < 1 - 1e-9) return false;
    this.#tokens -= 1;
    return true;
  }
}
