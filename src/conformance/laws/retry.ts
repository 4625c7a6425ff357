/** G2: every accepted job ends: tried again by its policy, and dead when that is exhausted. */
import { giveUp, snooze } from "../../core/endings.ts";
import { task, type Retry } from "../../core/task.ts";
import { between, equal, holds, matches } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { World } from "../world.ts";

const fails = (): Promise<never> => Promise.reject(new Error("no"));
/** A run starts this soon after it is due. */
const startWithinMs = 1_500;

function gaps(world: World): number[] {
  return world.runs.slice(1).map((run, index) => run.startedAt - (world.runs[index]?.endedAt ?? 0));
}

interface Backoff {
  readonly name: string;
  readonly retry: Retry;
  /** Before jitter, which adds up to a quarter. */
  readonly delaysMs: readonly number[];
}
const backoffs: readonly Backoff[] = [
  { name: "exponential by default: 1 s, 2 s, 4 s", retry: { attempts: 6 }, delaysMs: [1_000, 2_000, 4_000, 8_000, 16_000] },
  { name: "exponential from another first", retry: { attempts: 4, first: "10s" }, delaysMs: [10_000, 20_000, 40_000] },
  { name: "fixed", retry: { attempts: 4, backoff: "fixed", first: "7s" }, delaysMs: [7_000, 7_000, 7_000] },
  { name: "exponential up to a ceiling", retry: { attempts: 6, first: "1s", upTo: "3s" }, delaysMs: [1_000, 2_000, 3_000, 3_000, 3_000] },
];

const delays: readonly Law[] = [
  ...lawsOf(
    "G2",
    backoffs,
    (row) => `the delay between attempts is ${row.name}, and jitter only lengthens it`,
    async (world, row) => {
      const failing = task<{}>("failing", { retry: row.retry, run: fails });
      await (await world.worker({ failing })).broker.enqueue(failing.with({}));
      await world.drained("5m");
      equal(world.runs.length, row.delaysMs.length + 1, "runs");
      for (const [index, gap] of gaps(world).entries()) {
        const delay = row.delaysMs[index] ?? 0;
        between(gap, delay, delay * 1.25 + startWithinMs, `ms before attempt ${index + 2}`);
      }
    },
  ),
  law("G2", "jobs that failed together do not come back together", async (world) => {
    const failing = task<{ n: number }>("failing", { retry: { attempts: 2, backoff: "fixed", first: "1m" }, run: fails });
    const { broker } = await world.worker({ failing }, { queues: { default: 50 } });
    await broker.enqueue(Array.from({ length: 50 }, (_, n) => failing.with({ n })));
    await world.until("all have failed once", async () => (await world.observer.count()).scheduled === 50);
    const { jobs } = await world.observer.list({ states: ["scheduled"] }, { limit: 50 });
    const due = jobs.map((job) => job.dueAt.getTime());
    holds(Math.max(...due) - Math.min(...due) > 5_000, "50 retries after a minute spread over more than 5 s", Math.max(...due) - Math.min(...due));
  }),
  law("G2", "the error decides the delay where the task asks it", async (world) => {
    const polite = task<{}>("polite", {
      retry: { delay: (error) => (error instanceof Error && error.message === "in 42 s" ? "42s" : null) },
      run: (_, job) => (job.attempt === 1 ? Promise.reject(new Error("in 42 s")) : undefined),
    });
    await (await world.worker({ polite })).broker.enqueue(polite.with({}));
    await world.drained("2m");
    between(gaps(world)[0], 42_000, 42_000 + startWithinMs, "ms before the second attempt");
  }),
  law("G2", "null from the task's delay gives up", async (world) => {
    const hopeless = task<{}>("hopeless", { retry: { delay: () => null }, run: () => Promise.reject(new Error("no such card")) });
    const { id } = await (await world.worker({ hopeless })).broker.enqueue(hopeless.with({}));
    await world.drained();
    const job = await world.job(id);
    equal([job.state, world.runs.length], ["dead", 1], "state, and runs");
    matches(job.reason, /no such card/, "its reason");
  }),
  law("G2", "a delay function that fails itself leaves the backoff", async (world) => {
    const broken = task<{}>("broken", {
      retry: {
        attempts: 2,
        delay: () => {
          throw new Error("oops");
        },
      },
      run: fails,
    });
    await (await world.worker({ broken })).broker.enqueue(broken.with({}));
    await world.drained();
    between(gaps(world)[0], 1_000, 1_250 + startWithinMs, "ms before the second attempt");
  }),
];

