/** Jobs that were tried before take at most a fifth of the starts while a breaker ramps and as many new ones come up: a backlog of retries must not push new work aside. */
import { breakerRetryShare } from "../defaults.ts";

/** What a start of a new job gives to retries. */
const perStart = breakerRetryShare / (1 - breakerRetryShare);
const savedMax = 10;

export class RetryBudget {
  #tokens = 1;
  #putOffs = 0;

  /**
   * Whether a job may start now, at this attempt. To put it off costs a start of the ramp all the same: so for each start of a new job one retry is put off,
   * no more than `inRowMost` in a row, and where there is nothing but retries, all of them start.
   */
  admits(attempt: number, inRowMost: number): boolean {
    if (attempt === 1) {
      this.#tokens = Math.min(savedMax, this.#tokens + perStart);
      this.#putOffs = Math.min(inRowMost, this.#putOffs + 1);
      return true;
    }
    // The sum of many small parts is a little less than whole.
    if (this.#tokens >= 1 - 1e-9) this.#tokens -= 1;
    else if (this.#putOffs < 1) return true;
    else {
      this.#putOffs -= 1;
      return false;
    }
    return true;
  }
}
