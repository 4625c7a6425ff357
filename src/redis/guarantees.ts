/** What holds here, and what is weaker than the guarantees' wording. */
import type { Guarantees } from "../core/engine.ts";
import { saidOf } from "./durability.ts";
import type { Durability } from "./durability.ts";

export function guaranteesOf(durability: Durability, beatsFromThread: boolean): Guarantees {
  return {
    engine: "redis",
    durability: saidOf(durability),
    beatsFromThread,
    weaker: {
      ...(durability.disk !== "aof-always" && {
        G1: `Survives what the server is set to survive, now ${durability.disk}: ${lostBy(durability)} What is lost is noticed: a new era begins, and reconciliations find it.`,
      }),
      G3: "This and G4 to G12 hold within an era. A server that may have lost writes (restarted, promoted or emptied) begins a new one: what was claimed in the old one is void, its fences do not come again, and a job that was stored, cancelled or ended may be as it was before, or gone; what has a reconciler is found again.",
      G13: "Where no child process can be had, a job runs alone in its worker and is quarantined at the second death alone.",
      G17: "Holds within an era: a lock of the old one is void with the next beat, and its fence does not come again.",
      ...(!beatsFromThread && { G20: "The main loop beats: a handler that blocks the event loop longer than a lease may lose it." }),
    },
  };
}

function lostBy({ disk, replicas }: Durability): string {
  const lost =
    disk === "memory" ? "all since the last snapshot, or everything, by a stop or crash of the server." : "the last second or two, by a crash of the server.";
  return replicas === 0 ? `it may lose ${lost}` : `where no replica that has it is promoted, it may lose ${lost}`;
}
