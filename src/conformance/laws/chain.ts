/** G11: one after the other, with what the ones before came to. */
import { batch } from "../../core/compose/batch.ts";
import { chain } from "../../core/compose/chain.ts";
import { giveUp, skip } from "../../core/endings.ts";
import type { Schema } from "../../core/schema.ts";
import { task, type Errand, type Predecessor } from "../../core/task.ts";
import { equal, matches, present, refused } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { World } from "../world.ts";

const step = task<{ n: number }>("step", { retry: { attempts: 3, first: "1s" }, run: () => undefined });
const steps = (...ns: readonly number[]): Errand[] => ns.map((n) => step.with({ n }));

function started(world: World): number[] {
  return world.runsOf("step").map((run) => (run.input as { n: number }).n);
}

interface Ending {
  readonly how: string;
  readonly end: () => unknown;
  readonly orderedBy?: "n";
  readonly goesOn: boolean;
}
const endings: readonly Ending[] = [
  { how: "completes", end: () => undefined, goesOn: true },
  { how: "is skipped", end: () => skip("no need"), goesOn: true },
  { how: "dies", end: () => giveUp("no way"), goesOn: false },
  { how: "is parked", end: () => giveUp("no way"), orderedBy: "n", goesOn: false },
];

const order: readonly Law[] = [
  ...lawsOf(
    "G11",
    endings,
    (row) => `when a step of a chain ${row.how}, those behind it ${row.goesOn ? "go on" : "end cancelled, and the chain has failed"}`,
    async (world, row) => {
      const middle = task<{ n: number }>("middle", { ...(row.orderedBy && { orderedBy: row.orderedBy }), run: () => row.end() });
      const { broker } = await world.worker({ step, middle });
      const last = step.with({ n: 4 }, { id: "last" });
      const { id } = await broker.enqueue(chain(step.with({ n: 1 }), middle.with({ n: 2 }), step.with({ n: 3 }), last));
      await world.drained();
      const view = present(await world.observer.batch(id), "the chain");
      equal(
        [started(world), view.state, view.counts.failed > 0],
        [row.goesOn ? [1, 3, 4] : [1], "closed", !row.goesOn],
        "steps that ran, the chain's state, whether it failed",
      );
      const job = await world.job("last");
      equal(job.state, row.goesOn ? "completed" : "cancelled", "the last step");
      if (!row.goesOn) matches(job.reason, /not started: it comes after job \S+, which is cancelled/, "its reason");
    },
  ),
  law("G11", "each step starts when the one before has ended, through retries and restarts", async (world) => {
    const rough = task<{ n: number }>("rough", {
      retry: { attempts: 5, first: "1s" },
      run: async ({ n }, job) => {
        await world.sleep("2s");
        if (n === 1 && job.attempt < 3) throw new Error("not yet");
        if (n === 2 && world.runsOf("rough").filter((run) => (run.input as { n: number }).n === 2).length === 1) await world.die(job);
      },
    });
    const { broker } = world.process({ rough });
    const [first, ...rest] = [0, 1, 2, 3].map((n) => rough.with({ n }));
    await broker.enqueue(chain(present(first, "a step"), ...rest));
    await world.worker({ rough });
    await world.until("the third step ran and killed its worker", () => world.runsOf("rough").some((run) => (run.input as { n: number }).n === 2));
    await world.advance("5s");
    await world.worker({ rough });
    await world.drained("3m");
    equal(
      world.runsOf("rough").map((run) => (run.input as { n: number }).n),
      [0, 1, 1, 1, 2, 2, 3],
      "starts",
    );
  }),
  law("G11", "a batch as a step: all its members run side by side, after the step before and before the next", async (world) => {
    const slow = task<{ n: number }>("slow", () => world.sleep("5s"));
    const { broker } = await world.worker({ step, slow });
    await broker.enqueue(chain(slow.with({ n: 0 }), batch([1, 2, 3].map((n) => slow.with({ n }))), step.with({ n: 4 })));
    await world.drained();
    const [first, ...middle] = world.runsOf("slow");
    const begun = new Set(middle.map((run) => run.startedAt));
    equal([middle.length, begun.size], [3, 1], "members, and instants at which they started");
    const ends = middle.map((run) => present(run.endedAt, "an end"));
    equal(
      [Math.min(...begun) >= present(first?.endedAt, "the first step's end"), present(world.runsOf("step")[0], "the last step").startedAt >= Math.max(...ends)],
      [true, true],
      "after the one before, before the next",
    );
  }),
  law("G11", "when a member of a batch in a chain dies, its batch is ended first, then what is behind it is cancelled", async (world) => {
    const dies = task("dies", () => giveUp("no way"));
    const repair = task("repair", () => undefined);
    const { broker } = await world.worker({ step, dies, repair });
    await broker.enqueue(chain(batch([dies.with({}), ...steps(1)], { whenAnyFails: repair.with({}) }), step.with({ n: 2 }, { id: "next" })));
    await world.drained();
    equal([started(world), world.runsOf("repair").length, await world.stateOf("next")], [[1], 1, "cancelled"], "steps, repairs, the next step");
  }),
  law("G11", "cancelling a chain: the step that runs is signalled, no other starts", async (world) => {
    const long = task("long", (_, job) => world.sleep("1h", job.signal));
    const { broker } = await world.worker({ step, long });
    const { id } = await broker.enqueue(chain(long.with({}), ...steps(1, 2)));
    await world.advance("2s");
    equal(await broker.cancel(id), "cancelling", "the answer");
    await world.drained();
    equal(
      [started(world), world.runsOf("long")[0]?.abortedBy, await broker.cancel(id)],
      [[], "job-cancelled", "ended"],
      "steps, the signal, the answer afterwards",
    );
  }),
];

