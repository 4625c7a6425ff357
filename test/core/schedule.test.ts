/** What a schedule's definition says, and which instants are its slots. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { batch, chain, ErrandError, every, task, type Rhythm, type ScheduleOptions } from "../../src/index.ts";
import { patternOf } from "../../src/core/schedule/cron.ts";
import { dueSlots } from "../../src/core/schedule/due.ts";
import { Slots } from "../../src/core/schedule/slots.ts";

const tick = task("tick", () => undefined);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

function slotsOf(rhythm: string, zone = "UTC", more: { readonly from?: number; readonly to?: number } = {}): Slots {
  return new Slots({ rhythm, zone, from: more.from ?? null, to: more.to ?? null }, "a test");
}
const at = (iso: string): number => Date.parse(iso);
const iso = (instants: readonly number[]): string[] => instants.map((instant) => new Date(instant).toISOString().replace(":00.000Z", "Z"));

describe("a definition is refused, with its cure, where", () => {
  const refusals: readonly { readonly what: string; readonly rhythm: string; readonly options?: object; readonly code: string; readonly says: RegExp }[] = [
    { what: "the rhythm is no text", rhythm: 5 as never, code: "rhythm-invalid", says: /write "15m", "day at 03:00"/ },
    { what: "the rhythm is a sentence", rhythm: "every now and then", code: "rhythm-invalid", says: /no rhythm/ },
    { what: "an interval is below a second", rhythm: "500ms", code: "rhythm-invalid", says: /each second; write "1s"/ },
    { what: "an interval is nothing", rhythm: "0s", code: "rhythm-invalid", says: /write "1s"/ },
    { what: "a unit is unknown", rhythm: "15min", code: "rhythm-invalid", says: /no rhythm/ },
    { what: "a day is unknown", rhythm: "dayly at 03:00", code: "rhythm-invalid", says: /"dayly" is no day; write day, weekday, monday/ },
    { what: "a time is unknown", rhythm: "day at 24:00", code: "rhythm-invalid", says: /00:00 to 23:59/ },
    { what: "a minute is unknown", rhythm: "day at 03:60", code: "rhythm-invalid", says: /00:00 to 23:59/ },
    { what: "cron has too few fields", rhythm: "0 3 * *", code: "rhythm-invalid", says: /no rhythm/ },
    { what: "cron has a year", rhythm: "0 0 3 * * * 2030", code: "rhythm-invalid", says: /no cron pattern/ },
    { what: "cron has an hour 25", rhythm: "0 25 * * *", code: "rhythm-invalid", says: /hour: 25/ },
    { what: "cron means 30 February", rhythm: "0 0 30 2 *", code: "rhythm-invalid", says: /never comes/ },
    { what: "cron means the 31st of short months", rhythm: "0 0 31 4,6,9,11 *", code: "rhythm-invalid", says: /never comes/ },
    { what: "the zone is misspelt", rhythm: "day at 03:00", options: { zone: "Europe/Berlim" }, code: "zone-unknown", says: /did you mean "Europe\/Berlin"/ },
    { what: "the zone is no text", rhythm: "day at 03:00", options: { zone: 1 }, code: "zone-unknown", says: /"UTC"/ },
    {
      what: "from is after to",
      rhythm: "1h",
      options: { from: new Date(2e12), to: new Date(1e12) },
      code: "option-invalid",
      says: /from is 2033-05-18T03:33:20\.000Z, after to, 2001-09-09T01:46:40\.000Z; swap them/,
    },
    {
      what: "from and to leave no slot",
      rhythm: "day at 03:00",
      options: { from: new Date("2026-01-01T04:00Z"), to: new Date("2026-01-01T05:00Z") },
      code: "option-invalid",
      says: /has no slot from 2026-01-01T04:00:00\.000Z to 2026-01-01T05:00:00\.000Z; widen/,
    },
    { what: "from is no date", rhythm: "1h", options: { from: "2026-01-01" }, code: "option-invalid", says: /valid Date/ },
    { what: "missed is misspelt", rhythm: "1h", options: { missed: "run-one" }, code: "option-invalid", says: /"run-once"/ },
    { what: "an option is misspelt", rhythm: "1h", options: { timezone: "UTC" }, code: "option-unknown", says: /zone/ },
    { what: "the name is no name", rhythm: "1h", options: { name: "a b" }, code: "name-invalid", says: /letters/ },
  ];
  for (const { what, rhythm, options, code, says } of refusals)
    test(what, () =>
      assert.throws(
        () => every(rhythm as Rhythm, tick.with({}), options as ScheduleOptions),
        (error) => ErrandError.is(error, code as never) && says.test(error.message),
      ),
    );

  const keyed = task<{ id: string }>("keyed", { uniqueBy: "id", run: () => undefined });
  const errands = [
    { what: "it is no errand", errand: tick, says: /task\.with\(input\)/ },
    { what: "the errand has an id", errand: tick.with({}, { id: "a" }), says: /no id/ },
    { what: "the errand has a delay", errand: tick.with({}, { in: "1m" }), says: /no in/ },
    { what: "the errand has an instant", errand: tick.with({}, { at: new Date(0) }), says: /no at/ },
    { what: "the errand is to start by an instant", errand: tick.with({}, { startBy: new Date(0) }), says: /counts from each slot/ },
  ];
  for (const { what, errand, says } of errands)
    test(what, () =>
      assert.throws(
        () => every("1h", errand as never),
        (error) => ErrandError.is(error, "option-invalid") && says.test(error.message),
      ),
    );

  test("a task that drops a second job is to let it wait", () =>
    assert.throws(
      () => every("1h", keyed.with({ id: "1" }), { overlap: "wait" }),
      (error) => ErrandError.is(error, "definition-invalid") && /"skip"/.test(error.message),
    ));
  for (const overlap of ["skip", "wait"] as const)
    test(`a batch is to ${overlap}`, () =>
      assert.throws(
        () => every("1h", batch([tick.with({})]), { overlap }),
        (error) => ErrandError.is(error, "definition-invalid") && /one task/.test(error.message),
      ));
});

test("its name is its task's, or its own; a batch's or chain's is theirs", () => {
  assert.deepEqual(
    [every("1h", tick.with({})), every("1h", tick.with({}), { name: "hourly" }), every("1h", chain(tick.with({}), tick.with({})))].map(({ name }) => name),
    ["tick", "hourly", "chain"],
  );
});

describe("the slots of", () => {
  const rows: readonly { readonly rhythm: string; readonly zone?: string; readonly after: string; readonly next: readonly string[] }[] = [
    { rhythm: "15m", after: "2026-01-01T00:07Z", next: ["2026-01-01T00:15Z", "2026-01-01T00:30Z"] },
    { rhythm: "7d", after: "2026-01-01T00:00Z", next: ["2026-01-08T00:00Z"] },
    { rhythm: "1.5h", after: "2026-01-01T00:00Z", next: ["2026-01-01T01:30Z", "2026-01-01T03:00Z"] },
    { rhythm: "day at 03:00", zone: "Europe/Berlin", after: "2026-03-28T00:00Z", next: ["2026-03-28T02:00Z", "2026-03-29T01:00Z", "2026-03-30T01:00Z"] },
    { rhythm: "day at 2:30", zone: "Europe/Berlin", after: "2026-03-28T02:00Z", next: ["2026-03-29T01:00Z", "2026-03-30T00:30Z"] },
    { rhythm: "day at 02:30", zone: "Europe/Berlin", after: "2026-10-24T12:00Z", next: ["2026-10-25T00:30Z", "2026-10-26T01:30Z"] },
    { rhythm: "weekday at 09:00", zone: "Asia/Tokyo", after: "2026-01-02T12:00Z", next: ["2026-01-05T00:00Z", "2026-01-06T00:00Z"] },
    { rhythm: "monday at 09:30", after: "2026-01-05T09:30Z", next: ["2026-01-12T09:30Z"] },
    { rhythm: "sunday at 00:00", after: "2026-01-01T00:00Z", next: ["2026-01-04T00:00Z"] },
    { rhythm: "30 * * * *", zone: "Europe/Berlin", after: "2026-10-25T00:00Z", next: ["2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-25T02:30Z"] },
    { rhythm: "30 * * * *", zone: "Europe/Berlin", after: "2026-03-29T00:00Z", next: ["2026-03-29T00:30Z", "2026-03-29T01:30Z"] },
    {
      rhythm: "*/30 2 * * *",
      zone: "Europe/Berlin",
      after: "2026-10-24T12:00Z",
      next: ["2026-10-25T00:00Z", "2026-10-25T00:30Z", "2026-10-25T01:00Z", "2026-10-25T01:30Z", "2026-10-26T01:00Z"],
    },
    { rhythm: "*/30 2 * * *", zone: "Europe/Berlin", after: "2026-03-28T12:00Z", next: ["2026-03-29T01:00Z", "2026-03-30T00:00Z"] },
    { rhythm: "0 12 L * *", after: "2028-02-01T00:00Z", next: ["2028-02-29T12:00Z", "2028-03-31T12:00Z"] },
    { rhythm: "0 0 29 2 *", after: "2026-01-01T00:00Z", next: ["2028-02-29T00:00Z", "2032-02-29T00:00Z"] },
    { rhythm: "0 0 13 * 5", after: "2026-01-01T12:00Z", next: ["2026-01-02T00:00Z", "2026-01-09T00:00Z", "2026-01-13T00:00Z"] },
    { rhythm: "0 23 30 3 *", zone: "America/Godthab", after: "2024-01-01T00:00Z", next: ["2024-03-31T01:00Z"] },
    { rhythm: "friday at 12:00", zone: "Pacific/Apia", after: "2011-12-24T00:00Z", next: ["2011-12-30T10:00Z", "2012-01-05T22:00Z"] },
  ];
  for (const { rhythm, zone = "UTC", after, next } of rows)
    test(`${rhythm} in ${zone} after ${after}`, () =>
      assert.deepEqual(iso(slotsOf(rhythm, zone).within(at(after), at(after) + 8 * 366 * dayMs, next.length)), next));

  test("six fields, seconds in front", () =>
    assert.deepEqual(
      slotsOf("*/20 59 23 31 12 *")
        .within(at("2026-12-31T23:59:10Z"), at("2027-01-01T00:00Z"), 9)
        .map((slot) => new Date(slot).toISOString().slice(17, 19)),
      ["20", "40"],
    ));
});

