/** A broker's own life: opening that fails and is tried again, engines that are shared, closing that is asked for twice. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Engine } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { event } from "../../src/core/event.ts";
import { task } from "../../src/core/task.ts";
import { when } from "../../src/core/when.ts";
import { StoreBroker } from "../../src/core/broker.ts";
import { broker } from "../../src/index.ts";
import { memory } from "../../src/memory/index.ts";
import { realRuntime } from "../../src/runtime/real.ts";
import { sqlite } from "../../src/sqlite/index.ts";

const work = task("work", () => undefined);
const happened = event<{}>("happened");

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "errand-broker-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Its first `enqueue` fails. */
function failingOnce(engine: Engine): Engine {
  let hasFailed = false;
  return new Proxy(engine, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (name !== "enqueue" || hasFailed) return member.bind(target) as unknown;
      return () => {
        hasFailed = true;
        throw new ErrandError("store-busy", "somebody else writes; try again");
      };
    },
  });
}

test("a worker whose store could not be opened can be started again", async (t) => {
  const parent = join(directory(t), "later");
  await using jobs = broker(`sqlite:${join(parent, "jobs.db")}`, { work });
  await assert.rejects(jobs.start({ signals: false }), (error) => ErrandError.is(error, "option-invalid"));
  mkdirSync(parent);
  const worker = await jobs.start({ signals: false });
  await worker.stop();
});

test("closing a broker that never opened leaves an engine that another one has open", async (t) => {
  const engine = sqlite(join(directory(t), "jobs.db"));
  await using jobs = broker(engine, { work });
  await jobs.open();
  await broker(engine, { work }).close();
  assert.equal((await jobs.enqueue(work.with({}))).isDuplicate, false);
});

test("a broker whose opening failed half-way and was repeated closes its engine for good", async (t) => {
  const engine = sqlite(join(directory(t), "jobs.db"));
  const jobs = broker(failingOnce(engine), { work, heard: when(happened, work) });
  await assert.rejects(jobs.open(), (error) => ErrandError.is(error, "store-busy"));
  await jobs.open();
  await jobs.close();
  assert.throws(
    () => engine.count({}),
    (error) => ErrandError.is(error, "broker-closed"),
  );
});

test("whoever closes a broker a second time waits for the first to be done", async () => {
  let isDone = false;
  const { promise: started, resolve } = Promise.withResolvers<void>();
  const slow = task("slow", async () => {
    resolve();
    await new Promise((go) => setTimeout(go, 50));
    isDone = true;
  });
  const jobs = broker(memory(), { slow });
  await jobs.start({ signals: false });
  await jobs.enqueue(slow.with({}));
  await started;
  void jobs.close();
  await jobs.close();
  assert.equal(isDone, true);
});

test("a broker has as many subscriptions as it likes", async () => {
  const subscriptions = Object.fromEntries(Array.from({ length: 201 }, (_, at) => [`heard${at}`, when(happened, work, { name: `heard${at}` })]));
  await using jobs = broker(memory(), { work, ...subscriptions });
  await jobs.publish(happened.with({}));
  assert.equal((await jobs.count()).ready, 201);
});

test("closing waits for the store without turning the event loop meanwhile", async (t) => {
  const { promise: stored, resolve } = Promise.withResolvers<void>();
  t.after(() => resolve());
  const engine = memory();
  const slow = new Proxy(engine, {
    get: (target, name) => {
      if (name === "enqueue") return (...args: Parameters<Engine["enqueue"]>) => stored.then(() => target.enqueue(...args));
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
  let turns = 0;
  const runtime = Object.assign(Object.create(realRuntime()) as ReturnType<typeof realRuntime>, {
    log: console,
    soon: (fn: () => void): void => {
      turns += 1;
      setImmediate(fn);
    },
    id: () => "an-id",
    now: () => Date.now(),
  });
  const jobs = new StoreBroker({ engine: slow, runtime, definitions: [{ work }] });
  await jobs.open();
  const enqueueing = jobs.enqueue(work.with({}));
  const closing = jobs.close();
  await new Promise((go) => setTimeout(go, 20));
  assert.ok(turns < 5, `${turns} turns`);
  resolve();
  await closing;
  assert.equal((await enqueueing).isDuplicate, false);
});
