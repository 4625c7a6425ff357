/** What holds here, and what is weaker than the guarantees' wording. */
import type { Guarantees } from "../core/engine.ts";

export const guarantees: Guarantees = {
  engine: "memory",
  durability: "Nothing survives the process.",
  beatsFromThread: false,
  weaker: {
    G1: "What was accepted is lost with the process: this engine is for tests and for work that may vanish.",
    G15: "No transaction of an app can complete a job here (job.commit): a premise holds when it is checked, right before the run, and no later.",
    G20: "The main loop beats: a handler that blocks the event loop longer than a lease may lose it, and no job outlives the process.",
  },
};
