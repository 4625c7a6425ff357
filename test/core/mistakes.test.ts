/** What can only be a mistake is refused where it is made, with the cure: it used to be taken, and to do nothing. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { batch, broker, chain, ErrandError, every, reconcile, task, type ErrandOptions, type ErrorCode, resource } from "../../src/index.ts";
import { resultWaitsMax } from "../../src/core/defaults.ts";
import { memory } from "../../src/memory/index.ts";
import { testBroker } from "../../src/testing/index.ts";

const send = task<{ readonly id: string }>("send-mail", { uniqueBy: "id", run: () => undefined });
const prune = task("prune", () => undefined);
const is =
  (code: ErrorCode, says: RegExp) =>
  (error: unknown): boolean =>
    ErrandError.is(error, code) && error.isDefinite && says.test(error.message);

describe("a delay that leaves no time to start", () => {
  const noon = Date.UTC(2027, 0, 1, 12);
  const rows: readonly { readonly what: string; readonly options: ErrandOptions; readonly isFine?: true }[] = [
    { what: "in is longer than startBy", options: { in: "20m", startBy: "15m" } },
    { what: "in is as long as startBy", options: { in: "15m", startBy: "15m" } },
    { what: "at is after startBy", options: { at: new Date(noon + 1), startBy: new Date(noon) } },
    { what: "at is startBy", options: { at: new Date(noon), startBy: new Date(noon) } },
    { what: "in is shorter", options: { in: "15m", startBy: "20m" }, isFine: true },
    { what: "at is before", options: { at: new Date(noon - 1), startBy: new Date(noon) }, isFine: true },
    { what: "a length and an instant, which only the store's clock can compare", options: { in: "20m", startBy: new Date(noon) }, isFine: true },
    { what: "startBy counts from the end of what it comes after", options: { at: new Date(noon), startBy: "1m" }, isFine: true },
  ];
  for (const { what, options, isFine } of rows)
    test(`${what}: ${isFine ? "taken" : "refused"}`, () => {
      const make = (): unknown => send.with({ id: "1" }, options);
      if (isFine) assert.doesNotThrow(make);
      else assert.throws(make, is("option-invalid", /send-mail\.with\.startBy .*ends? skipped.*give a later startBy/));
    });
});

describe("a limit of a task that nobody knows", () => {
  test("is refused, with the nearest name, also as defined", async () => {
    await using work = testBroker({ send });
    for (const to of [{ running: 1 }, "as-defined"] as const)
      await assert.rejects(work.limit({ task: "sned-mail" }, to), is("task-unknown", /"sned-mail".*did you mean "send-mail"/));
  });

  test("is set where the store has jobs of it, or a limit, though the broker lacks its code", async () => {
    const engine = memory();
    const limited = task("limited", { limits: [{ running: 2 }], run: () => undefined });
    await using own = testBroker.with({ engine }, { send, limited });
    await own.enqueue(send.with({ id: "1" }, { in: "1h" }));
    await using other = testBroker.with({ engine });
    await other.limit({ task: "send-mail" }, { running: 1 });
    await other.limit({ task: "limited" }, { running: 1 });
    await assert.rejects(other.limit({ task: "limted" }, { running: 1 }), is("task-unknown", /did you mean "limited"/));
  });
});

describe("a limit of a resource that nobody knows", () => {
  const gpu = resource("gpu", { capacity: 2 });
  const render = task("render", { needs: { licence: 1 }, run: () => undefined });

  test("is refused, with the nearest name, also as defined, and leaves nothing behind", async () => {
    const engine = memory();
    await using work = testBroker.with({ engine }, { gpu, render });
    for (const to of [{ capacity: 1 }, "as-defined"] as const) {
      await assert.rejects(work.limit({ resource: "gpo" }, to), is("resource-unknown", /"gpo".*did you mean "gpu"/));
      await assert.rejects(work.limit({ resource: "license" }, to), is("resource-unknown", /did you mean "licence"/));
    }
    assert.equal(await engine.readNote("resource/gpo", { now: 0 }), undefined);
  });

  test("is set where it is needed here, or stored, though the broker lacks its code", async () => {
    const engine = memory();
    await using own = testBroker.with({ engine }, { gpu, render });
    await own.limit({ resource: "licence" }, { capacity: 3 });
    await using other = testBroker.with({ engine });
    await other.limit({ resource: "gpu" }, { capacity: 1 });
    await other.limit({ resource: "licence" }, { capacity: 1 });
  });
});

describe("the result of a batch or chain", () => {
  for (const [what, errand] of [
    ["batch", batch([send.with({ id: "1" })])],
    ["chain", chain(send.with({ id: "1" }), send.with({ id: "2" }))],
  ] as const)
    test(`of a ${what}: the error names the call that tells of it`, async () => {
      await using work = testBroker({ send });
      const { id } = await work.enqueue(errand);
      await assert.rejects(work.result(id), is("job-unknown", new RegExp(`${id} is a batch or chain.*work\\.batch\\("${id}"\\)`)));
    });
});

describe("a schedule", () => {
  test("of an interval takes no zone, neither defined nor edited", async () => {
    assert.throws(
      () => every("15m", prune.with({}), { zone: "Europe/Berlin" }),
      is("option-invalid", /every\.zone is "Europe\/Berlin".*"15m" is the same everywhere/),
    );
    await using work = testBroker({
      pruning: every("15m", prune.with({})),
      daily: every("day at 03:00", prune.with({}), { name: "daily", zone: "Asia/Tokyo" }),
    });
    await work.open();
    await assert.rejects(work.schedule("prune").edit({ zone: "Europe/Berlin" }), is("option-invalid", /leave it out/));
    await assert.rejects(work.schedule("daily").edit({ zone: "Europe/Berlin", rhythm: "1h" }), is("option-invalid", /leave it out/));
    assert.deepEqual((await work.schedule("daily").edit({ rhythm: "1h" })).edited, ["rhythm"], "what stays is no mistake");
  });

  test("that is not there cannot be paused or resumed", async () => {
    await using work = testBroker({ pruning: every("15m", prune.with({})) });
    await assert.rejects(work.pause({ schedule: "purne" }), is("schedule-unknown", /"purne".*did you mean "prune"/));
    await assert.rejects(work.resume({ schedule: "purne" }), is("schedule-unknown", /did you mean "prune"/));
    await work.pause({ schedule: "prune" }, "the disk is full");
    await work.schedule("prune").remove();
    await assert.rejects(work.pause({ schedule: "prune" }), is("schedule-unknown", /no schedule "prune"/));
  });

  test("tells why it is paused", async () => {
    await using work = testBroker({
      pruning: every("15m", prune.with({})),
      unsent: reconcile(send, { every: "1h", find: async () => await Promise.resolve([]) }),
    });
    const reasons = async (): Promise<unknown> => [(await work.schedules())[0]?.pauseReason, (await work.schedule("prune").view()).pauseReason];
    assert.deepEqual(await reasons(), [undefined, undefined]);
    await work.pause({ schedule: "prune" }, "the disk is full");
    assert.deepEqual(await reasons(), ["the disk is full", "the disk is full"]);
    await work.pause({ schedule: "prune" });
    assert.deepEqual(await reasons(), ["", ""]);
    await work.resume({ schedule: "prune" });
    assert.deepEqual(await reasons(), [undefined, undefined]);
  });
});

test("more waits for results than one broker may have are refused; one that has ended makes room", async () => {
  await using work = testBroker({ send });
  const { id } = await work.enqueue(send.with({ id: "1" }));
  const waits = Array.from({ length: resultWaitsMax }, () => work.result(id));
  await assert.rejects(work.result(id), is("result-too-many", /10,000.*have ended/));
  await work.drain();
  assert.deepEqual([...new Set((await Promise.all(waits)).map(({ state }) => state))], ["completed"]);
  assert.equal((await work.result(id)).state, "completed");
});

test("a lock that others have with another number of permits is refused, and granted when nobody has it", async () => {
  const work = broker("memory:");
  const held = await work.lock("api", { for: "1m", permits: 3 });
  await assert.rejects(work.lock("api", { for: "1m", permits: 2 }), is("permits-conflict", /lock api .*2 permits.*3.*give all/));
  await assert.rejects(work.lock("api", { for: "1m" }), is("permits-conflict", /1 permit/));
  const second = await work.lock("api", { for: "1m", permits: 3 });
  await Promise.all([held.release(), second.release()]);
  await (await work.lock("api", { for: "1m", permits: 2 })).release();
  await work.close();
});

describe("a filter of what is to change", () => {
  for (const [what, jobs, code, says] of [
    ["a misspelt field", { tsk: "send-mail" }, "option-unknown", /change.*did you mean "task"/],
    ["a state that is none", { states: ["sleeping"] }, "option-invalid", /a list of .*scheduled/],
    ["a state that is no list", { states: "ready" }, "option-invalid", /a list of/],
  ] as const)
    test(`${what} is refused, and changes nothing`, async () => {
      await using work = testBroker({ send });
      await work.enqueue(send.with({ id: "1" }));
      await assert.rejects(work.change({ jobs } as never, { do: "cancel", reason: "a mistake" }), is(code, says));
      assert.equal((await work.count()).ready, 1);
    });
});

describe("definitions that are none", () => {
  for (const [what, given, says] of [
    ["a task without a module", send, /was given a bare task; pass an object/],
    ["a number", 7, /no module of definitions/],
    ["nothing", undefined, /no module of definitions/],
    ["null", null, /no module of definitions/],
  ] as const)
    test(what, () => {
      assert.throws(() => broker(memory(), given as never), is("option-invalid", says));
    });
});
