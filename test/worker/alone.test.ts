/** Jobs that may have killed their workers run alone (G13). */
import assert from "node:assert/strict";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { suspectsBeforeAlone } from "../../src/core/defaults.ts";
import type { Claimed } from "../../src/core/engine.ts";
import { task } from "../../src/core/task.ts";
import { spawn } from "../../src/runtime/spawn.ts";
import { Stage } from "./stage.ts";
import * as module from "./suspectTasks.ts";

const tasks = { ...module };

/** Makes waiting jobs suspect: processes claim them and die. */
async function crashTwice(stage: Stage, taskNames: readonly string[]): Promise<void> {
  for (let death = 0; death < suspectsBeforeAlone; death++) {
    const process = `dead-${death}`;
    await stage.engine.claim(
      {
        process,
        leaseMs: 1_000,
        claim: process,
        lastFence: 0,
        queues: [{ queue: "default", slots: 100, ahead: 0 }],
        tasks: taskNames,
        alone: "no",
        settling: [],
      },
      stage.at,
    );
    await stage.advance(2_000);
    await stage.engine.tidy({ items: 100, mayExpire: true }, stage.at);
  }
}

async function waitFor(stage: Stage, isThere: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200 && !(await isThere()); tries++) {
    await stage.advance(50);
    await new Promise((resolve) => setTimeout(resolve, 25)); // a real child process takes real time
  }
}

const children = [
  { name: "killer", state: "dead", reason: /^it killed its process when run alone \(SIGKILL\)/, isPoison: true, follows: 0 },
  { name: "innocent", state: "completed", reason: undefined, isPoison: undefined, follows: 1 },
  { name: "skipping", state: "skipped", reason: /nothing to do/, isPoison: undefined, follows: 0 },
  { name: "failing", state: "scheduled", reason: undefined, isPoison: undefined, follows: 0 },
] as const;

for (const given of children) {
  test(`a suspect that is ${given.name} ends ${given.state} in a child process, while other jobs go on`, async () => {
    await using stage = new Stage(tasks);
    stage.runtime.spawn = spawn;
    const [id] = await stage.enqueue(tasks[given.name].with({}));
    await crashTwice(stage, [given.name]);
    assert.equal((await stage.job(id)).suspects, 2);
    await stage.start({ isolate: new URL("./suspectTasks.ts", import.meta.url) });
    const [other] = await stage.enqueue(tasks.next.with({}));
    await stage.advance(10);
    assert.equal((await stage.job(other)).state, "completed");
    await waitFor(stage, async () => !["ready", "running"].includes((await stage.job(id)).state));
    const job = await stage.job(id);
    assert.deepEqual([job.state, job.isPoison], [given.state, given.isPoison]);
    if (given.reason !== undefined) assert.match(job.reason ?? "", given.reason);
    await stage.advance(100);
    assert.equal((await stage.jobs("next")).length, 1 + given.follows);
  });
}

test("a suspect reads what it came after from its child process", async () => {
  await using stage = new Stage(tasks);
  stage.runtime.spawn = spawn;
  const [before] = await stage.enqueue(tasks.next.with({}));
  const [id] = await stage.enqueue(tasks.reading.with({}, { after: before ?? "" }));
  const helper = await stage.start({}, { next: tasks.next });
  await stage.advance(100);
  await helper.stop();
  await crashTwice(stage, ["reading"]);
  await stage.start({ isolate: new URL("./suspectTasks.ts", import.meta.url) });
  await waitFor(stage, async () => (await stage.job(id)).state === "skipped");
  assert.equal((await stage.job(id)).reason, "next,completed");
});

test("a suspect that commits in its app's transaction is handed back by its child, and runs alone in the worker", async () => {
  await using stage = new Stage(tasks);
  stage.runtime.spawn = spawn;
  const [id] = await stage.enqueue(tasks.committing.with({}));
  await crashTwice(stage, ["committing"]);
  await stage.start({ isolate: new URL("./suspectTasks.ts", import.meta.url) });
  await waitFor(stage, async () => (await stage.job(id)).state === "scheduled");
  const { history, attempts, suspects } = await stage.job(id);
  assert.equal(stage.said("runs alone in a child process").length, 1);
  // The engine in memory joins no transaction: that it was asked shows where the run was.
  assert.match(history.at(-1)?.error?.message ?? "", /^tx-unsupported/);
  assert.deepEqual([attempts, suspects], [1, 0]);
  const [other] = await stage.enqueue(tasks.next.with({}));
  await stage.advance(5_000);
  assert.equal((await stage.job(other)).state, "completed");
});

