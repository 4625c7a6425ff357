/** G19: everything is bounded. */
import { attemptsRecordedMax, reasonLengthMax } from "../../core/defaults.ts";
import { giveUp } from "../../core/endings.ts";
import { task } from "../../core/task.ts";
import { equal, holds, present, refused } from "../expect.ts";
import { law, type Law } from "../law.ts";

const work = task<{ n: number }>("work", () => undefined);
const numbered = (length: number): ReturnType<typeof work.with>[] => Array.from({ length }, (_, n) => work.with({ n }));

export const boundLaws: readonly Law[] = [
  law("G19", "5,000 items are stored by one call, and run", async (world) => {
    const { broker } = await world.worker({ work }, { queues: { default: 500 } });
    const answers = await broker.enqueue(numbered(5_000));
    equal(new Set(answers.map(({ id }) => id)).size, 5_000, "different ids");
    await world.drained("5m");
    equal([world.runs.length, (await world.observer.count()).completed], [5_000, 5_000], "runs, and completed jobs");
  }),
  law("G19", "a call of more than 100,000 items is refused, and stores nothing", async (world) => {
    const { broker } = world.process({ work });
    const one = work.with({ n: 1 });
    const error = await refused(() => broker.enqueue(Array.from({ length: 100_001 }, () => one)), "enqueue-too-many", "the call");
    equal([error.isDefinite, (await world.observer.count()).ready], [true, 0], "definite, and jobs stored");
  }),
  law("G19", "an empty call stores nothing, and is no error", async (world) => {
    equal(await world.process({ work }).broker.enqueue([]), [], "the answer");
  }),
  law("G19", "pages cover every job once, in the order of enqueue", async (world) => {
    const { broker } = world.process({ work });
    const stored = await broker.enqueue(numbered(130));
    const seen: string[] = [];
    let after: string | undefined;
    let pages = 0;
    do {
      const page = await broker.list({}, { limit: 40, ...(after !== undefined && { after }) });
      holds(page.jobs.length <= 40, "no page is larger than its limit", page.jobs.length);
      seen.push(...page.jobs.map(({ id }) => id));
      after = page.next;
      pages++;
    } while (after !== undefined && pages < 10);
    equal(
      seen,
      stored.map(({ id }) => id),
      "the ids of all pages",
    );
  }),
  law("G19", "pages go newest first where asked for", async (world) => {
    const { broker } = world.process({ work });
    const stored = await broker.enqueue(numbered(25));
    const first = await broker.list({}, { limit: 10, newestFirst: true });
    const second = await broker.list({}, { limit: 10, newestFirst: true, after: present(first.next, "a next page") });
    equal(
      [...first.jobs, ...second.jobs].map(({ id }) => id),
      stored
        .map(({ id }) => id)
        .toReversed()
        .slice(0, 20),
      "the ids of two pages",
    );
  }),
  law("G19", "a page has 50 jobs unless asked otherwise, and never more than 1,000", async (world) => {
    const { broker } = world.process({ work });
    await broker.enqueue(numbered(60));
    equal((await broker.list()).jobs.length, 50, "jobs of a page");
    await refused(() => broker.list({}, { limit: 1_001 }), "option-invalid", "a page of 1,001");
  }),
  law("G19", "jobs that arrive between two pages do not disturb them", async (world) => {
    const { broker } = world.process({ work });
    const stored = await broker.enqueue(numbered(20));
    const first = await broker.list({}, { limit: 10 });
    await broker.enqueue(numbered(5));
    await broker.cancel(stored[3]?.id ?? "");
    const second = await broker.list({}, { limit: 10, after: present(first.next, "a next page") });
    equal(
      [...first.jobs, ...second.jobs].map(({ id }) => id),
      stored.map(({ id }) => id),
      "the ids of two pages",
    );
  }),
  law("G19", "a change takes no more jobs than its limit, and says that there may be more", async (world) => {
    const { broker } = world.process({ work });
    await broker.enqueue(numbered(25));
    const first = await broker.change({ jobs: { states: ["ready"] } }, { do: "cancel", reason: "no" }, 10);
    const rest = await broker.change({ jobs: { states: ["ready"] } }, { do: "cancel", reason: "no" }, 100);
    equal([first.jobs.length, first.hasMore, rest.jobs.length, rest.hasMore], [10, true, 15, false], "jobs and hasMore of both");
  }),
  law("G19", `a job keeps its last ${attemptsRecordedMax} attempts, and counts all`, async (world) => {
    const failing = task<{}>("failing", {
      retry: { attempts: 25, backoff: "fixed", first: "100ms" },
      run: (_, job) => Promise.reject(new Error(`no ${job.attempt}`)),
    });
    const { id } = await (await world.worker({ failing })).broker.enqueue(failing.with({}));
    await world.drained();
    const job = await world.job(id);
    equal(
      [job.attempts, job.history.length, job.history.at(-1)?.error?.message],
      [25, attemptsRecordedMax, "no 25"],
      "attempts, recorded attempts, the last one's error",
    );
  }),
  law("G19", "a reason and an error of a million letters are stored shortened", async (world) => {
    const wordy = task<{ how: string }>("wordy", {
      retry: { attempts: 1 },
      run: ({ how }) => (how === "gives up" ? giveUp("x".repeat(1_000_000)) : Promise.reject(new Error("y".repeat(1_000_000)))),
    });
    const { broker } = await world.worker({ wordy });
    const stored = await broker.enqueue([wordy.with({ how: "gives up" }), wordy.with({ how: "fails" })]);
    await world.drained();
    for (const { id } of stored) {
      const job = await world.job(id);
      holds((job.reason?.length ?? 0) <= reasonLengthMax, `a reason has ${reasonLengthMax} letters at most`, job.reason?.length);
      holds(JSON.stringify(job.history).length < 50_000, "a history is small", JSON.stringify(job.history).length);
    }
  }),
  law("G19", "500 follow-ups of a run are stored; one more is refused", async (world) => {
    const parent = task<{ children: number }>("parent", { retry: { attempts: 1 }, run: ({ children }, job) => job.enqueue(numbered(children)) });
    const { broker } = await world.worker({ parent, work }, { queues: { default: 100 } });
    const [fits, tooMany] = await broker.enqueue([parent.with({ children: 500 }), parent.with({ children: 501 })]);
    await world.drained();
    equal(
      [await world.stateOf(present(fits, "an answer").id), await world.stateOf(present(tooMany, "an answer").id)],
      ["completed", "dead"],
      "the states of both",
    );
    equal(world.runsOf("work").length, 500, "follow-up runs");
  }),
  law("G19", "3,000 jobs past their retention are gone after some passes, and no others", async (world) => {
    const brief = task<{ n: number }>("brief", { keep: { completed: "10s" }, run: () => undefined });
    const { broker } = await world.worker({ brief, work }, { queues: { default: 500 } });
    await broker.enqueue([...Array.from({ length: 3_000 }, (_, n) => brief.with({ n })), work.with({ n: 1 })]);
    await world.until(
      "retention has removed them",
      async () => (await world.observer.count({ task: "brief" })).completed === 0 && world.runs.length === 3_001,
      "3m",
    );
    equal((await world.observer.count()).completed, 1, "completed jobs that are kept");
  }),
];
