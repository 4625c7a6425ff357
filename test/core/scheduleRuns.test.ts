/** What a broker makes of schedules: when their jobs run, what becomes of those that were missed, and what people change. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Engine } from "../../src/core/engine.ts";
import { batch, chain, ErrandError, every, task, type Job, type Missed, type Schedule } from "../../src/index.ts";
import { memory } from "../../src/memory/index.ts";
import { testBroker, type TestBroker } from "../../src/testing/index.ts";

const start = Date.parse("2026-01-01T00:00Z");
const hourMs = 3_600_000;

/** A task that tells the slots of its runs, as hours and minutes since the first day's midnight. */
class Slots {
  readonly seen: string[] = [];
  readonly tick = task<{ n?: number }>("tick", (input, job) => this.note(input, job));

  note(_input: unknown, job: Job): void {
    assert.ok(job.slot);
    this.seen.push(shown(job.slot.getTime()));
  }
}

function shown(instant: number): string {
  const minutes = Math.floor((instant - start) / 60_000);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}

function brokerAt(hours: number, engine: Engine, definitions: object): TestBroker {
  return testBroker.with({ engine, start: new Date(start + hours * hourMs) }, definitions as never);
}

test("each slot's job runs at its instant, and knows it", async () => {
  const { tick, seen } = new Slots();
  await using work = testBroker({ ticking: every("20m", tick.with({})) });
  await work.advance("61m");
  assert.deepEqual(seen, ["0:20", "0:40", "1:00"]);
  const [job] = (await work.list({ task: "tick" })).jobs;
  assert.equal(job?.slotAt?.toISOString(), "2026-01-01T00:20:00.000Z");
});

describe("of slots that came while no worker ran,", () => {
  const rows: readonly { readonly missed: Missed; readonly until: number; readonly runs: readonly string[] }[] = [
    { missed: "run-once", until: 5.5, runs: ["1:00", "5:00"] },
    { missed: "run-once", until: 5, runs: ["1:00", "5:00"] },
    { missed: "run-all", until: 5.5, runs: ["1:00", "2:00", "3:00", "4:00", "5:00"] },
    { missed: "drop", until: 5.5, runs: ["1:00"] },
    { missed: "drop", until: 5, runs: ["1:00", "5:00"] },
  ];
  for (const { missed, until, runs } of rows)
    test(`${missed} makes ${runs.join(", ")} of them when one returns at ${until} h, and goes on`, async () => {
      const { tick, seen } = new Slots();
      const engine = memory();
      const ticking = every("1h", tick.with({}), { missed });
      const before = brokerAt(0, engine, { ticking });
      await before.advance("90m");
      await before.close();
      await using after = brokerAt(until, engine, { ticking });
      await after.drain();
      assert.deepEqual(seen, runs);
      await after.advance("1h");
      assert.deepEqual(seen, [...runs, "6:00"]);
    });

  test("run-all makes up for the newest 1,000, and says that it passes over the rest", async () => {
    const { tick, seen } = new Slots();
    const engine = memory();
    const ticking = every("1m", tick.with({}), { missed: "run-all" });
    const before = brokerAt(0, engine, { ticking });
    await before.open();
    await before.close();
    await using after = brokerAt(50, engine, { ticking });
    await after.drain();
    assert.deepEqual([seen.length, seen[0], seen.at(-1)], [1_000, "33:21", "50:00"]);
    assert.ok(after.story().some((line) => line.includes("passed over")));
  });
});

test("jitter delays each slot's job by less than it says, by its slot, and not all alike", async () => {
  const delays: number[] = [];
  const spread = task("spread", (_, job) => {
    assert.ok(job.slot);
    delays.push(work.now.getTime() - job.slot.getTime());
  });
  const work = testBroker({ spreading: every("10m", spread.with({}), { jitter: "5m" }) });
  await work.advance("205m");
  await work.close();
  assert.equal(delays.length, 20);
  assert.ok(delays.every((delay) => delay >= 0 && delay <= 300_000));
  assert.ok(new Set(delays).size > 15);
});

