/** G1: accepted is stored, once, whatever became of the answer. */
import { event } from "../../core/event.ts";
import { giveUp, skip } from "../../core/endings.ts";
import { task } from "../../core/task.ts";
import { when } from "../../core/when.ts";
import { equal, holds, present, refused } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";

const noted = event<{ n: number }>("noted");
const work = task<{ n: number }>("work", () => undefined);
const other = task<{ n: number }>("other", () => undefined);
const definitions = { work, other, subscription: when(noted, work) };

async function jobsStored(world: World): Promise<number> {
  return Object.values(await world.observer.count()).reduce((sum, jobs) => sum + jobs, 0);
}

const ids: readonly Law[] = [
  law("G1", "the same id with the same content is the same job", async (world) => {
    const { broker } = world.process(definitions);
    const first = await broker.enqueue(work.with({ n: 1 }, { id: "mine" }));
    const second = await broker.enqueue(work.with({ n: 1 }, { id: "mine" }));
    equal(
      [first, second],
      [
        { id: "mine", isDuplicate: false },
        { id: "mine", isDuplicate: true },
      ],
      "the two answers",
    );
    equal(await jobsStored(world), 1, "jobs stored");
    await world.worker(definitions);
    await world.drained();
    equal(world.runs.length, 1, "runs");
  }),
  ...lawsOf(
    "G1",
    [
      { other: "another payload", errand: work.with({ n: 2 }, { id: "mine" }) },
      { other: "another task", errand: other.with({ n: 1 }, { id: "mine" }) },
    ],
    (row) => `the same id with ${row.other} is refused as id-conflict, and changes nothing`,
    async (world, row) => {
      const { broker } = world.process(definitions);
      await broker.enqueue(work.with({ n: 1 }, { id: "mine" }));
      const error = await refused(() => broker.enqueue(row.errand), "id-conflict", "the second enqueue");
      equal(error.isDefinite, true, "a conflict is definite");
      equal(await jobsStored(world), 1, "jobs stored");
      const stored = await world.job("mine");
      equal([stored.task, stored.input], ["work", { n: 1 }], "what is stored");
    },
  ),
  law("G1", "the same id twice in one call is one job", async (world) => {
    const { broker } = world.process(definitions);
    const answers = await broker.enqueue([work.with({ n: 1 }, { id: "mine" }), work.with({ n: 2 }), work.with({ n: 1 }, { id: "mine" })]);
    equal(
      answers.map((answer) => answer.isDuplicate),
      [false, false, true],
      "which are duplicates",
    );
    equal(await jobsStored(world), 2, "jobs stored");
  }),
  law("G1", "processes that enqueue the same id at once store one job", async (world) => {
    const processes = Array.from({ length: 5 }, () => world.process(definitions));
    const answers = await Promise.all(processes.map(({ broker }) => broker.enqueue(work.with({ n: 1 }, { id: "mine" }))));
    equal(answers.filter((answer) => !answer.isDuplicate).length, 1, "answers that are no duplicate");
    equal(await jobsStored(world), 1, "jobs stored");
  }),
  law("G1", "the same id again is the same event, and fans out once", async (world) => {
    const { broker } = world.process(definitions);
    const first = await broker.publish(noted.with({ n: 1 }, { id: "fact-1" }));
    const second = await broker.publish(noted.with({ n: 1 }, { id: "fact-1" }));
    equal([first.isDuplicate, second.isDuplicate], [false, true], "which is a duplicate");
    equal(await jobsStored(world), 1, "jobs made for it");
    await refused(() => broker.publish(noted.with({ n: 2 }, { id: "fact-1" })), "id-conflict", "other content under the id");
  }),
];

