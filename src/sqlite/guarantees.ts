/** What holds here, and what is weaker than the guarantees' wording. */
import type { Guarantees } from "../core/engine.ts";

export const guarantees: Guarantees = {
  engine: "sqlite",
  durability: "Survives kill -9 of everything and a power cut (synchronous=FULL), as far as the disk keeps what it says it has written.",
  beatsFromThread: true,
  weaker: {
    G1: "In one process, only one copy of one SQLite library may have the file open: two do not see each other's locks, and lose each other's commits.",
    G13: "Where no child process can be had, a job runs alone in its worker and is quarantined at the second death alone.",
    G21: "Time is the clock of the machine that holds the file; within the file it never goes back.",
  },
};
