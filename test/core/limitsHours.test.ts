/** Hours by the clock on the wall, through every kind of change of offset. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkWindow, isOpen, opensAt, someHours, untilChangeMs, type Hours } from "../../src/core/limits/hours.ts";
import { ErrandError, type ErrorCode } from "../../src/core/errors.ts";

const berlin = "Europe/Berlin";

/** Each change from `from` on, for as many as there are. */
function changes(hours: readonly Hours[], from: string, count: number): string[] {
  let at = Date.parse(from);
  const seen: string[] = [];
  for (let looks = 0; seen.length < count && looks < 200; looks++) {
    const before = isOpen(hours, at);
    at += untilChangeMs(hours, at);
    if (isOpen(hours, at) !== before) seen.push(`${new Date(at).toISOString().slice(0, 16)} ${before ? "closes" : "opens"}`);
  }
  return seen;
}

const rows: readonly { readonly name: string; readonly hours: readonly Hours[]; readonly from: string; readonly expected: readonly string[] }[] = [
  {
    name: "over midnight, the end of summer time within it: an hour longer",
    hours: [{ open: "22:00-06:00", zone: berlin }],
    from: "2026-10-24T12:00Z",
    expected: ["2026-10-24T20:00 opens", "2026-10-25T05:00 closes", "2026-10-25T21:00 opens"],
  },
  {
    name: "over midnight, the begin of summer time within it: an hour shorter",
    hours: [{ open: "22:00-06:00", zone: berlin }],
    from: "2026-03-28T12:00Z",
    expected: ["2026-03-28T21:00 opens", "2026-03-29T04:00 closes", "2026-03-29T20:00 opens"],
  },
  {
    name: "an opening that the clocks pass over is at the first instant after",
    hours: [{ open: "02:30-04:00", zone: berlin }],
    from: "2026-03-28T12:00Z",
    expected: ["2026-03-29T01:00 opens", "2026-03-29T02:00 closes", "2026-03-30T00:30 opens"],
  },
  {
    name: "hours that the clocks pass over are not there on that day",
    hours: [{ open: "02:15-02:45", zone: berlin }],
    from: "2026-03-28T12:00Z",
    expected: ["2026-03-30T00:15 opens", "2026-03-30T00:45 closes"],
  },
  {
    name: "an hour that comes twice is open twice",
    hours: [{ open: "02:15-02:45", zone: berlin }],
    from: "2026-10-24T12:00Z",
    expected: ["2026-10-25T00:15 opens", "2026-10-25T00:45 closes", "2026-10-25T01:15 opens", "2026-10-25T01:45 closes", "2026-10-26T01:15 opens"],
  },
  {
    name: "a change of half an hour",
    hours: [{ open: "08:00-18:00", zone: "Australia/Lord_Howe" }],
    from: "2026-04-03T22:00Z",
    expected: ["2026-04-04T07:00 closes", "2026-04-04T21:30 opens", "2026-04-05T07:30 closes"],
  },
  {
    name: "a zone of three quarters of an hour",
    hours: [{ open: "00:00-24:00", zone: "Asia/Kathmandu", days: "monday" }],
    from: "2026-01-01T00:00Z",
    expected: ["2026-01-04T18:15 opens", "2026-01-05T18:15 closes"],
  },
  {
    name: "weekdays count by the day on which they begin",
    hours: [{ open: "22:00-06:00", zone: "UTC", days: ["friday", "weekend"] }],
    from: "2026-01-01T12:00Z",
    expected: [
      "2026-01-02T22:00 opens",
      "2026-01-03T06:00 closes",
      "2026-01-03T22:00 opens",
      "2026-01-04T06:00 closes",
      "2026-01-04T22:00 opens",
      "2026-01-05T06:00 closes",
      "2026-01-09T22:00 opens",
    ],
  },
  {
    name: "several windows, which may touch",
    hours: [
      { open: "08:00-12:00", zone: "UTC" },
      { open: "12:00-13:00", zone: "UTC" },
      { open: "14:00-24:00", zone: "UTC" },
    ],
    from: "2026-01-01T06:00Z",
    expected: ["2026-01-01T08:00 opens", "2026-01-01T13:00 closes", "2026-01-01T14:00 opens", "2026-01-02T00:00 closes", "2026-01-02T08:00 opens"],
  },
];

for (const { name, hours, from, expected } of rows) {
  test(`hours: ${name}`, () => assert.deepEqual(changes(hours, from, expected.length), expected));
}

test("hours agree with the clock on the wall at every quarter of an hour of two years, in zones of every kind", () => {
  for (const zone of ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/Santiago", "Pacific/Chatham"]) {
    const wall = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const hours: readonly Hours[] = [{ open: "21:45-02:30", zone }];
    for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2028, 0, 1); at += 45 * 60_000) {
      const shown = wall.format(at);
      assert.equal(isOpen(hours, at), shown >= "21:45" || shown < "02:30", `${zone} at ${new Date(at).toISOString()}, where clocks show ${shown}`);
    }
  }
});

test("when they open next, looking a week ahead", () => {
  const monday: readonly Hours[] = [{ open: "09:00-10:00", zone: berlin, days: "monday" }];
  assert.equal(opensAt(monday, Date.parse("2026-01-05T09:30Z")), Date.parse("2026-01-12T08:00Z"));
  assert.equal(opensAt(monday, Date.parse("2026-01-05T08:30Z")), Date.parse("2026-01-05T08:30Z"));
});

const refusals: readonly { readonly name: string; readonly hours: unknown; readonly code: ErrorCode; readonly says: RegExp }[] = [
  { name: "no zone", hours: { open: "08:00-18:00" }, code: "option-invalid", says: /zone/ },
  { name: "a misspelt zone", hours: { open: "08:00-18:00", zone: "Europe/Berln" }, code: "zone-unknown", says: /did you mean "Europe\/Berlin"/ },
  { name: "no hours", hours: { zone: berlin }, code: "option-invalid", says: /22:00-06:00/ },
  { name: "an hour that no clock shows", hours: { open: "25:00-26:00", zone: berlin }, code: "option-invalid", says: /two times of day/ },
  { name: "a minute that no clock shows", hours: { open: "08:00-18:61", zone: berlin }, code: "option-invalid", says: /two times of day/ },
  { name: "something else", hours: { open: "8-18", zone: berlin }, code: "option-invalid", says: /two times of day/ },
  { name: "a begin at the end of the day", hours: { open: "24:00-06:00", zone: berlin }, code: "option-invalid", says: /two times of day/ },
  { name: "the same time twice", hours: { open: "08:00-08:00", zone: berlin }, code: "option-invalid", says: /00:00-24:00/ },
  { name: "a day that is none", hours: { open: "08:00-18:00", zone: berlin, days: "fryday" }, code: "option-invalid", says: /friday/ },
  { name: "an option that is none", hours: { open: "08:00-18:00", zone: berlin, day: "friday" }, code: "option-unknown", says: /did you mean "days"/ },
  { name: "nothing at all", hours: [], code: "option-invalid", says: /1|one/ },
];

for (const { name, hours, code, says } of refusals) {
  test(`hours with ${name} are refused, with the cure`, () => {
    assert.throws(
      () => someHours(hours, "hours"),
      (error) => ErrandError.is(error, code) && says.test(error.message),
    );
  });
}

test("hours at most 26 ahead are looked at again", () => {
  const always: readonly Hours[] = [{ open: "00:00-24:00", zone: "UTC" }];
  checkWindow(always[0], "hours");
  assert.ok(untilChangeMs(always, Date.UTC(2026, 0, 1)) <= 26 * 3_600_000 + 900_000);
});