const graph: readonly Law[] = [
  law("G11", "in a graph each job starts when all that it comes after have ended well", async (world) => {
    const node = task<{ name: string }>("node", () => world.sleep("2s"));
    const [a, b, c] = [node.with({ name: "a" }), node.with({ name: "b" }), node.with({ name: "c" })];
    const d = node.with({ name: "d" }, { after: [a, b] });
    const e = node.with({ name: "e" }, { after: [c, d] });
    const { broker } = await world.worker({ node });
    await broker.enqueue(batch([e, d, c, b, a]));
    await world.drained();
    const at = (name: string): { startedAt: number; endedAt: number | undefined } =>
      present(
        world.runs.find((run) => (run.input as { name: string }).name === name),
        name,
      );
    const follows = (later: string, earlier: string): boolean => at(later).startedAt >= present(at(earlier).endedAt, "an end");
    equal([follows("d", "a"), follows("d", "b"), follows("e", "c"), follows("e", "d"), follows("d", "c")], [true, true, true, true, true], "who follows whom");
    equal(world.runs.length, 5, "runs");
  }),
  law("G11", "what comes after a failure ends cancelled, all the way; its siblings go on", async (world) => {
    const dies = task("dies", () => giveUp("no way"));
    const bad = dies.with({}, { id: "bad" });
    const good = step.with({ n: 1 });
    const next = step.with({ n: 2 }, { id: "next", after: [good, bad] });
    const { broker } = await world.worker({ step, dies });
    await broker.enqueue(batch([bad, good, next, step.with({ n: 3 }, { id: "last", after: next }), step.with({ n: 4 }, { after: good })]));
    await world.drained();
    equal(
      [started(world).toSorted(), await world.stateOf("next"), await world.stateOf("last")],
      [[1, 4], "cancelled", "cancelled"],
      "steps that ran, and those that did not",
    );
    matches((await world.job("next")).reason, /after job bad, which is dead/, "the reason");
  }),
  law("G11", "a job comes after one that is stored, whatever became of it meanwhile", async (world) => {
    const dies = task("dies", () => giveUp("no way"));
    const { broker } = await world.worker({ step, dies });
    await broker.enqueue([step.with({ n: 1 }, { id: "done" }), dies.with({}, { id: "failed" }), step.with({ n: 2 }, { id: "later", in: "10s" })]);
    await world.advance("2s");
    await broker.enqueue([step.with({ n: 3 }, { after: "done" }), step.with({ n: 4 }, { after: "failed" }), step.with({ n: 5 }, { after: ["later", "done"] })]);
    await world.advance("2s");
    equal(started(world), [1, 3], "steps before the later one is due");
    await world.drained();
    equal(started(world), [1, 3, 2, 5], "steps in the end");
  }),
  law("G11", "a job after what nobody stored is refused, and nothing of its call is stored", async (world) => {
    const { broker } = await world.worker({ step });
    await refused(() => broker.enqueue([step.with({ n: 1 }), step.with({ n: 2 }, { after: "nobody" })]), "after-unknown", "the enqueue");
    await refused(
      () => broker.enqueue(batch([step.with({ n: 1 }, { id: "a", after: "b" }), step.with({ n: 2 }, { id: "b", after: "a" })])),
      "graph-cycle",
      "a circle",
    );
    await world.drained();
    equal(world.runs.length, 0, "runs");
  }),
];

