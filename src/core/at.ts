/** The `at` of a call to the engine: empty in production, the virtual store time in tests. */
import type { At } from "./engine.ts";
import type { Runtime } from "./runtime.ts";

const production: At = {};

export function at(runtime: Runtime): At {
  return runtime.storeTime === undefined ? production : { now: runtime.storeTime() };
}