test("from is the first instant that may be a slot, and where an interval begins; to is the last", () => {
  const within = slotsOf("1h", "UTC", { from: at("2026-01-01T00:20Z"), to: at("2026-01-01T03:20Z") });
  assert.deepEqual(iso(within.within(0, at("2027-01-01T00:00Z"), 9)), ["2026-01-01T00:20Z", "2026-01-01T01:20Z", "2026-01-01T02:20Z", "2026-01-01T03:20Z"]);
  const daily = slotsOf("day at 00:00", "UTC", { from: at("2026-01-01T00:00Z"), to: at("2026-01-02T00:00Z") });
  assert.deepEqual(iso(daily.within(0, at("2027-01-01T00:00Z"), 9)), ["2026-01-01T00:00Z", "2026-01-02T00:00Z"]);
});

test("an interval goes on through both hours that the clocks repeat, and through one that they pass over", () => {
  for (const day of ["2026-03-29", "2026-10-25"])
    assert.deepEqual(
      slotsOf("1h", "Europe/Berlin")
        .within(at(`${day}T00:00Z`) - 1, at(`${day}T05:00Z`), 9)
        .map((slot, index) => slot - at(`${day}T00:00Z`) - index * hourMs),
      [0, 0, 0, 0, 0, 0],
    );
});

