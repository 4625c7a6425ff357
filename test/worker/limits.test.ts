/** What a worker asks the store for, and what it counts itself. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Claim } from "../../src/core/engine.ts";
import { limitKey, resourceKey } from "../../src/core/notes.ts";
import { resource } from "../../src/core/limits/resource.ts";
import { breakerKey } from "../../src/core/recovery/breakerNotes.ts";
import type { BreakerState } from "../../src/core/recovery/breakerState.ts";
import { task, type Task } from "../../src/core/task.ts";
import { Stage } from "./stage.ts";

interface Numbered {
  readonly n: number;
}
const numbered = (count: number): Numbered[] => Array.from({ length: count }, (_, n) => ({ n }));
const claims = (stage: Stage): Claim[] => stage.calls.filter(({ verb }) => verb === "claim").map(({ args }) => args[0] as Claim);
const sleep = (stage: Stage, ms: number): Promise<void> => new Promise((resolve) => void stage.runtime.after(ms, resolve));
const breakerOf = async (stage: Stage, name: string): Promise<BreakerState | undefined> => {
  const note = await stage.engine.readNote(breakerKey(name), stage.at);
  return note && (JSON.parse(note.value) as BreakerState);
};

test("a claim names the gates and needs of each task, and none of a task that has none", async () => {
  const definitions = {
    plain: task("plain", () => undefined),
    limited: task("limited", { limits: [{ running: 2 }, { starts: 5, every: "1s" }], run: () => undefined }),
    needing: task("needing", { needs: { gpu: 1, seat: 2 }, run: () => undefined }),
    gpu: resource("gpu", { capacity: 1 }),
    seat: resource("seat", { capacity: 9 }),
  };
  await using stage = new Stage(definitions);
  await stage.start();
  const { tasks, terms } = claims(stage)[0] ?? { tasks: [], terms: undefined };
  assert.deepEqual(tasks, ["plain", "limited", "needing"]);
  assert.deepEqual(terms, { limited: { gates: ["task/limited/running", "task/limited/starts-in-1000ms"] }, needing: { needs: { gpu: 1, seat: 2 } } });
});

test("a worker without anything to hold back claims without terms", async () => {
  await using stage = new Stage({ plain: task("plain", () => undefined) });
  await stage.start();
  assert.ok(claims(stage).every(({ terms }) => terms === undefined));
});

test("what a worker has itself is not asked of the store, and is shared by the tasks that need it", async () => {
  const atOnce = { one: 0, two: 0 };
  const most = { ...atOnce };
  const needing = (name: "one" | "two", gpu: number): Task<Numbered> =>
    task<Numbered>(name, {
      needs: { gpu },
      run: async () => {
        most[name] = Math.max(most[name], ++atOnce[name]);
        assert.ok(atOnce.one + atOnce.two * 2 <= 4);
        await sleep(stage, 100);
        atOnce[name]--;
      },
    });
  const definitions = { one: needing("one", 1), two: needing("two", 2) };
  const stage = new Stage(definitions);
  await using _ending = stage;
  await stage.enqueue(...numbered(40).flatMap((input) => [definitions.one.with(input), definitions.two.with(input)]));
  await stage.start({ has: { gpu: 4 } });
  await stage.advance(10_000);
  assert.ok(claims(stage).every(({ terms }) => Object.values(terms ?? {}).every(({ needs }) => needs === undefined)));
  assert.ok((await stage.jobs("one")).concat(await stage.jobs("two")).every(({ state }) => state === "completed"));
  assert.ok(most.one > 0 && most.two > 0);
});

test("what is kept for a task that has no jobs is given to another at once", async () => {
  const starts: number[] = [];
  const needing = (name: string): Task<Numbered> =>
    task<Numbered>(name, { needs: { gpu: 1 }, run: () => (starts.push(stage.runtime.monotonic()), sleep(stage, 60_000)) });
  const definitions = { a: needing("a"), b: needing("b"), c: needing("c") };
  const stage = new Stage(definitions);
  await using _ending = stage;
  await stage.enqueue(...numbered(6).map((input) => definitions.c.with(input)));
  await stage.start({ has: { gpu: 3 } });
  assert.deepEqual(starts, [0, 0, 0]);
});

test("a worker that has less of a resource than a task needs leaves that task to others, and says so", async () => {
  const big = task<Numbered>("big", { needs: { gpu: 3 }, run: () => undefined });
  await using stage = new Stage({ big, gpu: resource("gpu", { capacity: 9 }) });
  await stage.enqueue(big.with({ n: 1 }));
  await stage.start({ has: { gpu: 2 } });
  await stage.advance(5_000);
  assert.equal((await stage.jobs("big"))[0]?.state, "ready");
  assert.equal(stage.said("task big needs 3 of gpu, of which this worker has 2").length, 1);
});

const needs: readonly { readonly name: string; readonly definitions: Readonly<Record<string, unknown>>; readonly says: string | undefined }[] = [
  { name: "nobody has defined", definitions: {}, says: "needs gpu, a resource that nobody has defined; define it with resource" },
  { name: "is misspelt", definitions: { gpus: resource("gpus", { capacity: 1 }) }, says: 'did you mean "gpus"?' },
  { name: "is never there in that amount", definitions: { gpu: resource("gpu", { capacity: 1 }) }, says: "of which there are never more than 1" },
  {
    name: "is there at some hours only",
    definitions: { gpu: resource("gpu", { capacity: 0, calendar: [{ open: "08:00-09:00", zone: "UTC", capacity: 2 }] }) },
    says: undefined,
  },
];
for (const { name, definitions, says } of needs) {
  test(`a need that ${name} is ${says === undefined ? "fine" : "warned of once"}`, async () => {
    const work = task<Numbered>("work", { needs: { gpu: 2 }, run: () => undefined });
    await using stage = new Stage({ work, ...definitions });
    await stage.start();
    for (const n of [1, 2, 3]) {
      await stage.note("some/note", String(n));
      await stage.advance(2_500);
    }
    assert.equal(stage.said(says ?? "needs").length, says === undefined ? 0 : 1);
  });
}

test("limits and resources that the store lost are stored again before anything more is claimed", async () => {
  const starts: number[] = [];
  const work = task<Numbered>("work", { limits: [{ running: 2 }], needs: { gpu: 1 }, run: () => (starts.push(stage.runtime.monotonic()), sleep(stage, 500)) });
  const stage = new Stage({ work, gpu: resource("gpu", { capacity: 5 }) });
  await using _ending = stage;
  await stage.enqueue(...numbered(30).map((input) => work.with(input)));
  await stage.start();
  await stage.note(limitKey("task/work/running"), undefined);
  await stage.note(resourceKey("gpu"), undefined);
  await stage.advance(3_000);
  assert.notEqual(await stage.engine.readNote(limitKey("task/work/running"), stage.at), undefined);
  starts.length = 0;
  await stage.advance(3_000);
  assert.equal(starts.length, 12);
});

test("a worker that hears no beats reads the limits itself before it claims again", async () => {
  const starts: number[] = [];
  const work = task<Numbered>("work", { run: () => (starts.push(stage.runtime.monotonic()), sleep(stage, 200)) });
  const stage = new Stage({ work });
  await using _ending = stage;
  await stage.enqueue(...numbered(2_000).map((input) => work.with(input)));
  await stage.start({ queues: { default: 5 } });
  stage.before = (verb) => {
    if (verb === "beat") throw new Error("away");
  };
  await stage.note(limitKey("task/work/running"), JSON.stringify({ running: 1, isEdited: true }));
  await stage.advance(5_000);
  starts.length = 0;
  await stage.advance(2_000);
  assert.ok(starts.length <= 10, `${starts.length} starts in 2 s, of jobs of 200 ms, one at a time`);
});

test("what was claimed ahead of a breaker's opening goes back unstarted", async () => {
  let runs = 0;
  const work = task<Numbered>("work", ({ n }) => {
    runs++;
    return n < 1_500 ? undefined : sleep(stage, 1).then(() => Promise.reject(new Error("503")));
  });
  const stage = new Stage({ work });
  await using _ending = stage;
  await stage.enqueue(...numbered(4_000).map((input) => work.with(input)));
  await stage.start();
  await stage.advance(500);
  const ahead = Math.max(...claims(stage).flatMap(({ queues }) => queues.map((queue) => queue.ahead)));
  assert.ok(ahead > 100, `${ahead} were claimed ahead`);
  assert.ok(runs > 1_500 && runs < 1_600, `${runs} runs`);
  const rows = await stage.jobs("work");
  assert.ok(rows.every(({ state }) => state !== "running"));
  assert.equal((await breakerOf(stage, "task/work"))?.is, "open");
});

test("timeouts count as failures, and what is tried again does so only when the breaker lets it", async () => {
  const work = task<Numbered>("work", {
    timeout: "1s",
    run: (_, job) => new Promise((_resolve, reject) => job.signal.addEventListener("abort", () => reject(job.signal.reason as Error))),
  });
  await using stage = new Stage({ work });
  await stage.enqueue(...numbered(40).map((input) => work.with(input)));
  await stage.start();
  await stage.advance(4_000);
  assert.match((await breakerOf(stage, "task/work"))?.reason ?? "", /longer than 1 s/);
  assert.equal(stage.said("too many runs of task/work fail").length, 1);
});

test("runs that were cancelled, or whose payload does not fit, say nothing of what they depend on", async () => {
  const work = task<Numbered>(
    "work",
    (_, job) => new Promise((_resolve, reject) => job.signal.addEventListener("abort", () => reject(job.signal.reason as Error))),
  );
  await using stage = new Stage({ work });
  const ids = await stage.enqueue(...numbered(40).map((input) => work.with(input)));
  await stage.start({ queues: { default: 40 } });
  await stage.advance(100);
  for (const id of ids) await stage.change(id, { do: "cancel", reason: "not needed" });
  await stage.advance(4_000);
  assert.ok((await stage.jobs("work")).every(({ state }) => state === "cancelled"));
  assert.equal(await breakerOf(stage, "task/work"), undefined);
});

test("each worker adds what it did before the trouble to the rate that the ramp comes from", async () => {
  let isDown = false;
  const work = task<Numbered>("work", {
    retry: { backoff: "fixed", first: "1s" },
    run: async () => (await sleep(stage, 100), isDown ? Promise.reject(new Error("503")) : undefined),
  });
  const stage = new Stage({ work });
  await using _ending = stage;
  await stage.enqueue(...numbered(1_000).map((input) => work.with(input)));
  await stage.start({ queues: { default: 2 } });
  await stage.start({ queues: { default: 4 } });
  await stage.advance(10_000);
  isDown = true;
  await stage.advance(8_000);
  const state = await breakerOf(stage, "task/work");
  assert.equal(state?.told.length, 2);
  assert.ok(state !== undefined && state.rate > 54 && state.rate <= 60, `${state?.rate} a second, of two workers that do 60`);
});

test("when the hours of an ordered task end, the rest of its rows goes back", async () => {
  const starts: number[] = [];
  const work = task<Numbered & { readonly key: string }>("work", {
    orderedBy: "key",
    hours: { open: "00:00-00:01", zone: "UTC" },
    run: ({ n }) => (starts.push(n), n < 300 ? undefined : sleep(stage, 10)),
  });
  const stage = new Stage({ work });
  await using _ending = stage;
  await stage.enqueue(...numbered(2_000).map(({ n }) => work.with({ n, key: "a" })));
  await stage.advance(58_000);
  const worker = await stage.start();
  await stage.advance(1_995);
  assert.ok(worker.inFlight > 5, `${worker.inFlight} in flight`);
  const { length } = starts;
  await stage.advance(1_000);
  assert.ok(starts.length <= length + 1);
  assert.equal(worker.inFlight, 0);
  assert.ok((await stage.jobs("work")).every(({ state }) => state !== "running"));
});

test("while the store does not tell what is limited nothing is claimed, and all goes on when it does", async () => {
  let runs = 0;
  const work = task<Numbered>("work", () => void runs++);
  await using stage = new Stage({ work });
  await stage.start();
  stage.before = (verb) => {
    if (verb === "find") throw new Error("no notes");
  };
  await stage.note(limitKey("task/work/running"), JSON.stringify({ running: 1, isEdited: true }));
  await stage.advance(2_500);
  await stage.enqueue(...numbered(60).map((input) => work.with(input)));
  await stage.advance(10_000);
  assert.equal(runs, 0);
  stage.before = () => undefined;
  await stage.advance(2_000);
  assert.equal(runs, 60);
});
