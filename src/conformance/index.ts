/**
 * The door "errand/conformance": the guarantees of errand as laws that any engine can be held to, under any test runner.
 *
 *     import { test } from "node:test";
 *     import { holdTo, laws, type EngineMaker } from "errand/conformance";
 *     const maker: EngineMaker = {
 *       name: "mine",
 *       open: () => { const file = freshFile(); return { engine: () => mine(file), dispose: () => remove(file) }; },
 *     };
 *     for (const law of laws) test(law.name, () => holdTo(law, maker));
 *
 * Each law opens a store of its own, lets any number of processes share it under one virtual clock, and throws {@link LawBroken}
 * with what was expected and what came. An engine holds a law on its own or says in its `guarantees()` what is weaker.
 *
 * An engine takes the store's time from `at.now`, which every call carries here, and its timers from `host.runtime`. One that has its store
 * in another process must answer within a few turns of the event loop or through the promise that the verb returned: a law waits for those.
 */
import type { Law } from "./law.ts";
import { World, type EngineMaker } from "./world.ts";

/** Runs one law on a fresh store. Rejects where it does not hold. */
export async function holdTo(law: Law, maker: EngineMaker): Promise<void> {
  const world = await World.open(maker);
  try {
    await law.run(world);
  } catch (error) {
    await world.dispose().catch(() => undefined); // the law's own failure says more
    throw error;
  }
  await world.dispose();
}

export { LawBroken } from "./expect.ts";
export { laws } from "./laws.ts";
export type { Guarantee, Law } from "./law.ts";
export type { Process } from "./process.ts";
export type { Run } from "./runs.ts";
export type { ServerAddress, SharedEngine } from "./sharedEngine.ts";
export { World, type AppStore, type EngineMaker, type ProcessOptions, type TestStore } from "./world.ts";
export type * from "../core/engine.ts";
export * from "../core/notes.ts";
export type { BeatConnection, BeatSource, Instant, Ms, Runtime } from "../core/runtime.ts";
