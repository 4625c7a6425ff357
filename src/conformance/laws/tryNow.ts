/** Trying a job at once (G1, G2, G3, G9): stored first, run here under a lease, and left to a worker where that does not end well in time. */
import { ErrandError } from "../../core/errors.ts";
import { snooze, skip, giveUp } from "../../core/endings.ts";
import { task, type Job } from "../../core/task.ts";
import type { Tried } from "../../core/tryNow/tryNow.ts";
import { between, equal, holds, matches, refused } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";

const quick = { retry: { backoff: "fixed", first: "1s" } } as const;

function tried(world: World, process: Process, errand: Parameters<Process["broker"]["tryNow"]>[0], timeout: `${number}ms` = "500ms"): Promise<Tried> {
  return world.finished(process.broker.tryNow(errand, { timeout }), "an answer of tryNow");
}

interface Ending {
  readonly how: string;
  readonly run: (world: World, job: Job) => unknown;
  readonly state: Tried["state"];
  readonly reason: RegExp | undefined;
  readonly stored: string;
}
const endings: readonly Ending[] = [
  { how: "returns", run: () => undefined, state: "completed", reason: undefined, stored: "completed" },
  { how: "takes its time", run: (world) => world.sleep("300ms"), state: "completed", reason: undefined, stored: "completed" },
  { how: "skips", run: () => skip("nothing to do"), state: "skipped", reason: /^nothing to do$/, stored: "skipped" },
  { how: "gives up", run: () => giveUp("never"), state: "dead", reason: /^never$/, stored: "dead" },
  { how: "throws", run: () => Promise.reject(new Error("no route")), state: "later", reason: /^no route$/, stored: "scheduled" },
  { how: "snoozes", run: () => snooze("5m"), state: "later", reason: undefined, stored: "scheduled" },
];

const told: readonly Law[] = [
  ...lawsOf(
    "G2",
    endings,
    ({ how, state }) => `a job tried at once that ${how} is told as ${state}`,
    async (world, row) => {
      const work = task<{}>("work", { ...quick, run: (_, job) => row.run(world, job) });
      const process = world.process({ work });
      const answer = await tried(world, process, work.with({}));
      equal([answer.state, answer.isDuplicate, world.runs.length], [row.state, false, 1], "the state, whether it is a duplicate, and runs");
      if (row.reason === undefined) equal(answer.reason, undefined, "the reason");
      else matches(answer.reason, row.reason, "the reason");
      equal(await world.stateOf(answer.id), row.stored, "its stored state");
    },
  ),
  law("G2", "a job tried at once that fails has spent an attempt, and a worker goes on with it after its backoff", async (world) => {
    const work = task<{}>("work", { ...quick, run: (_, job) => (job.attempt === 1 ? Promise.reject(new Error("busy")) : undefined) });
    const process = world.process({ work });
    const answer = await tried(world, process, work.with({}));
    const failedAt = world.now;
    const worker = await world.worker({ work });
    await world.drained();
    const job = await world.job(answer.id);
    equal([job.state, job.attempts, world.runs.map((run) => run.process)], ["completed", 2, [process.name, worker.name]], "state, attempts, and where it ran");
    holds((world.runs[1]?.startedAt ?? 0) - failedAt >= 1_000, "the second attempt waited for its backoff");
  }),
  law("G3", "a slow one is told to stop at the timeout, its caller is answered then, and a worker runs it, uncharged", async (world) => {
    const work = task<{}>("work", (_, job) => (world.runs.length === 1 ? world.sleep("1h", job.signal) : undefined));
    const process = world.process({ work });
    const from = world.now;
    const answer = await tried(world, process, work.with({}), "250ms");
    const [run] = world.runs;
    equal([answer.state, run?.abortedBy, (run?.abortedAt ?? 0) - from], ["later", "try-timeout", 250], "the answer, and when its signal fired");
    await world.advance("100ms");
    const { state, attempts, starts, suspects } = await world.job(answer.id);
    equal([state, attempts, starts, suspects], ["ready", 0, 0, 0], "its state, attempts, starts, suspects");
    await world.worker({ work });
    await world.drained();
    equal([world.runs.length, await world.stateOf(answer.id)], [2, "completed"], "runs, and its state");
  }),
  law("G3", "a slow one that ignores its signal does not run twice at once before its grace is over; what it returns in time counts", async (world) => {
    const work = task<{}>("work", () => world.sleep("5s"));
    const process = world.process({ work });
    const worker = await world.worker({ work });
    const answer = await tried(world, process, work.with({}), "250ms");
    equal(answer.state, "later", "the answer");
    await world.drained();
    equal(
      [world.runs.map((run) => run.process), await world.stateOf(answer.id)],
      [[process.name], "completed"],
      `where it ran, beside ${worker.name}, and its state`,
    );
  }),
  law("G3", "a slow one that never returns is released after its grace, and a worker runs it", async (world) => {
    const work = task<{}>("work", () => (world.runs.length === 1 ? world.sleep("1h") : undefined));
    const process = world.process({ work });
    await world.worker({ work });
    const from = world.now;
    const answer = await tried(world, process, work.with({}), "250ms");
    await world.drained();
    between((world.runs[1]?.startedAt ?? 0) - from, 10_000, 12_000, "ms until a worker ran it");
    equal(await world.stateOf(answer.id), "completed", "its state");
  }),
  law("G2", "a job whose process dies while it is tried is run by a worker", async (world) => {
    const work = task<{}>("work", (_, job) => (world.runs.length === 1 ? world.die(job) : undefined));
    const process = world.process({ work });
    const worker = await world.worker({ work });
    void process.broker.tryNow(work.with({}), { timeout: "500ms" }).catch(() => undefined);
    await world.until("a worker ran it", () => world.runs.length === 2, "15s");
    await world.drained();
    equal(
      world.runs.map((run) => run.process),
      [process.name, worker.name],
      "where it ran",
    );
  }),
  law("G4", "a job that is cancelled while it is tried is told as cancelled", async (world) => {
    const work = task<{}>("work", (_, job) => world.sleep("1h", job.signal));
    const process = world.process({ work });
    const answer = process.broker.tryNow(work.with({}), { timeout: "60s" });
    await world.until("it runs", () => world.runs.length === 1);
    await world.observer.cancel(world.runs[0]?.id ?? "");
    equal(
      [(await world.finished(answer, "the answer")).state, world.runs[0]?.abortedBy],
      ["cancelled", "job-cancelled"],
      "the answer, and what its signal fired with",
    );
  }),
];