/** Any object of these fields, without a library. */
function shape<T>(check: (value: unknown) => boolean): Schema<T> {
  return {
    "~standard": { version: 1, vendor: "laws", validate: (value) => (check(value) ? { value: value as T } : { issues: [{ message: "not of that shape" }] }) },
  };
}
const pages = shape<{ pages: number }>((value) => typeof (value as { pages?: unknown }).pages === "number");

async function all(before: AsyncIterable<Predecessor>): Promise<Predecessor[]> {
  const list: Predecessor[] = [];
  for await (const each of before) list.push(each);
  return list;
}

const results: readonly Law[] = [
  law("G11", "each step reads what the one before returned", async (world) => {
    const counted = task<{ n: number }, { n: number }, never, { pages: number }>("counted", {
      result: pages,
      run: async ({ n }, job) => {
        const [last] = await all(job.before());
        return { pages: n + ((last?.result as { pages: number } | undefined)?.pages ?? 0) };
      },
    });
    const { broker } = await world.worker({ counted });
    await broker.enqueue(chain(counted.with({ n: 1 }), counted.with({ n: 10 }), counted.with({ n: 100 }, { id: "last" })));
    await world.drained();
    equal((await world.job("last")).result, { pages: 111 }, "the result of the last");
  }),
  law("G11", "a callback reads the results of all members, 250 of them, and why others have none", async (world) => {
    const counted = task<{ n: number }, { n: number }, never, { pages: number }>("counted", {
      result: pages,
      run: ({ n }) => (n % 50 === 0 ? skip(`nothing in ${n}`) : { pages: n }),
    });
    let read: Predecessor[] = [];
    const report = task("report", async (_, job) => void (read = await all(job.before())));
    const { broker } = await world.worker({ counted, report });
    await broker.enqueue(
      batch(
        Array.from({ length: 250 }, (_, n) => counted.with({ n })),
        { whenAllEnd: report.with({}) },
      ),
    );
    await world.drained();
    const expected = Array.from({ length: 250 }, (_, n) => (n % 50 === 0 ? [undefined, "skipped", `nothing in ${n}`] : [{ pages: n }, "completed", undefined]));
    equal(
      read.map(({ result, state, reason }) => [result, state, reason]),
      expected,
      "what it read, in the order of enqueue",
    );
  }),
  law("G11", "a member of a batch reads what the step before its batch returned; a job that came after nothing reads nothing", async (world) => {
    const counted = task<{ n: number }, { n: number }, never, { pages: number }>("counted", { result: pages, run: ({ n }) => ({ pages: n }) });
    const read: unknown[] = [];
    const reader = task<{ n: number }>("reader", async (_, job) => void read.push((await all(job.before())).map(({ result }) => result)));
    const { broker } = await world.worker({ counted, reader });
    await broker.enqueue(chain(counted.with({ n: 7 }), batch([reader.with({ n: 1 }), batch([reader.with({ n: 2 })])])));
    await broker.enqueue(reader.with({ n: 3 }));
    await world.drained();
    equal(
      read.toSorted((one, other) => JSON.stringify(one).length - JSON.stringify(other).length),
      [[], [{ pages: 7 }], [{ pages: 7 }]],
      "what they read",
    );
  }),
  law("G11", "without a declared result nothing of what a run returns is stored", async (world) => {
    const chatty = task("chatty", () => ({ secret: "s" }));
    const { broker } = await world.worker({ chatty });
    const { id } = await broker.enqueue(chatty.with({}));
    await world.drained();
    equal((await world.job(id)).result, undefined, "the result");
  }),
  ...lawsOf(
    "G11",
    [
      { what: "does not fit its schema", code: "result-invalid", result: { pages: "seven" } },
      { what: "is no JSON", code: "result-invalid", result: { pages: 1, at: 1n } },
      { what: "is above 4 KiB", code: "result-too-large", result: { pages: 1, text: "x".repeat(5_000) } },
    ],
    (row) => `a run whose result ${row.what} has failed with ${row.code}, and what came after it is told`,
    async (world, row) => {
      const counted = task<{}, {}, never, { pages: number }>("counted", { result: pages, retry: { attempts: 1 }, run: () => row.result as never });
      const { broker } = await world.worker({ counted, step });
      await broker.enqueue(chain(counted.with({}, { id: "bad" }), step.with({ n: 1 })));
      await world.drained();
      const job = await world.job("bad");
      equal([job.state, job.result, started(world)], ["dead", undefined, []], "state, result, steps behind it");
      matches(job.reason, new RegExp(`^${row.code}: the result of counted`), "the reason");
    },
  ),
];

export const chainLaws: readonly Law[] = [...order, ...graph, ...results];
