/** How a run ends, and what that makes of its job. */
import assert from "node:assert/strict";
import test from "node:test";
import { z } from "zod";
import { giveUp, skip, snooze } from "../../src/core/endings.ts";
import { event } from "../../src/core/event.ts";
import { task, type Job } from "../../src/core/task.ts";
import { Stage } from "./stage.ts";

const cases = [
  { name: "returning", run: () => 1, state: "completed" },
  { name: "resolving", run: async () => 1, state: "completed" },
  { name: "a thenable", run: () => ({ then: (done: (value: number) => void) => done(1) }), state: "completed" },
  { name: "skip", run: () => skip("already sent"), state: "skipped", reason: "already sent" },
  { name: "an async skip", run: async () => skip("already sent"), state: "skipped", reason: "already sent" },
  { name: "giveUp", run: async () => giveUp("no such order"), state: "dead", reason: "no such order" },
  { name: "snooze", run: async () => snooze("1h"), state: "scheduled", attempts: 0 },
  {
    name: "throwing",
    run: () => {
      throw new Error("smtp down");
    },
    state: "scheduled",
    attempts: 1,
  },
  {
    name: "rejecting",
    run: async () => {
      throw new Error("smtp down");
    },
    state: "scheduled",
    attempts: 1,
  },
  {
    name: "throwing nothing",
    run: async () => {
      throw undefined;
    },
    state: "scheduled",
    attempts: 1,
  },
] as const;

for (const given of cases) {
  test(`${given.name} leaves the job ${given.state}`, async () => {
    const work = task("work", { run: given.run });
    await using stage = new Stage({ work });
    const [id] = await stage.enqueue(work.with({}));
    await stage.start();
    await stage.advance(10);
    const job = await stage.job(id);
    assert.equal(job.state, given.state);
    if ("reason" in given) assert.equal(job.reason, given.reason);
    if ("attempts" in given) assert.equal(job.attempts, given.attempts);
  });
}

test("unless skips with its reason, and the run is not reached", async () => {
  let runs = 0;
  const work = task("work", { unless: async () => "already sent", run: () => void runs++ });
  await using stage = new Stage({ work });
  const [id] = await stage.enqueue(work.with({}));
  await stage.start();
  await stage.advance(10);
  assert.deepEqual([(await stage.job(id)).state, (await stage.job(id)).reason, runs], ["skipped", "already sent", 0]);
});

test("the run gets the schema's output, and a stored payload that no longer fits is dead at once, saying so", async () => {
  const seen: unknown[] = [];
  const run = (input: unknown): void => void seen.push(input);
  const old = task("work", { input: z.object({ n: z.number() }), run });
  const now = task("work", {
    input: z.object({
      n: z
        .number()
        .max(5)
        .transform((n) => n * 10),
    }),
    run,
  });
  await using stage = new Stage({ old });
  const [fits, tooLarge] = await stage.enqueue(old.with({ n: 4 }), old.with({ n: 6 }));
  await stage.start({}, { now });
  await stage.advance(10);
  assert.deepEqual(seen, [{ n: 40 }]);
  assert.equal((await stage.job(fits)).state, "completed");
  const dead = await stage.job(tooLarge);
  assert.equal(dead.state, "dead");
  assert.match(dead.reason ?? "", /^payload-invalid/);
  assert.equal(dead.starts, 1);
});

test("attempts used up leave the job dead with the error's message as its reason", async () => {
  const work = task("work", {
    retry: { attempts: 3, first: "1s", backoff: "fixed" },
    run: () => {
      throw new Error("smtp down");
    },
  });
  await using stage = new Stage({ work });
  const [id] = await stage.enqueue(work.with({}));
  await stage.start();
  await stage.advance(10_000);
  const job = await stage.job(id);
  assert.deepEqual([job.state, job.reason, job.attempts, job.starts], ["dead", "smtp down", 3, 3]);
});

test("the backoff doubles, and jitter only lengthens it, by a quarter at most", async () => {
  const starts: number[] = [];
  const work = task("work", {
    retry: { attempts: 5, upTo: "4s" },
    run: () => {
      starts.push(stage.runtime.now());
      throw new Error("no");
    },
  });
  await using stage = new Stage({ work });
  await stage.enqueue(work.with({}));
  await stage.start();
  await stage.advance(60_000);
  const gaps = starts.slice(1).map((start, index) => start - (starts[index] ?? 0));
  assert.equal(gaps.length, 4);
  for (const [index, base] of [1_000, 2_000, 4_000, 4_000].entries()) {
    const gap = gaps[index] ?? 0;
    assert.ok(gap >= base && gap <= base * 1.25 + 5, `the ${index + 1}. gap is ${gap} ms of ${base}`);
  }
});