const ends: readonly Law[] = [
  law("G2", "a job whose attempts are exhausted is dead, with the last error", async (world) => {
    const failing = task<{}>("failing", {
      retry: { attempts: 3, backoff: "fixed", first: "1s" },
      run: (_, job) => Promise.reject(new Error(`no ${job.attempt}`)),
    });
    const { broker } = await world.worker({ failing });
    const { id } = await broker.enqueue(failing.with({}));
    await world.drained();
    const job = await world.job(id);
    equal([job.state, job.attempts, world.runs.map((run) => run.attempt)], ["dead", 3, [1, 2, 3]], "state, attempts, attempts seen");
    equal(
      job.history.map(({ is, error }) => [is, error?.message]),
      [
        ["retry", "no 1"],
        ["retry", "no 2"],
        ["dead", "no 3"],
      ],
      "the history",
    );
    matches(await broker.why(id), /died.*no 3/, "why");
  }),
  law("G2", "a first run that succeeds spends one attempt, and is remembered with no failure", async (world) => {
    const work = task<{}>("work", () => undefined);
    const { id } = await (await world.worker({ work })).broker.enqueue(work.with({}));
    await world.drained();
    const job = await world.job(id);
    equal([job.state, job.attempts, job.starts, job.history], ["completed", 1, 1, []], "state, attempts, starts, history");
  }),
  law("G2", "giveUp ends a job dead at once, with its reason", async (world) => {
    const work = task<{}>("work", () => giveUp("the card was stolen"));
    const { id } = await (await world.worker({ work })).broker.enqueue(work.with({}));
    await world.drained();
    const job = await world.job(id);
    equal([job.state, job.reason, world.runs.length], ["dead", "the card was stolen", 1], "state, reason, runs");
  }),
  law("G2", "a snooze costs no attempt, however often", async (world) => {
    const sleepy = task<{}>("sleepy", { retry: { attempts: 1 }, run: () => (world.runs.length < 8 ? snooze("1s") : undefined) });
    const { id } = await (await world.worker({ sleepy })).broker.enqueue(sleepy.with({}));
    await world.drained();
    equal(
      [await world.stateOf(id), world.runs.length, [...new Set(world.runs.map((run) => run.attempt))]],
      ["completed", 8, [1]],
      "state, runs, attempts seen",
    );
  }),
  law("G2", "a dead job that is redriven begins anew, with all its attempts; its history stays", async (world) => {
    let isMended = false;
    const failing = task<{}>("failing", {
      retry: { attempts: 2, backoff: "fixed", first: "1s" },
      run: (_, job) => (isMended && job.attempt === 2 ? undefined : fails()),
    });
    const { broker } = await world.worker({ failing });
    const { id } = await broker.enqueue(failing.with({}));
    await world.drained();
    isMended = true;
    equal([await world.stateOf(id), await broker.retry(id)], ["dead", "retried"], "state, and the answer to retry");
    await world.drained();
    const job = await world.job(id);
    equal(
      [job.state, job.attempts, job.history.length, world.runs.map((run) => run.attempt)],
      ["completed", 2, 3, [1, 2, 1, 2]],
      "state, attempts, history, attempts seen",
    );
  }),
  ...lawsOf<{ state: string; reach: "delay" | "run" | "end" | "wait"; answer: string }>(
    "G2",
    [
      { state: "ready", reach: "wait", answer: "waiting" },
      { state: "running", reach: "run", answer: "running" },
      { state: "completed", reach: "end", answer: "ended" },
    ],
    (row) => `retry of a ${row.state} job answers ${row.answer}, and changes nothing`,
    async (world, row) => {
      const work = task<{}>("work", () => (row.reach === "run" ? world.sleep("1h") : undefined));
      const { id } = await world.process({ work }).broker.enqueue(work.with({}));
      if (row.reach !== "wait") {
        await world.worker({ work });
        await world.until("it has run", () => world.runs.length === 1);
        await world.advance("1s");
      }
      equal([await world.observer.retry(id), await world.stateOf(id)], [row.answer, row.state], "the answer, and the state");
      await world.advance("3s");
      equal(world.runs.length, row.reach === "wait" ? 0 : 1, "runs");
    },
  ),
  law("G2", "retry of an unknown id answers unknown", async (world) => {
    equal(await world.process({}).broker.retry("nobody"), "unknown", "the answer");
  }),
  law("G2", "what is thrown need not be an error", async (world) => {
    const odd = task<{ n: number }>("odd", { retry: { attempts: 1 }, run: ({ n }) => Promise.reject([undefined, null, "text", { code: 7 }, 42][n]) });
    const { broker } = await world.worker({ odd });
    await broker.enqueue([0, 1, 2, 3, 4].map((n) => odd.with({ n })));
    await world.drained();
    equal((await world.observer.count()).dead, 5, "dead jobs");
  }),
];

