/** Whether the store can be reached, since when without a gap, and when to try again. */
import { reconnectFirstMs } from "../defaults.ts";
import { ErrandError } from "../errors.ts";
import type { Meter } from "../metrics/meter.ts";
import type { Logger, Ms, Runtime } from "../runtime.ts";
import { reconnectDelayMs } from "./backoff.ts";

export type Call = "claim" | "beat" | "tidy" | "find";

export class Contact {
  readonly #runtime: Runtime;
  readonly #log: Logger;
  readonly #meter: Meter;
  readonly #gapMaxMs: Ms;
  readonly #failing: Set<Call> = new Set();
  #since: number | undefined;
  #last = 0;
  #failedAt = 0;
  #failures = 0;

  constructor({ runtime, log, meter }: { readonly runtime: Runtime; readonly log: Logger; readonly meter: Meter }, gapMaxMs: Ms) {
    this.#runtime = runtime;
    this.#log = log;
    this.#meter = meter;
    this.#gapMaxMs = gapMaxMs;
  }

  reached(call: Call): void {
    const now = this.#runtime.monotonic();
    if (this.#since === undefined || now - this.#last > this.#gapMaxMs) this.#since = now;
    this.#last = now;
    if (call === "claim") this.#failures = 0;
    if (this.#failing.delete(call) && this.#failing.size === 0) this.#log.info({ afterMs: Math.round(now - this.#failedAt) }, "the store answers again");
  }

  failed(call: Call, error: unknown): void {
    this.#since = undefined;
    this.#meter.failedCalls[call]++;
    if (call === "claim") this.#failures++;
    if (this.#failing.size === 0) {
      this.#failedAt = this.#runtime.monotonic();
      this.#log.error({ err: error, call }, "the store cannot be reached or refuses to answer; the worker keeps its outcomes and tries again");
    }
    this.#failing.add(call);
  }

  /** Before the next claim: at most a second, so that work goes on within two seconds of the store's return. */
  nextTryMs(): Ms {
    return Math.max(1, reconnectDelayMs(Math.max(1, this.#failures), this.#runtime.random()));
  }

  /** How long until the store was reached without a gap for `ms`; 0: it was (G20). */
  untilSteadyMs(ms: Ms): Ms {
    const now = this.#runtime.monotonic();
    if (this.#since === undefined || this.#failing.size > 0 || now - this.#last > this.#gapMaxMs) return Math.max(reconnectFirstMs, ms);
    return Math.max(0, ms - (now - this.#since));
  }
}

/** True: the call changed nothing. */
export function isDefinite(error: unknown): boolean {
  return ErrandError.is(error) && error.isDefinite;
}
