/** What holds here, and what is weaker than the guarantees' wording. */
import type { Guarantees } from "../core/engine.ts";
import { saidOf } from "./durability.ts";
import type { Durability } from "./durability.ts";

export interface StoreKind {
  readonly beatsFromThread: boolean;
  readonly isCluster?: boolean;
  readonly partitions?: number;
}

export function guaranteesOf(durability: Durability, { beatsFromThread, isCluster = false, partitions = 1 }: StoreKind): Guarantees {
  return {
    engine: "redis",
    durability: isCluster ? `${saidOf(durability)} ${inCluster(durability, partitions)}` : saidOf(durability),
    beatsFromThread,
    weaker: {
      ...((durability.disk !== "aof-always" || isCluster) && {
        G1: `Survives what the server is set to survive, now ${durability.disk}: ${lostBy(durability, isCluster)} What is lost is noticed: a new era begins, and reconciliations find it.`,
      }),
      G3: "This and G4 to G12 hold within an era. A server that may have lost writes (restarted, promoted or emptied) begins a new one: what was claimed in the old one is void, its fences do not come again, and a job that was stored, cancelled or ended may be as it was before, or gone; what has a reconciler is found again.",
      G13: "Where no child process can be had, a job runs alone in its worker and is quarantined at the second death alone.",
      G15: "No transaction of an app can complete a job here (job.commit): a premise holds when it is checked, right before the run, and no later.",
      G17: "Holds within an era: a lock of the old one is void with the next beat, and its fence does not come again.",
      ...(partitions > 1 && between),
      ...(!beatsFromThread && { G20: [mainLoopBeats, ...(partitions > 1 ? [between.G20] : [])].join(" ") }),
    },
  };
}

const mainLoopBeats = "The main loop beats: a handler that blocks the event loop longer than a lease may lose it.";

/** What holds within each of several partitions, and less between them. */
const between = {
  G6: "A unique key holds over all partitions; once a job has gone on from the one of its unique key to that of its lane or its limits, replace and debounce leave it as it is. One that waits for its join, or for what it comes after, in another partition comes to its key when that lets it go. An id is compared within the partition that the job's keys lead to: handed in again with other keys, it may be stored once more in another one.",
  G7: "Where a lane is closed by a death, one that was admitted and has gone on to the partition of its limits may start all the same. One that waited for its join, or for what it comes after, in another partition stands behind those that were in the lane by then.",
  G8: "Holds within a partition. Between them the one with the most urgent job is asked first, by what it had ready up to a second ago, and one claim is filled from it before the next is asked.",
  G9: "A job that has limits by key in several partitions passes them in the order of their names. What it was given in those that it passed it holds until it ends, also between two tries; its start counts there from its end on. A limit over all keys, or a resource, is lent by one partition to the others, to each what it needs; where that is more than there is, each has its share of it or its turn, and the most urgent job goes first within its partition. What a partition was lent is not used elsewhere while it is away, and a limit that is new then lets nothing run until it is back.",
  G11: "A job that comes after things in several partitions waits for those in one after the other: that one has ended otherwise than asked is seen when those before it have ended. What one call stores in other partitions than its first is not refused there: a member whose batch has closed ends cancelled, and a batch that lacks members is sealed without them.",
  G19: "A member that ran in another partition than its join is kept with its join for those who ask by the join or by its id, and one that others come after where they do; lists and counts tell of it as long as it says, counted from its end. Pages go by when each partition stored a job, by its own clock, and of one instant by id.",
  G20: "While one partition is away, the others go on; what dead workers left in it is taken back a lease after it is there again, and locks count as lost by then, since theirs may be the one that is away.",
} as const;

function inCluster({ replicas }: Durability, partitions: number): string {
  const lost = replicas === 0 ? "writes that the promoted replica had not been told of, mostly those of the last moment" : "what the promoted replica lacks";
  const keys = partitions === 1 ? "With one partition a Cluster gives fail-over, not more throughput: all keys are on one of its nodes. " : "";
  return `${keys}A fail-over loses ${lost}.`;
}

function lostBy({ disk, replicas }: Durability, isCluster: boolean): string {
  if (disk === "aof-always") return "a fail-over loses what the promoted replica lacks.";
  const lost =
    disk === "memory" ? "all since the last snapshot, or everything, by a stop or crash of the server." : "the last second or two, by a crash of the server.";
  const before = isCluster
    ? "a fail-over loses what the promoted replica lacks, and without one "
    : replicas > 0
      ? "where no replica that has it is promoted, "
      : "";
  return `${before}it may lose ${lost}`;
}
