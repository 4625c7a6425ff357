/** G7: what a dead job does to the rest of its key: park, block or continue. */
import { giveUp } from "../../core/endings.ts";
import { task, type Task } from "../../core/task.ts";
import { equal, matches, present } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";
import { inOrder, type Entry } from "./order.ts";

type IfDead = "park" | "block" | "continue";

/** Job 1 of key "a" dies until it is mended. */
class Ledger {
  isMended = false;
  readonly entries: Task<Entry>;

  constructor(ifDead: IfDead) {
    this.entries = task<Entry>("ledger", {
      orderedBy: "key",
      ifDead,
      run: ({ key, n }) => (key === "a" && n === 1 && !this.isMended ? giveUp("no such account") : undefined),
    });
  }
}

interface Scene {
  readonly ledger: Ledger;
  readonly worker: Process;
  /** Of 1, 2 and 3 of key "a". */
  readonly ids: readonly string[];
}

/** Job 1 of key "a" has died, 2 and 3 were behind it. */
async function dead(world: World, ifDead: IfDead): Promise<Scene> {
  const ledger = new Ledger(ifDead);
  const worker = await world.worker({ entries: ledger.entries });
  const stored = await worker.broker.enqueue([1, 2, 3].map((n) => ledger.entries.with({ key: "a", n })));
  await world.until("the head has run", () => world.runs.length > 0);
  await world.advance("3s");
  return { ledger, worker, ids: stored.map(({ id }) => id) };
}

function statesOf(world: World, ids: readonly string[]): Promise<string[]> {
  return Promise.all(ids.map((id) => world.stateOf(id)));
}

function numbersRun(world: World): number[] {
  return world.runs.map((run) => (run.input as Entry).n);
}

const outcomes: readonly Law[] = lawsOf<{ ifDead: IfDead; states: readonly string[]; ran: readonly number[] }>(
  "G7",
  [
    { ifDead: "park", states: ["parked", "parked", "parked"], ran: [1] },
    { ifDead: "block", states: ["parked", "blocked", "blocked"], ran: [1] },
    { ifDead: "continue", states: ["dead", "completed", "completed"], ran: [1, 2, 3] },
  ],
  (row) => `ifDead ${row.ifDead}: after a death the key's jobs are ${row.states.join(", ")}`,
  async (world, row) => {
    const { ids } = await dead(world, row.ifDead);
    await world.advance("1m");
    equal(await statesOf(world, ids), row.states, "the states of the dead one and the two behind it");
    equal(numbersRun(world), row.ran, "what ran");
  },
);