const timeouts: readonly Law[] = [
  law("G2", "a run that takes longer than its timeout is aborted with job-timeout, and counts as failed", async (world) => {
    const slow = task<{}>("slow", {
      timeout: "5s",
      retry: { attempts: 2, backoff: "fixed", first: "1s" },
      run: (_, job) => (job.attempt === 1 ? world.sleep("1h", job.signal) : undefined),
    });
    const { id } = await (await world.worker({ slow })).broker.enqueue(slow.with({}));
    await world.drained();
    const [first] = world.runs;
    equal([first?.abortedBy, await world.stateOf(id), world.runs.length], ["job-timeout", "completed", 2], "what it was aborted with, state, runs");
    between((first?.abortedAt ?? 0) - (first?.startedAt ?? 0), 5_000, 6_000, "ms until it was aborted");
    equal((await world.job(id)).history[0]?.error?.code, "job-timeout", "the recorded error's code");
  }),
  law("G2", "a run that ignores its timeout's signal does not hold its job for ever", async (world) => {
    const deaf = task<{}>("deaf", {
      timeout: "5s",
      retry: { attempts: 2, backoff: "fixed", first: "1s" },
      run: (_, job) => (job.attempt === 1 ? world.sleep("1h") : undefined),
    });
    const { id } = await (await world.worker({ deaf })).broker.enqueue(deaf.with({}));
    await world.until("it has ended", () => world.hasEnded(id), "40s");
    equal([await world.stateOf(id), world.runs.length], ["completed", 2], "state, and runs");
  }),
  law("G2", "a run within its timeout is not aborted", async (world) => {
    const work = task<{}>("work", { timeout: "10s", run: () => world.sleep("9s") });
    await (await world.worker({ work })).broker.enqueue(work.with({}));
    await world.drained();
    equal([world.runs.length, world.runs[0]?.abortedBy], [1, undefined], "runs, and what it was aborted with");
  }),
  law("G2", "a stopping worker lets its jobs finish within the grace time, and starts no other", async (world) => {
    const work = task<{ n: number }>("work", () => world.sleep("5s"));
    const worker = await world.worker({ work }, { queues: { default: 2 } });
    await worker.broker.enqueue([1, 2, 3, 4].map((n) => work.with({ n })));
    await world.until("two run", () => world.runs.length === 2);
    await world.stop(worker);
    const { completed, ready, running } = await world.observer.count();
    equal([completed, ready, running, world.runs.length], [2, 2, 0, 2], "completed, ready, running, runs");
  }),
];

export const retryLaws: readonly Law[] = [...delays, ...ends, ...timeouts];
