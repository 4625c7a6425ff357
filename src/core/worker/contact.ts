/** Whether the store can be reached, for how long it was, and when to try again. */
import { reconnectFirstMs } from "../defaults.ts";
import { ErrandError } from "../errors.ts";
import type { Meter } from "../metrics/meter.ts";
import type { Logger, Ms, Runtime } from "../runtime.ts";
import { reconnectDelayMs } from "./backoff.ts";

export type Call = "claim" | "beat" | "tidy" | "find";

/** A time without a gap. */
interface Spell {
  readonly from: number;
  to: number;
}

/** A store that comes and goes that often within a lease is hardly there. */
const spellsMost = 50;
/** Beats may be so many intervals apart without a gap. */
const gapBeats = 2;

export class Contact {
  readonly #runtime: Runtime;
  readonly #log: Logger;
  readonly #meter: Meter;
  readonly #beatEveryMs: Ms;
  readonly #failing: Set<Call> = new Set();
  /** The latest first. */
  #spells: Spell[] = [];
  #isCut = true;
  #failedAt = 0;
  #failures = 0;

  constructor({ runtime, log, meter }: { readonly runtime: Runtime; readonly log: Logger; readonly meter: Meter }, beatEveryMs: Ms) {
    this.#runtime = runtime;
    this.#log = log;
    this.#meter = meter;
    this.#beatEveryMs = beatEveryMs;
  }

  reached(call: Call): void {
    const now = this.#runtime.monotonic();
    const [last] = this.#spells;
    if (last === undefined || this.#isCut || this.#isGap(now - last.to)) this.#spells = [{ from: now, to: now }, ...this.#spells.slice(0, spellsMost - 1)];
    else last.to = now;
    this.#isCut = false;
    if (call === "claim") this.#failures = 0;
    if (this.#failing.delete(call) && this.#failing.size === 0) this.#log.info({ afterMs: Math.round(now - this.#failedAt) }, "the store answers again");
  }

  failed(call: Call, error: unknown): void {
    this.#isCut = true;
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

  /**
   * `missingMs`: how much longer the store must be reached until it was for `ms` (G20). Once that is 0, `awayMs` is how long it was not, between the first and the last of them:
   * meanwhile nobody could renew a lease, nor in the time that others take to be back, so leases that ended later than so long ago mean nothing.
   */
  within(ms: Ms): { readonly missingMs: Ms; readonly awayMs: Ms } {
    const now = this.#runtime.monotonic();
    const [last] = this.#spells;
    if (last === undefined || this.#isCut || this.#failing.size > 0 || this.#isGap(now - last.to))
      return { missingMs: Math.max(reconnectFirstMs, ms), awayMs: 0 };
    let missingMs = ms;
    for (const [nth, { from, to }] of this.#spells.entries()) {
      const isFirst = nth === this.#spells.length - 1;
      const end = nth === 0 ? now : to;
      const reachedMs = Math.max(0, end - from - (isFirst ? 0 : this.#beatEveryMs));
      if (reachedMs >= missingMs) return { missingMs: 0, awayMs: now - (end - missingMs) - ms };
      missingMs -= reachedMs;
    }
    return { missingMs, awayMs: 0 };
  }

  #isGap(ms: Ms): boolean {
    return ms > gapBeats * this.#beatEveryMs;
  }
}

/** True: the call changed nothing. */
export function isDefinite(error: unknown): boolean {
  return ErrandError.is(error) && error.isDefinite;
}
