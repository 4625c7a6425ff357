/** Of the starts of one process while a breaker ramps, jobs that were tried before take at most a fifth: a backlog of retries must not push new work aside. */
import { breakerRetryShare } from "../defaults.ts";

/** What a start of a job that was not tried before gives to those that were. */
const perStart = breakerRetryShare / (1 - breakerRetryShare);
const savedMax = 10;

export class RetryBudget {
  #saved = 0;

  /** How many that were tried before may start now. */
  get most(): number {
    // The sum of many small parts is a little less than whole.
    return Math.floor(this.#saved + 1e-9);
  }

  started(wasTried: boolean): void {
    this.#saved = wasTried ? Math.max(0, this.#saved - 1) : Math.min(savedMax, this.#saved + perStart);
  }
}
