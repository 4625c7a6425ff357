/**
 * The one place where this example differs from yours: an app writes `from "errand"`.
 * Here the name would lead to the built package, and the demonstration has to run straight from the sources.
 */
export { batch, broker, chain, giveUp, skip, snooze, task } from "../../src/index.ts";
export type { Broker, Errand } from "../../src/index.ts";