test("what a suspect saves in its child is stored by its parent, though the child dies of the job", async () => {
  await using stage = new Stage(tasks);
  stage.runtime.spawn = spawn;
  const [id] = await stage.enqueue(tasks.stepping.with({}));
  await crashTwice(stage, ["stepping"]);
  await stage.start({ isolate: new URL("./suspectTasks.ts", import.meta.url) });
  await waitFor(stage, async () => (await stage.job(id)).state === "dead");
  const { checkpoint, isPoison } = await stage.job(id);
  assert.equal(isPoison, true);
  assert.deepEqual(JSON.parse(checkpoint ?? "null"), { own: { saved: "checkpoint-too-large" }, steps: { charge: { value: "p7" } } });
});

test("without a child process a suspect waits until its worker is empty, runs with nothing beside it, and is cleared", async () => {
  const log: string[] = [];
  const run = ({ name, ms }: { name: string; ms: number }): Promise<void> =>
    new Promise((resolve) => {
      log.push(`${name} starts`);
      stage.runtime.after(ms, () => resolve(void log.push(`${name} ends`)));
    });
  const work = task("work", run);
  const other = task("other", run);
  const stage = new Stage({ work, other });
  await using _ending = stage;
  await stage.enqueue(other.with({ name: "long", ms: 3_000 }));
  await stage.start();
  const [id] = await stage.enqueue(work.with({ name: "suspect", ms: 1_000 }, { in: "100ms" }));
  await crashSuspect(stage, id ?? "");
  await stage.advance(1_500); // the worker hears of the suspect
  await stage.enqueue(other.with({ name: "late", ms: 100 }));
  await stage.advance(8_000);
  assert.deepEqual(log, ["long starts", "long ends", "suspect starts", "suspect ends", "late starts", "late ends"]);
  assert.equal((await stage.job(id)).state, "completed");
});

/** Other processes claim it before the worker can, and die. */
async function crashSuspect(stage: Stage, id: string): Promise<void> {
  stage.before = (verb) => {
    if (verb === "claim" && !isOurs) throw new Error("not yet");
  };
  let isOurs = false;
  await stage.advance(110);
  for (let death = 0; death < suspectsBeforeAlone; death++) {
    isOurs = true;
    await stage.engine.claim(
      {
        process: `dead-${death}`,
        leaseMs: 10,
        claim: "c",
        lastFence: 0,
        queues: [{ queue: "default", slots: 1, ahead: 0 }],
        tasks: ["work"],
        alone: "no",
        settling: [],
      },
      stage.at,
    );
    isOurs = false;
    await stage.advance(20);
    await stage.engine.tidy({ items: 100, mayExpire: true }, stage.at);
  }
  stage.before = () => undefined;
  assert.equal((await stage.job(id)).suspects, 2);
}

test("a module that cannot be loaded in a child is said once, and suspects run alone in the worker", async () => {
  await using stage = new Stage(tasks);
  let spawned = 0;
  stage.runtime.spawn = () => Promise.resolve().then(() => (spawned++, { is: "died", code: 1, signal: null }));
  const [id] = await stage.enqueue(tasks.innocent.with({}));
  await crashTwice(stage, ["innocent"]);
  await stage.start({ isolate: new URL("./suspectTasks.ts", import.meta.url) });
  await stage.advance(3_000);
  await stage.settled();
  assert.deepEqual([(await stage.job(id)).state, spawned], ["completed", 1]);
  assert.equal(stage.said("could not load the definitions").length, 1);
});