test("a batch or chain is enqueued at each slot, whole, under ids of its own", async () => {
  const ran: string[] = [];
  const step = task<{ n: number }>("step", ({ n }, job) => void ran.push(`${n} of ${job.slot?.toISOString().slice(11, 16)}`));
  const closing = every("1h", chain(step.with({ n: 1 }), batch([step.with({ n: 2 })], { whenAllSucceed: step.with({ n: 3 }) }), step.with({ n: 4 })), {
    name: "closing",
  });
  await using work = testBroker({ closing });
  await work.advance("2h");
  assert.deepEqual(
    ran,
    ["1 of 01:00", "2 of 01:00", "3 of 01:00", "4 of 01:00", "1 of 02:00", "2 of 02:00", "3 of 02:00", "4 of 02:00"].toSorted(bySlotThen(ran)),
  );
});

/** What comes after the batch may start beside its callback. */
function bySlotThen(ran: readonly string[]): (a: string, b: string) => number {
  return (a, b) => ran.indexOf(a) - ran.indexOf(b);
}

describe("what people change", () => {
  test("holds for all and through restarts, until the definition changes in the same point", async () => {
    const { tick, seen } = new Slots();
    const engine = memory();
    const first = brokerAt(0, engine, { ticking: every("1h", tick.with({ n: 1 }), { missed: "drop" }) });
    await first.schedule("tick").edit({ rhythm: "2h", input: { n: 7 } });
    await first.close();
    const second = brokerAt(1, engine, { ticking: every("1h", tick.with({ n: 1 }), { missed: "run-all" }) });
    await second.advance("3h");
    const kept = await second.schedule("tick").view();
    assert.deepEqual([kept.rhythm, kept.missed, kept.input, kept.edited], ["2h", "run-all", { n: 7 }, ["rhythm", "input"]]);
    assert.deepEqual(seen, ["2:00", "4:00"]);
    await second.close();
    await using third = brokerAt(4, engine, { ticking: every("30m", tick.with({ n: 1 }), { missed: "run-all" }) });
    await third.open();
    const view = await third.schedule("tick").view();
    assert.deepEqual([view.rhythm, view.input, view.edited], ["30m", { n: 7 }, ["input"]]);
    await third.schedule("tick").edit({ input: null });
    assert.deepEqual([(await third.schedule("tick").view()).input, (await third.schedule("tick").view()).edited], [{ n: 1 }, []]);
  });

  test("each point of it can be set and taken back, in one change or several", async () => {
    const { tick } = new Slots();
    await using work = testBroker({ ticking: every("1h", tick.with({})) });
    const schedule = work.schedule("tick");
    const edited = {
      rhythm: "day at 04:00",
      zone: "Europe/Berlin",
      missed: "drop",
      overlap: "skip",
      jitter: "5m",
      from: new Date(1e12),
      to: new Date(2e12),
    } as const;
    const { rhythm, zone, missed, overlap, jitter, from, to, edited: names } = await schedule.edit(edited);
    assert.deepEqual({ rhythm, zone, missed, overlap, jitter, from, to }, { ...edited, jitter: 300_000 });
    assert.deepEqual(names, ["rhythm", "zone", "missed", "overlap", "jitter", "from", "to"]);
    assert.deepEqual((await schedule.edit({ jitter: null, from: null, missed: "run-all" })).edited, ["rhythm", "zone", "missed", "overlap", "to"]);
    const back = await schedule.edit({ rhythm: null, zone: null, missed: null, overlap: null, to: null });
    assert.deepEqual(
      [back.rhythm, back.zone, back.missed, back.overlap, back.jitter, back.from, back.to, back.edited],
      ["1h", "UTC", "run-once", "allow", 0, undefined, undefined, []],
    );
  });

  test("never brings an instant back that was enqueued, nor makes up for instants that were none", async () => {
    const { tick, seen } = new Slots();
    await using work = testBroker({ ticking: every("1h", tick.with({}), { missed: "run-all" }) });
    await work.advance("150m");
    await work.schedule("tick").edit({ rhythm: "5m" });
    await work.schedule("tick").edit({ rhythm: "1h" });
    await work.schedule("tick").edit({ rhythm: "15m" });
    await work.advance("15m");
    assert.deepEqual(seen, ["1:00", "2:00", "2:45"]);
    await work.schedule("tick").edit({ rhythm: null });
    await work.advance("75m");
    assert.deepEqual(seen, ["1:00", "2:00", "2:45", "3:00", "4:00"]);
  });

  const mistakes: readonly { readonly what: string; readonly change: object; readonly code: string; readonly says: RegExp }[] = [
    { what: "a jitter that is no time", change: { jitter: "long" }, code: "option-invalid", says: /jitter/ },
    { what: "a begin that is no date", change: { from: 5 }, code: "option-invalid", says: /from/ },
    { what: "nothing", change: {}, code: "option-invalid", says: /what is to change/ },
    { what: "a rhythm that never comes", change: { rhythm: "0 0 30 2 *" }, code: "rhythm-invalid", says: /never comes/ },
    { what: "an unknown zone", change: { zone: "Mars/Base" }, code: "zone-unknown", says: /no time zone/ },
    { what: "an unknown option", change: { rythm: "1h" }, code: "option-unknown", says: /rhythm/ },
    { what: "an end before its begin", change: { from: new Date(2e12), to: new Date(1e12) }, code: "option-invalid", says: /swap/ },
    { what: "an input that its task refuses", change: { input: { n: new Date(0) } }, code: "payload-not-json", says: /n/ },
  ];
  for (const { what, change, code, says } of mistakes)
    test(`${what} is refused, and nothing is changed`, async () => {
      const { tick } = new Slots();
      await using work = testBroker({ ticking: every("1h", tick.with({})) });
      const before = await work.schedule("tick").view();
      await assert.rejects(work.schedule("tick").edit(change as never), (error) => ErrandError.is(error, code as never) && says.test(error.message));
      assert.deepEqual(await work.schedule("tick").view(), before);
    });

  test("a schedule that is not there is named with the nearest", async () => {
    const { tick } = new Slots();
    await using work = testBroker({ ticking: every("1h", tick.with({})) });
    for (const call of [() => work.schedule("tock").next(), () => work.schedule("tock").remove(), () => work.schedule("tock").edit({ zone: "UTC" })])
      await assert.rejects(call, (error) => ErrandError.is(error, "schedule-unknown") && /did you mean "tick"/.test(error.message));
  });
});

