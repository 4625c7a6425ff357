/** What the engine writes to keep a store in order, and what people change. */
import assert from "node:assert/strict";
import { limitKey } from "../../src/core/notes.ts";
import { leaseMs } from "../../test/sqlite/bench.ts";
import { day, job, join } from "../../test/port/stage.ts";
import type { Hand } from "./hand.ts";
import type { Operation } from "./operations.ts";
import { claims, passes } from "./operationsOfJobs.ts";

const three = async (hand: Hand) => hand.enqueue(job("a"), job("b"), job("c"));
const tidies = async (hand: Hand) => hand.tidy();

export const upkeep: readonly Operation[] = [
  { name: "beats", prepared: [three, claims("c1", "a", "b", "c")], steps: [async (hand) => passes(hand, 1_000, async () => hand.beat())] },
  {
    name: "takes back what a process held",
    prepared: [three, claims("c1", "a", "b", "c")],
    steps: [async (hand) => passes(hand, leaseMs + 1, async () => hand.tidy())],
  },
  {
    name: "removes what has ended",
    prepared: [three, claims("c1", "a", "b", "c"), async (hand) => hand.settle(...["a", "b", "c"].map((id) => hand.outcome(id, "completed")))],
    steps: [async (hand) => passes(hand, day + 1, async () => hand.tidy())],
  },
  {
    name: "cancels, prioritises and deletes",
    prepared: [three],
    steps: [
      async (hand) => changes(hand, "a", "cancelled", { do: "cancel", reason: "not wanted" }),
      async (hand) => changes(hand, "b", "prioritised", { do: "prioritise", headStartMs: 1_000 }),
      async (hand) => changes(hand, "a", "deleted", { do: "delete" }),
    ],
  },
  {
    name: "cancels a batch",
    prepared: [async (hand) => hand.enqueue(join("J"), job("J-0", { join: "J" }), job("J-1", { join: "J" }))],
    steps: [async (hand) => hand.engine.change({ join: "J" }, { do: "cancel", reason: "not wanted" }, 100, {}), tidies],
  },
  { name: "changes a limit", prepared: [three], steps: [async (hand) => hand.write({ key: limitKey("few"), value: '{"running":1}' })] },
  {
    name: "locks and unlocks",
    prepared: [],
    steps: [
      async (hand) => hand.engine.lock({ name: "l", mode: "write", process: "p1", ticket: "t1", leaseMs, lastFence: 0 }, {}),
      async (hand) => hand.engine.lock({ name: "l", mode: "write", process: "p2", ticket: "t2", leaseMs, lastFence: 0 }, {}),
      async (hand) => hand.engine.unlock({ name: "l", ticket: "t1" }, {}),
    ],
  },
  {
    name: "copies the log back, and begins it anew",
    prepared: [three],
    steps: [copies("PASSIVE"), async (hand) => hand.enqueue(job("d")), copies("TRUNCATE"), async (hand) => hand.enqueue(job("e"))],
  },
];

/** As the engine does it once the log is large. */
export function copies(mode: "PASSIVE" | "TRUNCATE") {
  return (hand: Hand) => hand.connection.pragma(`wal_checkpoint(${mode})`, { simple: true });
}

async function changes(hand: Hand, id: string, is: string, change: Parameters<Hand["engine"]["change"]>[1]): Promise<void> {
  const { jobs } = await hand.engine.change({ ids: [id] }, change, 1, {});
  assert.deepEqual(jobs, [{ id, is }]);
}
