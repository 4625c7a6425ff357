/** G14: skip is an outcome with a reason, apart from completed. */
import { skip } from "../../core/endings.ts";
import { task } from "../../core/task.ts";
import { equal, matches } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";

export const skipLaws: readonly Law[] = [
  law("G14", "a reason from unless skips the job, and run does not start", async (world) => {
    const work = task<{ n: number }>("work", { unless: ({ n }) => n === 1 && "already sent", run: () => undefined });
    const { broker } = await world.worker({ work });
    const [one, two] = await broker.enqueue([work.with({ n: 1 }), work.with({ n: 2 })]);
    await world.drained();
    const skipped = await world.job(one?.id ?? "");
    equal([skipped.state, skipped.reason, await world.stateOf(two?.id ?? "")], ["skipped", "already sent", "completed"], "state, reason, state of the other");
    equal(
      world.runs.map((run) => run.input),
      [{ n: 2 }],
      "what ran",
    );
  }),
  ...lawsOf(
    "G14",
    [undefined, null, false, 0, "", Promise.resolve(undefined), Promise.resolve(false as const)].map((value, index) => ({
      value,
      name: index > 4 ? `a promise of a falsy value (${index})` : (JSON.stringify(value) ?? "undefined"),
    })),
    (row) => `unless answering ${row.name} lets the job run`,
    async (world, { value }) => {
      const work = task<{}>("work", { unless: () => value as undefined, run: () => undefined });
      const { id } = await (await world.worker({ work })).broker.enqueue(work.with({}));
      await world.drained();
      equal([await world.stateOf(id), world.runs.length], ["completed", 1], "state, and runs");
    },
  ),
  law("G14", "skip(reason) ends a run skipped, with the reason, and no attempt is tried again", async (world) => {
    const work = task<{}>("work", () => skip("the order was withdrawn"));
    const { broker } = await world.worker({ work });
    const { id } = await broker.enqueue(work.with({}));
    await world.drained();
    await world.advance("10s");
    const job = await world.job(id);
    equal([job.state, job.reason, world.runs.length], ["skipped", "the order was withdrawn", 1], "state, reason, runs");
    matches(await broker.why(id), /was skipped.*the order was withdrawn/, "why");
  }),
  law("G14", "unless is asked again before each attempt", async (world) => {
    let asked = 0;
    const work = task<{}>("work", {
      retry: { backoff: "fixed", first: "1s" },
      unless: () => ++asked === 3 && "sent by then",
      run: () => Promise.reject(new Error("not yet")),
    });
    const { id } = await (await world.worker({ work })).broker.enqueue(work.with({}));
    await world.drained();
    equal([await world.stateOf(id), world.runs.length, asked], ["skipped", 2, 3], "state, runs, times asked");
  }),
  law("G14", "an unless that fails counts as a failed attempt", async (world) => {
    let asked = 0;
    const work = task<{}>("work", {
      retry: { backoff: "fixed", first: "1s" },
      unless: () => (++asked === 1 ? Promise.reject(new Error("no database")) : undefined),
      run: () => undefined,
    });
    const { id } = await (await world.worker({ work })).broker.enqueue(work.with({}));
    await world.drained();
    const job = await world.job(id);
    equal([job.state, job.history[0]?.error?.message], ["completed", "no database"], "state, and the recorded error");
  }),
  law("G14", "a skipped job frees its unique key, and lets the next of its key start", async (world) => {
    const work = task<{ key: string; n: number }>("work", { orderedBy: "key", uniqueBy: "n", run: ({ n }) => (n === 1 ? skip("no need") : undefined) });
    const { broker } = await world.worker({ work });
    await broker.enqueue([work.with({ key: "a", n: 1 }), work.with({ key: "a", n: 2 })]);
    await world.drained();
    equal((await broker.enqueue(work.with({ key: "a", n: 1 }))).isDuplicate, false, "whether the key is still taken");
    equal(world.runs.length, 2, "runs");
  }),
  law("G14", "skipped jobs are counted and listed apart from completed ones", async (world) => {
    const work = task<{ n: number }>("work", ({ n }) => (n % 3 === 0 ? skip("no need") : undefined));
    const { broker } = await world.worker({ work });
    await broker.enqueue(Array.from({ length: 9 }, (_, n) => work.with({ n })));
    await world.drained();
    const { skipped, completed } = await broker.count();
    const listed = await broker.list({ states: ["skipped"] });
    equal([skipped, completed, listed.jobs.length], [3, 6, 3], "skipped, completed, listed as skipped");
  }),
];
