/**
 * The one place where this example differs from yours: an app writes `from "errand"`.
 * Here the name would lead to the built package, and the demonstration has to run straight from the sources.
 */
export { broker, event, task, when } from "../../src/index.ts";
export type { Broker, RunningWorker } from "../../src/index.ts";