test("the last slots before an instant are the end of all that are there", () => {
  const rhythms = ["17s", "5m", "day at 02:30", "*/7 1-3 * * *", "0 0 * * 1", "* * 2 * * *", "10,40 */6 1,15 * *"];
  fc.assert(
    fc.property(
      fc.constantFrom(...rhythms),
      fc.integer({ min: 0, max: 40 * dayMs }),
      fc.integer({ min: 1, max: 2 * dayMs }),
      fc.integer({ min: 1, max: 50 }),
      (rhythm, start, length, most) => {
        const slots = slotsOf(rhythm, "Europe/Berlin");
        const after = at("2026-03-01T00:00Z") + start;
        const all = slots.within(after, after + length, 200_000);
        assert.equal(slots.last(after, after + length), all.at(-1));
        assert.deepEqual(slots.lastFew(after, after + length, most), all.slice(-most));
      },
    ),
    { numRuns: 60, seed: 7 },
  );
});

test("a pattern flows with the clock's hands where its hour, minute or second is open, wherever its seconds stand", () => {
  const rows = [
    ["0 30 * * * *", true, true],
    ["30 * * * *", true, true],
    ["* 30 2 * * *", false, true],
    ["0 */5 2 * * *", false, true],
    ["*/5 2 * * *", false, true],
    ["30 0 2 * * *", false, false],
    ["0 2 * * *", false, false],
  ] as const;
  for (const [text, isHourly, isFlowing] of rows) {
    const pattern = patternOf(text, "a test");
    assert.deepEqual([pattern.isHourly, pattern.isFlowing], [isHourly, isFlowing], text);
  }
});

test("it is told whether slots were passed over, and only then", () => {
  const slots = slotsOf("1h");
  const look = (missed: "drop" | "run-once" | "run-all", hours: number): unknown => {
    const due = dueSlots(slots, { cursor: 0, now: hours * hourMs + 1_800_000, missed, most: 100 });
    return due && [due.slots.map((slot) => slot / hourMs), due.isPassedOver];
  };
  assert.deepEqual(look("run-once", 1), [[1], false], "one, which is run");
  assert.deepEqual(look("run-once", 3), [[3], true], "three, of which the last is run");
  assert.deepEqual(look("drop", 1), [[], true]);
  assert.deepEqual(look("run-all", 3), [[1, 2, 3], false]);
  assert.equal(look("run-all", 0), undefined);
});
