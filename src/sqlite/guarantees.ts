/** What holds here, and what is weaker than the guarantees' wording. */
import type { Guarantees } from "../core/engine.ts";

export const guarantees: Guarantees = {
  engine: "sqlite",
  durability: "Survives kill -9 of everything and a power cut (synchronous=FULL), as far as the disk keeps what it says it has written.",
  beatsFromThread: true,
  weaker: {
    G13: "Where no child process can be had, a job runs alone in its worker and is quarantined at the second death alone.",
    G21: "Time is the clock of the machine that holds the file; within the file it never goes back.",
  },
};
