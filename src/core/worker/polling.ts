/**
 * How soon a worker looks again for work that nobody told it of. Where wake-ups are heard, looking only covers those that were lost. Where they are not, as behind a
 * pooler, it is all there is: then it looks often for as long as work comes, and seldom again when none has come for a while.
 */
import { pollBusyForMs, pollBusyMs, pollIdleMs } from "../defaults.ts";
import type { Engine } from "../engine.ts";
import type { Ms, Runtime } from "../runtime.ts";
import { jittered } from "./backoff.ts";

export class Polling {
  readonly #engine: Pick<Engine, "isHearing">;
  readonly #runtime: Pick<Runtime, "monotonic" | "random">;
  #cameAt: number = Number.NEGATIVE_INFINITY;

  constructor({ engine, runtime }: { readonly engine: Pick<Engine, "isHearing">; readonly runtime: Pick<Runtime, "monotonic" | "random"> }) {
    this.#engine = engine;
    this.#runtime = runtime;
  }

  /** A claim gave work. */
  came(): void {
    this.#cameAt = this.#runtime.monotonic();
  }

  /** Jittered, so that workers which found the same work do not go on looking at the same moments. */
  nextMs(): Ms {
    const { isHearing = true } = this.#engine;
    const isBusy = !isHearing && this.#runtime.monotonic() - this.#cameAt < pollBusyForMs;
    return jittered(isBusy ? pollBusyMs : pollIdleMs, this.#runtime.random());
  }
}