test("a paused schedule enqueues nothing; what it passed over is not made up for", async () => {
  const { tick, seen } = new Slots();
  await using work = testBroker({ ticking: every("1h", tick.with({}), { missed: "run-all" }) });
  await work.advance("1h");
  await work.pause({ schedule: "tick" }, "the feed is down");
  await work.advance("3h");
  assert.deepEqual([seen, (await work.schedules())[0]?.isPaused], [["1:00"], true]);
  await work.resume({ schedule: "tick" });
  await work.advance("1h");
  assert.deepEqual(seen, ["1:00", "5:00"]);
});

test("a removed schedule enqueues nothing more, and is registered again by a broker that defines it", async () => {
  const { tick, seen } = new Slots();
  const engine = memory();
  const ticking = every("1h", tick.with({}));
  const first = brokerAt(0, engine, { ticking });
  await first.advance("1h");
  await first.schedule("tick").remove();
  await first.advance("3h");
  assert.deepEqual([seen, await first.schedules()], [["1:00"], []]);
  await first.close();
  await using second = brokerAt(4, engine, { ticking });
  await second.advance("1h");
  assert.deepEqual(seen, ["1:00", "5:00"]);
});

describe("a backfill", () => {
  test("enqueues the slots of a time, each once, however often it is asked for", async () => {
    const { tick, seen } = new Slots();
    await using work = testBroker({ ticking: every("1h", tick.with({})) });
    await work.advance("2h");
    const day = [new Date(start - 3 * hourMs), new Date(start + 24 * hourMs)] as const;
    for (let times = 0; times < 2; times++)
      assert.deepEqual(await work.schedule("tick").backfill(...day, { dryRun: true }), { slots: 6, enqueued: 4, known: 2 });
    assert.deepEqual(await work.schedule("tick").backfill(...day), { slots: 6, enqueued: 4, known: 2 });
    assert.deepEqual(await work.schedule("tick").backfill(...day), { slots: 6, enqueued: 0, known: 6 });
    await work.drain();
    assert.deepEqual(seen, ["1:00", "2:00", "-3:00", "-2:00", "-1:00", "0:00"]);
    await work.advance("26h");
    assert.deepEqual(await work.schedule("tick").backfill(new Date(start - 3 * hourMs), new Date(start)), { slots: 4, enqueued: 0, known: 4 });
  });

  test("of slots that may not overlap runs them one after the other", async () => {
    let running = 0;
    const slow = task("slow", async () => {
      assert.equal(++running, 1);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    });
    await using work = testBroker({ ticking: every("1h", slow.with({}), { overlap: "skip" }) });
    assert.deepEqual(await work.schedule("slow").backfill(new Date(start - 5 * hourMs), new Date(start)), { slots: 6, enqueued: 6, known: 0 });
    await work.drain();
    assert.equal((await work.count()).completed, 6);
  });

  test("is refused where it is turned round, or holds more than 10,000 slots", async () => {
    const { tick } = new Slots();
    await using work = testBroker({ ticking: every("1m", tick.with({})) });
    await assert.rejects(work.schedule("tick").backfill(new Date(start), new Date(start - 1)), (error) => ErrandError.is(error, "option-invalid"));
    await assert.rejects(work.schedule("tick").backfill(new Date(start - 9 * 24 * hourMs), new Date(start)), (error) => {
      assert.ok(ErrandError.is(error, "enqueue-too-many"));
      assert.deepEqual(error.details, { most: 10_000 });
      return true;
    });
    assert.equal((await work.count()).ready, 0);
  });
});