test("innocents are cleared several at a time, and one that the system killed beside others is judged only by how it runs with none beside it", async () => {
  await using stage = new Stage(tasks);
  let now = 0;
  let most = 0;
  const besides: number[] = [];
  stage.runtime.spawn = async ({ argument }) => {
    const { job } = JSON.parse(argument) as { job?: { id: string } };
    if (job === undefined) return { is: "answered", message: { is: "loaded" } };
    most = Math.max(most, ++now);
    await new Promise<void>((resolve) => stage.runtime.after(job.id === ids[1] ? 500 : 1_000, resolve));
    now--;
    if (job.id !== ids[1]) return { is: "answered", message: { is: "ended", draft: { is: "completed" } } };
    besides.push(now);
    return besides.length === 1 ? { is: "died", code: null, signal: "SIGKILL" } : { is: "answered", message: { is: "ended", draft: { is: "completed" } } };
  };
  const ids = await stage.enqueue(...Array.from({ length: 8 }, () => tasks.innocent.with({})));
  await crashTwice(stage, ["innocent"]);
  await stage.start({ isolate: new URL("./suspectTasks.ts", import.meta.url) });
  await stage.advance(8_000);
  assert.deepEqual([...new Set((await stage.jobs("innocent")).map(({ state }) => state))], ["completed"]);
  assert.deepEqual(besides, [3, 0]);
  assert.equal(most, 4);
});

test("a suspect in a child is handed back uncharged when the worker stops", async () => {
  await using stage = new Stage(tasks);
  stage.runtime.spawn = ({ argument, signal }) => {
    if (!argument.includes('"job"')) return Promise.resolve({ is: "answered", message: { is: "loaded" } });
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve({ is: "died", code: null, signal: "SIGKILL" })));
  };
  const [id] = await stage.enqueue(tasks.innocent.with({}));
  await crashTwice(stage, ["innocent"]);
  const worker = await stage.start({ isolate: new URL("./suspectTasks.ts", import.meta.url), grace: "1s" });
  await stage.advance(100);
  assert.equal((await stage.job(id)).state, "running");
  const stopped = worker.stop();
  await stage.advance(1_500);
  await stopped;
  const job = await stage.job(id);
  assert.deepEqual([job.state, job.isPoison, job.attempts], ["ready", undefined, 0]);
});

test("the module that a child loads may be named by a URL, its text, or a path", async () => {
  const url = new URL("./suspectTasks.ts", import.meta.url);
  for (const isolate of [url, url.href, fileURLToPath(url)]) {
    await using stage = new Stage(tasks);
    const named: unknown[] = [];
    stage.runtime.spawn = ({ argument }) => {
      named.push((JSON.parse(argument) as { readonly definitions?: unknown }).definitions);
      return Promise.resolve({ is: "answered", message: { is: "loaded" } });
    };
    await stage.enqueue(tasks.innocent.with({}));
    await crashTwice(stage, ["innocent"]);
    await stage.start({ isolate });
    await stage.advance(1_000);
    assert.equal(named[0], url.href);
  }
});

test("a suspect that the store hands out while the worker is told to stop goes back, and does not start", async () => {
  let starts = 0;
  const work = task("work", () => void starts++);
  await using stage = new Stage({ work });
  const [id] = await stage.enqueue(work.with({}));
  await crashTwice(stage, ["work"]);
  stage.afterwards = (verb, answer) => {
    if (verb === "claim" && (answer as Claimed).jobs.length > 0) void stage.workers[0]?.stop();
  };
  await stage.start();
  await stage.advance(5_000);
  const { state, attempts, suspects } = await stage.job(id);
  assert.deepEqual([starts, state, attempts, suspects], [0, "ready", 0, 2]);
});

test("where another worker has the suspect, it is asked for now and then, and other jobs go on", async () => {
  const work = task("work", () => undefined);
  await using stage = new Stage({ work });
  stage.afterwards = (verb, answer) => {
    if (verb === "claim") Object.assign(answer as object, { hasSuspects: true });
  };
  await stage.start();
  await stage.advance(10_000);
  const asked = stage.calls.filter(({ verb, args }) => verb === "claim" && (args[0] as { readonly alone: string }).alone === "only").length;
  assert.ok(asked >= 3 && asked <= 15, `${asked} times in 10 s`);
  const [id] = await stage.enqueue(work.with({}));
  await stage.advance(3_000);
  assert.equal((await stage.job(id)).state, "completed");
});

test("suspects that run alone in the worker run one after the other, without a pause", async () => {
  const at: number[] = [];
  const work = task("work", () => void at.push(stage.runtime.now()));
  const stage = new Stage({ work });
  await using _ending = stage;
  await stage.enqueue(work.with({}), work.with({}), work.with({}));
  await crashTwice(stage, ["work"]);
  await stage.start();
  await stage.advance(5_000);
  assert.equal(at.length, 3);
  assert.ok((at[2] ?? Infinity) - (at[0] ?? 0) <= 50, `within ${(at[2] ?? Infinity) - (at[0] ?? 0)} ms`);
});