const notNow: readonly Law[] = [
  law("G9", "a job that may not start now is stored, and left to a worker: delayed, behind its key, paused, over its limit, known", async (world) => {
    const run = (): Promise<void> => world.sleep("2s");
    const keyed = task<{ key: string }>("keyed", { orderedBy: "key", run });
    const limited = task<{}>("limited", { limits: [{ running: 1 }], run });
    const paused = task<{}>("paused", { queue: "paused", run });
    const unique = task<{ key: string }>("unique", { uniqueBy: "key", run });
    const tasks = { keyed, limited, paused, unique };
    const process = world.process(tasks);
    const worker = await world.worker(tasks);
    await process.broker.pause({ queue: "paused" });
    await process.broker.enqueue([keyed.with({ key: "a" }), limited.with({}), unique.with({ key: "a" })]);
    await world.until("they run", () => world.runs.length === 3);
    const answers = [
      await tried(world, process, keyed.with({ key: "b" }, { in: "10s" })),
      await tried(world, process, keyed.with({ key: "a" })),
      await tried(world, process, paused.with({})),
      await tried(world, process, limited.with({})),
      await tried(world, process, unique.with({ key: "a" })),
    ];
    equal(
      answers.map(({ state, isDuplicate }) => [state, isDuplicate]),
      [
        ["later", false],
        ["later", false],
        ["later", false],
        ["later", false],
        ["later", true],
      ],
      "the answers",
    );
    for (const [index, reason] of [/due later/, /ahead of it/, /paused|limit/, /paused|limit/, /stored before, and is running/].entries())
      matches(answers[index]?.reason, reason, "a reason");
    await process.broker.resume({ queue: "paused" });
    await world.drained();
    equal([world.runs.length, new Set(world.runs.map((each) => each.process))], [7, new Set([worker.name])], "runs, and where they ran");
  }),
  law("G9", "a job that is tried counts for the limits that workers are held to", async (world) => {
    let now = 0;
    let most = 0;
    const limited = task<{ n: number }>("limited", {
      limits: [{ running: 2 }],
      run: async () => {
        most = Math.max(most, ++now);
        await world.sleep("300ms");
        now--;
      },
    });
    const process = world.process({ limited });
    const worker = await world.worker({ limited });
    await worker.broker.enqueue(Array.from({ length: 10 }, (_, n) => limited.with({ n })));
    const answers: Tried[] = [];
    for (let n = 10; n < 20; n++) {
      answers.push(await tried(world, process, limited.with({ n })));
      await world.advance("150ms");
    }
    await world.drained();
    equal([world.runs.length, most], [20, 2], "runs, and how many at most at once");
  }),
  law("G15", "what is tried is looked at before: its unless and its schema apply", async (world) => {
    const done = task<{ n: number }>("done", { unless: ({ n }) => n === 1 && "done already", run: () => undefined });
    const process = world.process({ done });
    const answer = await tried(world, process, done.with({ n: 1 }));
    equal([answer.state, answer.reason, world.runs.length], ["skipped", "done already", 0], "the answer, and runs");
    const unknown = task<{}>("unknown", () => undefined);
    await refused(() => process.broker.tryNow(unknown.with({}), { timeout: "50ms" }), "task-unknown", "a task that is not known here");
  }),
  law("G2", "what a tried run hands over is stored with its outcome", async (world) => {
    const next = task<{ n: number }>("next", () => undefined);
    const work = task<{ fails: boolean }>("work", {
      retry: { attempts: 1 },
      run: ({ fails }, job) => {
        job.enqueue(next.with({ n: 1 }));
        if (fails) throw new Error("no");
      },
    });
    const process = world.process({ work, next });
    await tried(world, process, work.with({ fails: false }));
    await tried(world, process, work.with({ fails: true }));
    equal((await world.observer.count({ task: "next" })).ready, 1, "jobs that were handed over");
  }),
];

