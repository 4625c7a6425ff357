/**
 * The one place where this example differs from yours: an app writes `from "errand"`, "errand/redis" and "errand/sqlite".
 * Here the name would lead to the built package, and the demonstration has to run straight from the sources.
 */
export { broker, event, task, when } from "../../src/index.ts";
export type { Broker, Engine, RunningWorker } from "../../src/index.ts";
export { redis } from "../../src/redis/index.ts";
export { sqlite } from "../../src/sqlite/index.ts";