test("the next slots can be looked at, from now on", async () => {
  const { tick } = new Slots();
  await using work = testBroker({ ticking: every("day at 02:30", tick.with({}), { zone: "Europe/Berlin" }) });
  await work.advance("30h");
  assert.deepEqual(
    (await work.schedule("tick").next(3)).map((slot) => slot.toISOString()),
    ["2026-01-03T01:30:00.000Z", "2026-01-04T01:30:00.000Z", "2026-01-05T01:30:00.000Z"],
  );
  assert.equal((await work.schedule("tick").next()).length, 10);
  await assert.rejects(work.schedule("tick").next(0), (error) => ErrandError.is(error, "option-invalid"));
});

test("a schedule whose errand its task refuses is refused when the broker opens", async () => {
  const tick = task<{ n: number }>("tick", { uniqueBy: "n", run: () => undefined });
  const broken: Schedule = every("1h", tick.with({} as never));
  await using work = testBroker({ broken });
  await assert.rejects(work.open(), (error) => ErrandError.is(error, "key-missing"));
});

test("two schedules of one task need names, and the message says so", () => {
  const { tick } = new Slots();
  assert.throws(
    () => testBroker({ one: every("1h", tick.with({})), other: every("2h", tick.with({})) }),
    (error) => ErrandError.is(error, "name-taken") && /every\(rhythm, errand, \{ name/.test(error.message),
  );
});

test("the job of a slot has the terms of its errand: the time within which it must start", async () => {
  const terms = async (options: { readonly startBy?: "10m" }): Promise<unknown> => {
    const engine = memory();
    const { tick } = new Slots();
    await using work = testBroker.with({ engine }, { ticking: every("1h", tick.with({}, options)) });
    await work.open();
    const [note] = (await engine.find({ of: "notes", prefix: "schedule/", limit: 1 }, { now: 0 })).rows;
    const { defined } = JSON.parse(note?.value ?? "{}") as { readonly defined: { readonly work: { readonly job: { readonly startWithinMs?: number } } } };
    return defined.work.job.startWithinMs;
  };
  assert.equal(await terms({ startBy: "10m" }), 600_000);
  assert.equal(await terms({}), undefined);
});