const parking: readonly Law[] = [
  law("G7", "park: what arrives at a parked key is parked too, and other keys flow", async (world) => {
    const { ledger, worker } = await dead(world, "park");
    const [late, other] = await worker.broker.enqueue([ledger.entries.with({ key: "a", n: 4 }), ledger.entries.with({ key: "b", n: 1 })]);
    equal(await world.stateOf(present(late, "an answer").id), "parked", "the state of the late one");
    await world.advance("3s");
    equal(await world.stateOf(present(other, "an answer").id), "completed", "the state of the other key's");
  }),
  law("G7", "park: redriving the dead one runs it and all behind it, in order", async (world) => {
    const { ledger, worker, ids } = await dead(world, "park");
    await worker.broker.enqueue(ledger.entries.with({ key: "a", n: 4 }));
    ledger.isMended = true;
    equal(await worker.broker.retry(ids[0] ?? ""), "retried", "the answer");
    await world.drained();
    equal(numbersRun(world), [1, 1, 2, 3, 4], "what ran");
    inOrder(world.runs);
    equal((await world.observer.count()).completed, 4, "completed jobs");
  }),
  law("G7", "park: redriving any of the key opens it, and the order stays", async (world) => {
    const { ledger, worker, ids } = await dead(world, "park");
    ledger.isMended = true;
    await worker.broker.retry(ids[2] ?? "");
    await world.drained();
    equal(numbersRun(world), [1, 1, 2, 3], "what ran");
  }),
  law("G7", "park: dropping the dead one does not open the key", async (world) => {
    const { worker, ids } = await dead(world, "park");
    equal(await worker.broker.cancel(ids[0] ?? ""), "cancelled", "the answer");
    await world.advance("1m");
    equal(await statesOf(world, ids), ["cancelled", "parked", "parked"], "the states");
    await worker.broker.retry(ids[1] ?? "");
    await world.drained();
    equal(numbersRun(world), [1, 2, 3], "what ran");
  }),
  law("G7", "park: a key of which all were dropped is open again", async (world) => {
    const { ledger, worker, ids } = await dead(world, "park");
    for (const id of ids) await worker.broker.cancel(id);
    await worker.broker.enqueue(ledger.entries.with({ key: "a", n: 5 }));
    await world.drained();
    equal(numbersRun(world), [1, 5], "what ran");
  }),
  law("G7", "park: a key whose redriven job dies again is parked again", async (world) => {
    const { worker, ids } = await dead(world, "park");
    await worker.broker.retry(ids[0] ?? "");
    await world.advance("5s");
    equal(await statesOf(world, ids), ["parked", "parked", "parked"], "the states");
    equal(numbersRun(world), [1, 1], "what ran");
  }),
  law("G7", "park: why names the death, and the job behind which the others are parked", async (world) => {
    const { worker, ids } = await dead(world, "park");
    matches(await worker.broker.why(ids[0] ?? ""), /redriven.*no such account/, "why of the dead one");
    matches(await worker.broker.why(ids[1] ?? ""), new RegExp(`parked behind job ${ids[0]}, which died`), "why of the one behind");
  }),
  law("G7", "park: 1,500 jobs behind a dead one are all parked, and none of them starts", async (world) => {
    const ledger = new Ledger("park");
    const worker = await world.worker({ entries: ledger.entries });
    await worker.broker.enqueue(Array.from({ length: 1_501 }, (_, n) => ledger.entries.with({ key: "a", n: n + 1 })));
    await world.until("all of them are parked", async () => (await world.observer.count()).parked === 1_501, "2m");
    equal(numbersRun(world), [1], "what ran");
  }),
];

const blocking: readonly Law[] = [
  law("G7", "block: redriving the dead one runs it first, then those behind it", async (world) => {
    const { ledger, worker, ids } = await dead(world, "block");
    await worker.broker.enqueue(ledger.entries.with({ key: "a", n: 4 }));
    ledger.isMended = true;
    await worker.broker.retry(ids[0] ?? "");
    await world.drained();
    equal(numbersRun(world), [1, 1, 2, 3, 4], "what ran");
    inOrder(world.runs);
  }),
  law("G7", "block: dropping the dead one lets the next start", async (world) => {
    const { worker, ids } = await dead(world, "block");
    await worker.broker.cancel(ids[0] ?? "");
    await world.drained();
    equal(numbersRun(world), [1, 2, 3], "what ran");
  }),
  law("G7", "block: what arrives waits behind, and why names the key", async (world) => {
    const { ledger, worker, ids } = await dead(world, "block");
    const { id } = await worker.broker.enqueue(ledger.entries.with({ key: "a", n: 4 }));
    equal(await world.stateOf(id), "blocked", "its state");
    matches(await worker.broker.why(ids[1] ?? ""), /behind .*ledger\["a"\]/, "why of the next");
  }),
  law("G7", "continue: a dead job that is redriven runs again, and one at a time", async (world) => {
    const { ledger, worker, ids } = await dead(world, "continue");
    ledger.isMended = true;
    equal(await worker.broker.retry(ids[0] ?? ""), "retried", "the answer");
    await world.drained();
    equal([numbersRun(world), await world.stateOf(ids[0] ?? "")], [[1, 2, 3, 1], "completed"], "what ran, and its state");
  }),
];

export const parkLaws: readonly Law[] = [...outcomes, ...parking, ...blocking];