const remembered: readonly Law[] = [
  ...lawsOf(
    "G1",
    [
      { end: "completed", run: (): void => undefined },
      { end: "skipped", run: (): never => skip("no need") },
      { end: "dead", run: (): never => giveUp("no way") },
    ],
    (row) => `an id is the same job also after it ended ${row.end}`,
    async (world, row) => {
      const ending = task<{ n: number }>("ending", row.run);
      const { broker } = await world.worker({ ending });
      await broker.enqueue(ending.with({ n: 1 }, { id: "mine" }));
      await world.drained();
      equal(await world.stateOf("mine"), row.end, "how it ended");
      const again = await broker.enqueue(ending.with({ n: 1 }, { id: "mine" }));
      equal(again, { id: "mine", isDuplicate: true }, "the answer to the same call");
      await world.advance("5s");
      equal(world.runs.length, 1, "runs");
    },
  ),
  law("G1", "an id is remembered for 7 days, however short its job's retention", async (world) => {
    const brief = task<{ n: number }>("brief", { run: () => undefined, keep: { completed: "1s" } });
    const first = await world.worker({ brief });
    await first.broker.enqueue(brief.with({ n: 1 }, { id: "mine" }));
    await world.drained();
    await world.stop(first);
    await world.advance("6d");
    const second = await world.worker({ brief });
    await world.advance("30s");
    equal(await second.broker.enqueue(brief.with({ n: 1 }, { id: "mine" })), { id: "mine", isDuplicate: true }, "the same call 6 days later");
  }),
  law("G1", "an id is free again when it is no longer remembered", async (world) => {
    const brief = task<{ n: number }>("brief", { run: () => undefined, keep: { completed: "1s" } });
    const first = await world.worker({ brief });
    await first.broker.enqueue(brief.with({ n: 1 }, { id: "mine" }));
    await world.drained();
    await world.stop(first);
    await world.advance("8d");
    const second = await world.worker({ brief });
    await world.advance("30s");
    equal(await second.broker.enqueue(brief.with({ n: 2 }, { id: "mine" })), { id: "mine", isDuplicate: false }, "other content 8 days later");
    await world.drained();
    equal(world.runs.length, 2, "runs");
  }),
];

interface Lost {
  readonly fault: string;
  readonly begin: (world: World, process: Process) => void;
}
const faults: readonly Lost[] = [
  { fault: "whose answer was lost", begin: (world, process) => world.loseAnswers(process) },
  { fault: "that never reached the store", begin: (world, process) => world.cutStore(process) },
];

const again: readonly Law[] = [
  ...lawsOf(
    "G1",
    faults,
    (row) => `again() repeats an enqueue ${row.fault}: three jobs, stored once`,
    async (world, row) => {
      const process = world.process(definitions);
      await process.broker.open();
      row.begin(world, process);
      const error = await refused(() => process.broker.enqueue([1, 2, 3].map((n) => work.with({ n }))), "store-failed", "an enqueue");
      equal(error.isDefinite, false, "whether the failure is definite");
      world.healStore(process);
      await error.again();
      equal(await jobsStored(world), 3, "jobs stored");
      await error.again();
      equal(await jobsStored(world), 3, "jobs stored after yet another again()");
    },
  ),
  ...lawsOf(
    "G1",
    faults,
    (row) => `again() repeats a publish ${row.fault}: each subscriber gets one job`,
    async (world, row) => {
      const process = world.process(definitions);
      await process.broker.open();
      row.begin(world, process);
      const error = await refused(() => process.broker.publish(noted.with({ n: 1 })), "store-failed", "a publish");
      world.healStore(process);
      await error.again();
      await error.again();
      equal(await jobsStored(world), 1, "jobs made by the event");
    },
  ),
  law("G1", "again() answers what the call would have answered: one for one, a list for a list", async (world) => {
    const process = world.process(definitions);
    await process.broker.open();
    world.loseAnswers(process);
    const one = await refused(() => process.broker.enqueue(work.with({ n: 1 }, { id: "one" })), "store-failed", "an enqueue");
    const list = await refused(() => process.broker.enqueue([work.with({ n: 2 }, { id: "two" })]), "store-failed", "an enqueue of a list");
    const fact = await refused(() => process.broker.publish(noted.with({ n: 3 }, { id: "three" })), "store-failed", "a publish");
    const still = await refused(() => one.again(), "store-failed", "again() whose answer is lost, too");
    world.healStore(process);
    equal(await still.again(), { id: "one", isDuplicate: true }, "the answer to one");
    equal(await list.again(), [{ id: "two", isDuplicate: true }], "the answer to a list");
    equal(await fact.again(), { id: "three", isDuplicate: true }, "the answer to an event");
  }),
  law("G1", "an indefinite error carries the ids of what may be stored", async (world) => {
    const process = world.process(definitions);
    await process.broker.open();
    world.loseAnswers(process);
    const error = await refused(() => process.broker.enqueue(work.with({ n: 1 })), "store-failed", "an enqueue");
    const [id] = error.details["ids"] as readonly string[];
    world.healStore(process);
    equal((await world.job(present(id, "an id on the error"))).input, { n: 1 }, "the job of that id");
  }),
  law("G1", "again() that is refused again can be repeated again", async (world) => {
    const process = world.process(definitions);
    await process.broker.open();
    world.cutStore(process);
    const first = await refused(() => process.broker.enqueue(work.with({ n: 1 })), "store-failed", "an enqueue");
    const second = await refused(() => first.again(), "store-failed", "again() while the store is away");
    world.healStore(process);
    await second.again();
    equal(await jobsStored(world), 1, "jobs stored");
  }),
];

