/** A Runtime in which nothing happens by itself: the model test moves the clock, and no timer ever fires. */
import type { Runtime } from "../../src/core/runtime.ts";

export function stillRuntime(): Runtime {
  let made = 0;
  const log = { debug(): void {}, info(): void {}, warn(): void {}, error(): void {} };
  return {
    now: () => 1_700_000_000_000,
    monotonic: () => 0,
    after: () => ({ cancel: () => {} }),
    soon: () => {},
    random: () => 0.5,
    id: () => (++made).toString(16).padStart(32, "0"),
    startBeat: () => ({ stop: async () => {} }),
    log,
  };
}
