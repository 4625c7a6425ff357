import assert from "node:assert/strict";
import { test } from "node:test";
import type { GateRow, JobRow } from "../../src/core/engine.ts";
import { unknownState, type BreakerState } from "../../src/core/recovery/breakerState.ts";
import { breakers } from "../../src/core/why/doors/breakers.ts";
import type { Door, FindDoors } from "../../src/core/why/doors/door.ts";
import { full } from "../../src/core/why/doors/full.ts";
import { hours } from "../../src/core/why/doors/hours.ts";
import type { KnownTask } from "../../src/core/why/known.ts";
import type { Look } from "../../src/core/why/look.ts";

const now = Date.UTC(2026, 10, 21, 15, 0, 0);

/** What a door finds in a store of these notes and gates. */
function found(
  find: FindDoors,
  known: Partial<KnownTask>,
  store: { readonly notes?: Readonly<Record<string, unknown>>; readonly gates?: readonly GateRow[] } = {},
  row: Partial<JobRow> = {},
): Promise<readonly Door[]> {
  const look = {
    now,
    note: (key: string) => Promise.resolve(store.notes?.[key]),
    gates: (names: readonly string[]) => Promise.resolve((store.gates ?? []).filter(({ name }) => names.includes(name))),
  };
  return find({ task: "send", queue: "default", attempts: 0, ...row } as JobRow, { gates: [], ...known }, look as unknown as Look);
}

function inState(state: Partial<BreakerState>, gates: readonly GateRow[] = [], row: Partial<JobRow> = {}): Promise<readonly Door[]> {
  return found(
    breakers,
    { breaker: "dependency/mail-api" },
    { notes: { "breaker/dependency/mail-api": { ...unknownState, reason: "503", troubleAt: now - 120_000, ...state } }, gates },
    row,
  );
}
const gate: GateRow = { name: "breaker/dependency/mail-api", kind: "limit", used: 3, most: 3, freeAt: now + 250 };

for (const { what, doors, told } of [
  {
    what: "an open breaker tells of what, since when, and when it is tried again",
    doors: inState({ is: "open", since: now - 1_000, waitMs: 4_000 }),
    told: [{ closed: "mail-api has been failing for 2 min (503)", opens: "one job tries it in 3 s, at 2026-11-21T15:00:03.000Z" }],
  },
  {
    what: "a breaker that probes lets one job try",
    doors: inState({ is: "probing", since: now }),
    told: [{ closed: "mail-api has been failing for 2 min (503)", opens: "one job is trying it, and others follow when that succeeds" }],
  },
  {
    what: "a breaker that ramps tells its rate where that is used up",
    doors: inState({ is: "ramping", since: now, recoveringAt: now - 5_000, startRate: 11.6 }, [gate]),
    told: [{ closed: "mail-api failed until 5 s ago, and 12 may start a second for now", opens: "the next may start in 250 ms, at 2026-11-21T15:00:00.250Z" }],
  },
  {
    what: "a breaker that ramps holds nobody back where its rate has room",
    doors: inState({ is: "ramping", startRate: 12 }, [{ ...gate, used: 2 }]),
    told: [],
  },
  {
    what: "a breaker that ramps holds second tries back where its rate has room, until it has come back",
    doors: Promise.all(
      [100, 5].map((rate) => inState({ is: "ramping", startRate: 12, rate, recoveringAt: now - 5_000 }, [{ ...gate, used: 2 }], { attempts: 1 })),
    ).then((found) => found.flat()),
    told: [
      {
        closed: "mail-api failed until 5 s ago, and 12 may start a second for now",
        opens: "of these a fifth may have been tried before, while others come up",
      },
    ],
  },
  { what: "a breaker that drains holds nobody back", doors: inState({ is: "draining" }), told: [] },
  { what: "a breaker that nobody wrote of is healthy", doors: found(breakers, { breaker: "task/send" }), told: [] },
  {
    what: "a task's own breaker is told by the task",
    doors: found(
      breakers,
      { breaker: "task/send" },
      { notes: { "breaker/task/send": { ...unknownState, is: "probing", reason: "no route", troubleAt: now } } },
    ),
    told: [{ closed: "task send has been failing for 0 ms (no route)", opens: "one job is trying it, and others follow when that succeeds" }],
  },
  {
    what: "two limits without room are both told, one with room is not",
    doors: found(
      full,
      { gates: ["a", "b", "c"] },
      {
        notes: { "limit/a": { running: 1_000 }, "limit/b": { starts: 200, everyMs: 60_000 } },
        gates: [
          { name: "a", kind: "limit", used: 1_000, most: 1_000 },
          { name: "b", kind: "limit", used: 200, most: 200, freeAt: now + 20_000 },
          { name: "c", kind: "limit", used: 1, most: 2 },
        ],
      },
    ),
    told: [
      { closed: "as many of its task run as may: 1,000 of 1,000", opens: "there is room when one of them has ended" },
      { closed: "as many of its task as may in 1 min have started: 200 of 200", opens: "the next has room in 20 s, at 2026-11-21T15:00:20.000Z" },
    ],
  },
  {
    what: "of several hours the next that begin are told",
    doors: found(hours, {
      hours: [
        { open: "22:00-06:00", zone: "Europe/Berlin" },
        { open: "16:00-17:00", zone: "UTC" },
      ],
    }),
    told: [{ closed: "its hours are 22:00-06:00 Europe/Berlin, 16:00-17:00 UTC", opens: "they begin in 1 h, at 2026-11-21T16:00:00.000Z" }],
  },
  { what: "within its hours nothing is told of them", doors: found(hours, { hours: [{ open: "14:00-16:00", zone: "UTC" }] }), told: [] },
])
  test(what, async () => assert.deepEqual(await doors, told));