const faults: readonly Law[] = [
  law("G1", "a store that is away refuses a job that is to be tried at once, and nothing runs", async (world) => {
    const work = task<{}>("work", () => undefined);
    const process = world.process({ work });
    await tried(world, process, work.with({}));
    world.cutStore(process);
    const error = await refused(() => tried(world, process, work.with({})), "store-failed", "a try without a store");
    equal([world.runs.length, error.isDefinite], [1, false], "runs, and whether nothing is stored for sure");
  }),
  law("G1", "a job whose storing got no answer is not stranded: a worker runs it, and repeating the call makes no second one", async (world) => {
    const work = task<{}>("work", () => world.sleep("200ms"));
    const other = task<{}>("other", (_, job) => world.sleep("1h", job.signal));
    const brief = task<{}>("brief", () => undefined);
    const process = world.process({ work, other, brief });
    await world.worker({ work });
    void process.broker.tryNow(other.with({}), { timeout: "3600000ms" }).catch(() => undefined);
    await world.advance("1s");
    await tried(world, process, brief.with({}));
    world.loseAnswers(process);
    const error = await refused(() => tried(world, process, work.with({})), "store-failed", "the call without an answer");
    world.healStore(process);
    const again = (await world.finished(error.again(), "the repeated call")) as Tried;
    equal([again.isDuplicate, again.state], [true, "later"], "what the repeated call answers");
    await world.until("a worker has run it", () => world.hasEnded(again.id), "20s");
    equal(world.runsOf("work").length, 1, "runs");
  }),
  law("G2", "an outcome that cannot be written in time is written when the store is back; the caller is not kept waiting", async (world) => {
    const work = task<{}>("work", () => world.sleep("200ms"));
    const process = world.process({ work });
    const from = world.now;
    const answer = process.broker.tryNow(work.with({}), { timeout: "1s" });
    await world.until("it runs", () => world.runs.length === 1);
    world.loseAnswers(process);
    const { id, state } = await world.finished(answer, "the answer");
    equal([state, world.now - from <= 1_200], ["later", true], "the answer, and whether it came in time");
    world.healStore(process);
    await world.advance("5s");
    equal([await world.stateOf(id), world.runs.length], ["completed", 1], "its state, and runs");
  }),
  law("G1", "an outcome whose answer was lost is told as it is stored", async (world) => {
    const work = task<{}>("work", () => world.sleep("200ms"));
    const process = world.process({ work });
    const answer = process.broker.tryNow(work.with({}), { timeout: "30s" });
    await world.until("it runs", () => world.runs.length === 1);
    world.loseAnswers(process);
    await world.advance("1s");
    world.healStore(process);
    const { id, state } = await world.finished(answer, "the answer");
    equal([state, await world.stateOf(id), world.runs.length], ["completed", "completed", 1], "the answer, its state, and runs");
  }),
  law("G13", "closing a broker hands back what it tries, uncharged", async (world) => {
    const work = task<{}>("work", (_, job) => world.sleep("1h", job.signal));
    const process = world.process({ work });
    const answer = process.broker.tryNow(work.with({}), { timeout: "600s" });
    await world.until("it runs", () => world.runs.length === 1);
    await world.finished(process.broker.close(), "the close");
    const { id, state } = await world.finished(answer, "the answer");
    const job = await world.job(id);
    equal(
      [state, job.state, job.attempts, job.starts, world.runs[0]?.abortedBy],
      ["later", "ready", 0, 0, "worker-stopping"],
      "the answer, its state, attempts, starts, and what its signal fired with",
    );
    equal(
      ErrandError.is(await process.broker.tryNow(work.with({}), { timeout: "1s" }).catch((error: unknown) => error), "broker-closed"),
      true,
      "that a closed broker refuses",
    );
  }),
];

export const tryNowLaws: readonly Law[] = [...told, ...notNow, ...faults];