for (const [answer, expected] of [
  ["7s", "scheduled"],
  [null, "dead"],
] as const) {
  test(`retry.delay that answers ${answer} leaves the job ${expected}`, async () => {
    const work = task("work", {
      retry: { delay: (_error, attempt) => (attempt === 1 ? answer : null) },
      run: () => {
        throw new Error("no");
      },
    });
    await using stage = new Stage({ work });
    const [id] = await stage.enqueue(work.with({}));
    await stage.start();
    await stage.advance(10);
    const job = await stage.job(id);
    assert.equal(job.state, expected);
    if (answer !== null) assert.ok(job.dueAt - stage.runtime.now() > 6_900);
  });
}

test("a retry.delay that throws falls back to the backoff and is logged", async () => {
  const work = task("work", {
    retry: {
      delay: () => {
        throw new Error("broken");
      },
    },
    run: () => {
      throw new Error("no");
    },
  });
  await using stage = new Stage({ work });
  const [id] = await stage.enqueue(work.with({}));
  await stage.start();
  await stage.advance(10);
  assert.equal((await stage.job(id)).state, "scheduled");
  assert.equal(stage.said("retry.delay failed").length, 1);
});

test("what a run hands over is stored with its outcome, and not at all when it fails", async () => {
  const next = task("next", { run: () => undefined });
  const happened = event("happened");
  const handOver = (job: Job): void => {
    job.enqueue([next.with({}), next.with({})]);
    job.publish(happened.with({}));
  };
  const good = task("good", { run: async (_input: {}, job) => handOver(job) });
  const bad = task("bad", {
    run: async (_input: {}, job) => {
      handOver(job);
      throw new Error("no");
    },
  });
  const gaveUp = task("gave-up", async (_input: {}, job) => {
    handOver(job);
    giveUp("no");
  });
  await using stage = new Stage({ next, good, bad, gaveUp });
  await stage.enqueue(good.with({}), bad.with({}), gaveUp.with({}));
  await stage.start();
  await stage.advance(10);
  assert.equal((await stage.jobs("next")).length, 2);
  assert.equal((await stage.events()).filter(({ name }) => name === "happened").length, 1);
  assert.deepEqual(
    stage
      .outcomes()
      .filter(({ follow }) => follow)
      .map(({ is }) => is),
    ["completed"],
  );
});

test("a mistake in what is handed over throws at the call, and so does handing over after the end or too much", async () => {
  const next = task("next", { input: z.object({ n: z.number() }), run: () => undefined });
  const codes: unknown[] = [];
  const attempt = (fn: () => void): void => {
    try {
      fn();
    } catch (error) {
      codes.push((error as { code?: unknown }).code);
    }
  };
  let kept: Job | undefined;
  const work = task("work", {
    run: (_input: {}, job) => {
      kept = job;
      attempt(() => job.enqueue(next.with({ n: "x" } as never)));
      attempt(() => job.enqueue(Array.from({ length: 501 }, (_, n) => next.with({ n }))));
    },
  });
  await using stage = new Stage({ work, next });
  await stage.enqueue(work.with({}));
  await stage.start();
  await stage.advance(10);
  attempt(() => kept?.enqueue(next.with({ n: 1 })));
  assert.deepEqual(codes, ["payload-invalid", "enqueue-too-many", "lease-lost"]);
});

test("an outcome whose follow-up work is refused becomes a failed attempt without it", async () => {
  const next = task("next", { run: () => undefined });
  const work = task("work", { run: (_input: {}, job) => job.enqueue(next.with({ v: 2 } as never, { id: "taken" })) });
  await using stage = new Stage({ work, next });
  await stage.enqueue(next.with({ v: 1 } as never, { id: "taken" }));
  const [id] = await stage.enqueue(work.with({}));
  await stage.start();
  await stage.advance(10);
  const job = await stage.job(id);
  assert.deepEqual([job.state, job.attempts], ["scheduled", 1]);
  assert.match(job.history.at(-1)?.error?.message ?? "", /id-conflict/);
});