const atoms: readonly Law[] = [
  law("G1", "one refused item of a call stores none of them", async (world) => {
    const { broker } = world.process(definitions);
    await broker.enqueue(work.with({ n: 1 }, { id: "mine" }));
    const error = await refused(
      () => broker.enqueue([work.with({ n: 5 }), work.with({ n: 2 }, { id: "mine" }), work.with({ n: 6 })]),
      "id-conflict",
      "a call with one conflict",
    );
    equal(error.isDefinite, true, "whether the refusal is definite");
    equal(await jobsStored(world), 1, "jobs stored");
  }),
  law("G1", "a call does not fail because another call of the same moment was refused", async (world) => {
    const { broker } = world.process(definitions);
    await broker.enqueue(work.with({ n: 1 }, { id: "mine" }));
    const settled = await Promise.allSettled([
      broker.enqueue(work.with({ n: 2 })),
      broker.enqueue(work.with({ n: 2 }, { id: "mine" })),
      broker.enqueue(work.with({ n: 3 })),
    ]);
    equal(
      settled.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
      "what became of the three calls",
    );
    equal(await jobsStored(world), 3, "jobs stored");
  }),
  law("G1", "a call above 500 items that is refused in part says so, and again() completes what it can", async (world) => {
    const { broker } = world.process(definitions);
    await broker.enqueue(work.with({ n: -1 }, { id: "n-600" }));
    const errands = Array.from({ length: 1_000 }, (_, n) => work.with({ n }, { id: `n-${n}` }));
    const error = await refused(() => broker.enqueue(errands), "id-conflict", "a call with a conflict in its second half");
    equal(error.isDefinite, false, "whether the refusal is definite");
    holds(!(await world.observer.find("n-999")), "nothing of the refused half is stored");
    equal((await world.job("n-1")).input, { n: 1 }, "a job of the accepted half");
  }),
  law("G1", "what was accepted outlives its process", async (world) => {
    const first = world.process(definitions);
    const { id } = await first.broker.enqueue(work.with({ n: 1 }));
    world.crash(first);
    await world.worker(definitions);
    await world.drained();
    equal(world.runsOfJob(id).length, 1, "runs of the job");
  }),
  law("G1", "ids made by errand are all different", async (world) => {
    const processes = [world.process(definitions), world.process(definitions)];
    const answers = (await Promise.all(processes.map(({ broker }) => broker.enqueue(Array.from({ length: 400 }, (_, n) => work.with({ n })))))).flat();
    equal(new Set(answers.map(({ id }) => id)).size, 800, "different ids");
    equal(
      answers.some(({ isDuplicate }) => isDuplicate),
      false,
      "whether any is called a duplicate",
    );
  }),
  law("G1", "answers come in the order of the errands", async (world) => {
    const { broker } = world.process(definitions);
    const answers = await broker.enqueue(Array.from({ length: 1_200 }, (_, n) => work.with({ n })));
    for (const n of [0, 1, 499, 500, 777, 1_199]) equal((await world.job(present(answers[n], `answer ${n}`).id)).input, { n }, `the job of answer ${n}`);
    equal(answers.length, 1_200, "answers");
  }),
  law("G1", "every method of a closed broker says that it was closed", async (world) => {
    const process = world.process(definitions);
    await process.broker.open();
    await world.finished(process.broker.close(), "close");
    for (const call of [() => process.broker.enqueue(work.with({ n: 1 })), () => process.broker.find("x"), () => process.broker.count()]) {
      await refused(call, "broker-closed", "a call after close");
    }
  }),
];

export const acceptLaws: readonly Law[] = [...ids, ...remembered, ...again, ...atoms];
