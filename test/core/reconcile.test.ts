/** What a reconciliation's definition says, and what a broker makes of it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ErrandError, reconcile, task, type ReconcileOptions } from "../../src/index.ts";
import { Definitions } from "../../src/core/definitions.ts";
import { memory } from "../../src/memory/index.ts";
import { testBroker } from "../../src/testing/index.ts";
import { BrokerStage } from "./brokerStage.ts";

interface Row {
  readonly id: string;
}
const send = task<Row>("send", { uniqueBy: "id", queue: "mail", run: () => undefined });
const none = async (): Promise<readonly Row[]> => await Promise.resolve([]);

describe("a definition is refused, with its cure, where", () => {
  const rows: readonly { readonly what: string; readonly make: () => unknown; readonly code: string; readonly says: RegExp }[] = [
    { what: "the first is no task", make: () => reconcile("send" as never, { every: "5m", find: none }), code: "option-invalid", says: /task\(…\)/ },
    {
      what: "the task has no uniqueBy",
      make: () =>
        reconcile(
          task("bare", () => undefined),
          { every: "5m", find: async () => await Promise.resolve([]) },
        ),
      code: "definition-invalid",
      says: /name the fields/,
    },
    { what: "find is missing", make: () => reconcile(send, { every: "5m" } as never), code: "definition-invalid", says: /no find/ },
    { what: "every is missing", make: () => reconcile(send, { find: none } as never), code: "definition-invalid", says: /no every/ },
    { what: "every is cron", make: () => reconcile(send, { every: "0 3 * * *" as never, find: none }), code: "option-invalid", says: /"5m"/ },
    { what: "every is below a second", make: () => reconcile(send, { every: "10ms", find: none }), code: "rhythm-invalid", says: /"1s"/ },
    { what: "find is no function", make: () => reconcile(send, { every: "5m", find: [] as never }), code: "option-invalid", says: /a function/ },
    {
      what: "the pace has no time",
      make: () => reconcile(send, { every: "5m", find: none, pace: { starts: 5 } as never }),
      code: "option-invalid",
      says: /starts: 200/,
    },
    {
      what: "the pace has no starts",
      make: () => reconcile(send, { every: "5m", find: none, pace: { starts: 0, every: "1s" } }),
      code: "option-invalid",
      says: /from 1/,
    },
    {
      what: "the pace is of no time",
      make: () => reconcile(send, { every: "5m", find: none, pace: { starts: 5, every: "0s" } }),
      code: "option-invalid",
      says: /starts: 200/,
    },
    { what: "an option is misspelt", make: () => reconcile(send, { every: "5m", find: none, speed: 1 } as never), code: "option-unknown", says: /pace/ },
    {
      what: "the name is too long for its task",
      make: () => reconcile(send, { every: "5m", find: none, name: "n".repeat(90) }),
      code: "name-invalid",
      says: /up to 100/,
    },
  ];
  for (const { what, make, code, says } of rows)
    test(what, () => assert.throws(make, (error) => ErrandError.is(error, code as never) && says.test(error.message)));

  test("two of one task have no names", () =>
    assert.throws(
      () => testBroker({ one: reconcile(send, { every: "5m", find: none }), other: reconcile(send, { every: "1m", find: none }) }),
      (error) => ErrandError.is(error, "name-taken") && /reconcile\(task, \{ name/.test(error.message),
    ));
});

test("it runs in the queue of its task, where who works has its code, and is no schedule to be listed", async () => {
  await using work = testBroker({ unsent: reconcile(send, { every: "5m", find: none, pace: { starts: 3, every: "1s" } }) });
  await work.open();
  const [run] = (await work.list()).jobs;
  assert.deepEqual([run?.task, run?.queue, run?.state], ["errand.reconcile.send", "mail", "ready"]);
  assert.deepEqual(await work.schedules(), []);
  const [view] = await work.reconciliations();
  assert.deepEqual([view?.name, view?.task, view?.queue, view?.every, view?.pace], ["send", "send", "mail", "5m", { starts: 3, everyMs: 1_000 }]);
});

test("one that two modules export is one", async () => {
  const unsent = reconcile(send, { every: "5m", find: none });
  await using work = testBroker({ unsent }, { again: unsent });
  await work.drain();
  assert.equal((await work.reconciliations()).length, 1);
});

test("a store that knows it gets no run at once from the next broker that opens", async () => {
  const engine = memory();
  const unsent = reconcile(send, { every: "5m", find: none });
  for (let opened = 0; opened < 3; opened++) {
    const work = testBroker.with({ engine }, { unsent });
    await work.open();
    assert.equal((await work.list({ task: "errand.reconcile.send" })).jobs.length, 1);
    await work.close();
  }
});

test("a row that comes slowly is not kept waiting for a full part", async () => {
  const started: string[] = [];
  let more: (() => void) | undefined;
  const slow = task<Row>("slow", { uniqueBy: "id", run: ({ id }) => void started.push(id) });
  const find = async function* (): AsyncGenerator<Row> {
    yield { id: "1" };
    await new Promise<void>((resolve) => (more = resolve));
    yield { id: "2" };
    await new Promise<void>((resolve) => (more = resolve));
  };
  const work = testBroker({ slowly: reconcile(slow, { every: "1h", find }) });
  await work.start({ signals: false });
  await work.advance("2s");
  more?.();
  await work.advance("1s");
  assert.deepEqual(started, ["1", "2"]);
  more?.();
  await work.drain();
  await work.close();
});

test("find hears when to stop: its signal is the run's", async () => {
  let heard: AbortSignal | undefined;
  const find: ReconcileOptions<Row>["find"] = async (signal) => {
    heard = signal;
    return await Promise.resolve([]);
  };
  await using work = testBroker({ unsent: reconcile(send, { every: "1h", find }) });
  await work.drain();
  assert.ok(heard instanceof AbortSignal);
  assert.equal(heard.aborted, false);
});

test("of inputs that the task refuses the first is told, with its error, and the rest is counted", async () => {
  const find = async (): Promise<readonly Row[]> => await Promise.resolve([{ id: new Date(0) as never }, { id: "1" }, { id: 5n as never }]);
  await using stage = new BrokerStage();
  const work = stage.broker({ unsent: reconcile(send, { every: "1h", find }) });
  await stage.finished(work.start({ signals: false }));
  await stage.advance(5_000);
  assert.equal((await work.reconciliations())[0]?.last?.refused, 2);
  assert.equal(stage.said("is refused by its task").length, 1);
});

test("what find answers must be rows: anything else is an error of the run, with the cure", async () => {
  const find = (() => ({ rows: [] })) as never;
  await using work = testBroker({ unsent: reconcile(send, { every: "1h", find }) });
  await work.advance("1m");
  const [run] = (await work.list({ task: "errand.reconcile.send" })).jobs;
  assert.equal(run?.state, "dead");
  assert.match(run.reason ?? "", /an async iterable of inputs, or a promise of an array/);
});

test("where nobody gave it the store, as in a child process, it fails with a reason", async () => {
  const definitions = new Definitions([{ unsent: reconcile(send, { every: "1h", find: none }) }]);
  const run = definitions.task("errand.reconcile.send").run;
  await assert.rejects(
    Promise.resolve(run({}, {} as never, undefined as never)),
    (error) => ErrandError.is(error, "not-supported") && /child process/.test(error.message),
  );
});

test("rebuild of what is not there names the nearest, and can be stopped waiting", async () => {
  await using work = testBroker({ unsent: reconcile(send, { every: "1h", find: none }) });
  await assert.rejects(work.rebuild({ name: "sent" }), (error) => ErrandError.is(error, "reconciliation-unknown") && /did you mean "send"/.test(error.message));
  await assert.rejects(work.rebuild({ only: "send" } as never), (error) => ErrandError.is(error, "option-unknown"));
  await assert.rejects(work.rebuild({ signal: AbortSignal.abort(new Error("enough")) }), /enough/);
});
