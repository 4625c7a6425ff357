/** What holds here, and what is weaker than the guarantees' wording. */
import type { Guarantees } from "../core/engine.ts";

export function guaranteesOf(beatsFromThread: boolean): Guarantees {
  return {
    engine: "postgres",
    durability:
      "Survives kill -9 of everything and a power cut (synchronous_commit is forced on for accept and settle), as far as the server keeps fsync on and its disk what it says it has written.",
    beatsFromThread,
    weaker: {
      G1: "An asynchronous standby that is promoted lacks the last commits. A new era begins then: what was claimed or locked in the old one is void, its fences do not come again, and reconciliations find what is lost. A synchronous standby lacks nothing.",
      G6: "What a caller's open transaction enqueues meets the jobs that runs enqueue meanwhile (job.enqueue) only after its commit: if such a job has taken the unique key by then, it stands for both.",
      G13: "Where no child process can be had, a job runs alone in its worker and is quarantined at the second death alone.",
      ...(!beatsFromThread && { G20: "The main loop beats: a handler that blocks the event loop longer than a lease may lose it." }),
    },
  };
}
