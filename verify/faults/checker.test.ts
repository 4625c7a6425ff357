/** The checker of runs on servers of their own finds what is wrong: a good history is doctored, and exactly what was hurt is named. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobKind, Line } from "../../src/verify/history.ts";
import { checkOwn, ownInvariants, type OwnVerdict } from "./checker/check.ts";
import type { AnyLine, OwnLine } from "./history.ts";
import { pacedEveryMs, pacedStarts } from "./workload/policies.ts";

const asked = { keepsAcknowledged: true };
const faultsAt = 1_000;
const healAt = 60_000;
let fence = 1_000;
let calls = 0;

interface Ran {
  readonly kind: JobKind;
  readonly n: string;
  readonly at: number;
  readonly p?: string;
  readonly id?: string;
}

function call(kind: JobKind, n: string, t: number, how: "ok" | "fail" | "info" = "ok"): AnyLine[] {
  const seq = ++calls;
  const answer: AnyLine =
    how === "ok" ? { is: "ok", t: t + 1, p: "p1", seq, id: n, isDuplicate: false } : { is: how, t: t + 1, p: "p1", seq, code: "rolled-back" };
  return [{ is: "call", t, p: "p1", seq, op: "enqueue", kind, n }, answer];
}

/** From its start to what the worker was told. */
function ran({ kind, n, at, p = "w1", id = n }: Ran): AnyLine[] {
  const run = { p, kind, n, job: id, fence: ++fence, attempt: 1 };
  return [
    { is: "start", t: at, ...run },
    { is: "end", t: at + 2, ...run },
    { is: "settled", t: at + 4, p, job: id, fence, from: at + 3 },
  ];
}

function stored(
  kind: JobKind,
  n: string,
  more: { readonly state?: string; readonly isPoison?: boolean; readonly slotAt?: number; readonly id?: string } = {},
): AnyLine {
  return { is: "job", id: n, kind, n, state: "completed", starts: 1, attempts: 1, isPoison: false, enqueuedAt: 2_000, ...more };
}

function done(kind: JobKind, n: string, at: number): AnyLine[] {
  return [...call(kind, n, at), ...ran({ kind, n, at: at + 10 }), stored(kind, n)];
}

function slots(): AnyLine[] {
  return [
    [1_000, "verify-every-second"],
    [2_000, "verify-every-second"],
    [2_000, "verify-every-other"],
  ].flatMap(([slotAt, schedule]): AnyLine[] => {
    const n = `${schedule}/${slotAt}`;
    return [...ran({ kind: "slot", n, at: 3_000 }), stored("slot", n, { slotAt: Number(slotAt) })];
  });
}

function poisoned(n: string, deaths: number): AnyLine[] {
  const lines = Array.from({ length: deaths }, (_, at): AnyLine[] => {
    const [p, t] = [`w${10 + at}`, 20_000 + 3_000 * at];
    const start: AnyLine = { is: "start", t, p, kind: "poison", n, job: n, fence: ++fence, attempt: 1 };
    return [start, { is: "fault", kind: "kill", on: p, from: t, to: t, by: "poison" }];
  });
  return [...call("poison", n, 19_000), ...lines.flat(), stored("poison", n, { state: "dead", isPoison: true }), { is: "alert", of: n }];
}

function restored(n: string, at: number): AnyLine[] {
  return [{ is: "row", t: at, p: "p1", n }, ...done("restored", n, at + 1), { is: "did", t: at + 14, p: "w1", n }];
}

/** Two jobs by one call. */
function bulk(n: string, at: number): AnyLine[] {
  const jobs = [`${n}.0`, `${n}.1`].flatMap((one) => [...ran({ kind: "bulk", n: one, at: at + 10 }), stored("bulk", one)]);
  const seq = ++calls;
  return [{ is: "call", t: at, p: "p1", seq, op: "bulk", n, jobs: 2 }, { is: "ok", t: at + 1, p: "p1", seq }, ...jobs];
}

/** Something of everything, and nothing wrong. */
function good(): AnyLine[] {
  fence = 1_000;
  calls = 0;
  const lines: AnyLine[] = [
    { is: "phase", t: 0, phase: "warm-up" },
    { is: "phase", t: faultsAt, phase: "faults" },
    { is: "phase", t: healAt, phase: "heal" },
    ...slots(),
    ...done("plain", "p1-1", 5_000),
    ...bulk("p1-bulk1", 12_000),
    ...done("within", "p1-within1", 5_500),
    { is: "app-row", n: "p1-within1" },
    ...call("within", "p1-within2", 5_600, "fail"),
    ...Array.from({ length: pacedStarts }, (_, at) => done("paced", `p1-paced${at}`, 6_000 + at)).flat(),
    ...done("paced", "p1-pacedlast", 6_000 + pacedEveryMs),
    ...poisoned("p1-poison1", 3),
    ...restored("p1-restored1", 30_000),
    { is: "neighbour-asked", n: "beside-1", t: 4_000, how: "ok" },
    { is: "neighbour-job", n: "beside-1", how: "ready", starts: 0 },
    { is: "phase", t: healAt + 1_000, phase: "drained" },
  ];
  const states = Map.groupBy(
    lines.filter((line) => line.is === "job"),
    ({ state }) => state,
  );
  return [...lines, ...[...states].map(([state, jobs]): AnyLine => ({ is: "count", state, jobs: jobs.length }))];
}

function verdictOf(lines: readonly AnyLine[], how = asked): OwnVerdict {
  return checkOwn(() => lines as readonly Line[], how);
}

function brokenIn({ invariants }: OwnVerdict): string[] {
  return invariants.filter(({ broken }) => broken > 0).map(({ id, name }) => `${id} ${name}`);
}

function naming(part: string): string {
  const [found] = ownInvariants.filter(({ name }) => name.includes(part));
  assert.ok(found !== undefined, part);
  return `${found.id} ${found.name}`;
}

const without = (lines: readonly AnyLine[], isGone: (line: AnyLine) => boolean): AnyLine[] => lines.filter((line) => !isGone(line));

interface Doctored {
  readonly what: string;
  /** Part of the name of what is broken. */
  readonly breaks: string;
  readonly doctor: (lines: AnyLine[]) => AnyLine[];
}

const doctored: readonly Doctored[] = [
  {
    what: "a committed row has no job",
    breaks: "transaction's row",
    doctor: (lines) => [...lines, ...call("within", "p1-within3", 7_000, "info"), { is: "app-row", n: "p1-within3" }],
  },
  { what: "a job has no row", breaks: "transaction's row", doctor: (lines) => without(lines, (line) => line.is === "app-row") },
  { what: "a transaction that was taken back has its row", breaks: "transaction's row", doctor: (lines) => [...lines, { is: "app-row", n: "p1-within2" }] },
  {
    what: "a job whose end was acknowledged starts again, after a fault",
    breaks: "acknowledged to its worker",
    doctor: (lines) => {
      const killed: OwnLine = { is: "fault", kind: "kill", on: "w1", from: 5_020, to: 5_020, by: "poison" };
      return [...lines, killed, ...ran({ kind: "plain", n: "p1-1", at: 9_000, p: "w2" }).filter(({ is }) => is !== "settled")];
    },
  },
  {
    what: "a job has two ends that were acknowledged",
    breaks: "acknowledged to its worker",
    doctor: (lines) => [...lines, { is: "settled", t: 9_000, p: "w2", job: "p1-1", fence: 77, from: 8_999 }],
  },
  {
    what: "a poison job lives",
    breaks: "put aside after a few deaths",
    doctor: (lines) => lines.map((line) => (line.is === "job" && line.kind === "poison" ? { ...line, isPoison: false } : line)),
  },
  {
    what: "a poison job kills too many",
    breaks: "put aside after a few deaths",
    doctor: (lines) => [...lines, ...poisoned("p1-poison1", 5).filter(({ is }) => is === "start" || is === "fault")],
  },
  { what: "nobody is told of a death", breaks: "the app is told once", doctor: (lines) => without(lines, ({ is }) => is === "alert") },
  { what: "the app is told twice of a death", breaks: "the app is told once", doctor: (lines) => [...lines, { is: "alert", of: "p1-poison1" }] },
  {
    what: "one more starts within the time",
    breaks: "its rate says",
    doctor: (lines) => [...lines.map(counted), ...done("paced", "p1-pacedmore", 6_020)],
  },
  { what: "a row is not done", breaks: "done in the end", doctor: (lines) => without(lines, ({ is }) => is === "did") },
  {
    what: "a row that is done is begun again",
    breaks: "not begun again",
    doctor: (lines) => [...lines, { is: "start", t: 40_000, p: "w2", kind: "restored", n: "p1-restored1", job: "another", fence: 9_000, attempt: 1 }],
  },
  {
    what: "a job of the other store runs",
    breaks: "in one store",
    doctor: (lines) => lines.map((line) => (line.is === "neighbour-job" ? { ...line, how: "completed", starts: 1 } : line)),
  },
  {
    what: "a job of this store is in the other",
    breaks: "in one store",
    doctor: (lines) => [...lines, { is: "neighbour-job", n: "p1-1", how: "ready", starts: 0 }],
  },
  { what: "the other store has lost a job", breaks: "in one store", doctor: (lines) => without(lines, ({ is }) => is === "neighbour-job") },
];

/** One more that is completed. */
function counted(line: AnyLine): AnyLine {
  return line.is === "count" && line.state === "completed" ? { ...line, jobs: line.jobs + 1 } : line;
}

test("the good history holds, and has something of each", () => {
  const verdict = verdictOf(good());
  assert.deepEqual(brokenIn(verdict), []);
  const met = verdict.invariants.filter(({ checked }) => checked > 0).map(({ name }) => name);
  assert.deepEqual(
    ownInvariants.filter(({ name }) => !met.includes(name)).map(({ name }) => name),
    [],
  );
});

for (const { what, breaks, doctor } of doctored) {
  test(`it is found, and nothing else is, where ${what}`, () => assert.deepEqual(brokenIn(verdictOf(doctor(good()))), [naming(breaks)]));
}

test("each has a doctored history", () => {
  const broken = new Set(doctored.map(({ breaks }) => naming(breaks)));
  assert.deepEqual(
    ownInvariants.map(({ id, name }) => `${id} ${name}`).filter((one) => !broken.has(one)),
    [],
  );
});

const lost = (line: AnyLine): boolean => line.is === "job" && line.n === "p1-1";
const uncounted = (line: AnyLine): AnyLine => (line.is === "count" && line.state === "completed" ? { ...line, jobs: line.jobs - 1 } : line);
const promotion: AnyLine = { is: "fault", kind: "promote", on: "*", from: 5_050, to: 5_100, forgetsFrom: 4_900 };

test("an acknowledged job that is gone is lost; where the store may have forgotten it, it is not, and is counted", () => {
  const gone = without(good(), lost).map(uncounted);
  assert.deepEqual(brokenIn(verdictOf(gone)), ["I1 no acknowledged job is lost"]);
  const forgetting = verdictOf([...gone, promotion], { keepsAcknowledged: false });
  assert.deepEqual([brokenIn(forgetting), forgetting.lost, forgetting.forgotten], [[], 0, 1]);
  assert.deepEqual(brokenIn(verdictOf([...gone, promotion])), ["I1 no acknowledged job is lost"]);
});

test("of many jobs that one call handed in, one that is gone is lost, and none may be there that was refused", () => {
  const gone = without(good(), (line) => line.is === "job" && line.n === "p1-bulk1.1").map(uncounted);
  assert.deepEqual(brokenIn(verdictOf(gone)), ["I1 no acknowledged job is lost"]);
  const lines = good();
  const seq = lines.flatMap((line) => (line.is === "call" && line.op === "bulk" ? [line.seq] : []))[0];
  const refused = lines.map((line): AnyLine => (line.is === "ok" && line.seq === seq ? { ...line, is: "fail", code: "rolled-back" } : line));
  assert.deepEqual(brokenIn(verdictOf(refused)), ["I2 nothing is stored or runs that was not asked for, or that was refused"]);
});

test("what a process could not tell behind another one that was stopped, holding what both wait for, its death explains as late as that", () => {
  const run = { p: "w1", kind: "plain", n: "p1-9", job: "p1-9", fence: 900, attempt: 1 } as const;
  const lines: AnyLine[] = [
    ...good().map((line) => (line.is === "count" && line.state === "completed" ? { ...line, jobs: line.jobs + 1 } : line)),
    ...call("plain", "p1-9", 20_000),
    { is: "start", t: 20_010, ...run },
    { is: "failed", t: 20_012, ...run },
    { is: "fault", kind: "kill", on: "w1", from: 27_000, to: 27_000 },
    ...ran({ kind: "plain", n: "p1-9", at: 32_000, p: "w2" }),
    stored("plain", "p1-9"),
  ];
  assert.deepEqual(
    brokenIn(verdictOf(lines)).map((one) => one.slice(0, 2)),
    ["I3"],
  );
  assert.deepEqual(brokenIn(verdictOf([...lines, { is: "fault", kind: "stop", on: "w9", from: 19_000, to: 26_000 }])), []);
});

test("a slot whose end the store has forgotten may run again; one that it had told before may not", () => {
  const again = ran({ kind: "slot", n: "verify-every-second/1000", at: 5_400, p: "w2" });
  const wipe: AnyLine = { is: "fault", kind: "wipe", on: "*", from: 5_000, to: 5_100, forgetsFrom: 0 };
  assert.deepEqual(brokenIn(verdictOf([...good(), wipe, ...again], { keepsAcknowledged: false })), []);
  const isBroken = brokenIn(verdictOf([...good(), { ...wipe, forgetsFrom: 4_000 }, ...again], { keepsAcknowledged: false }));
  assert.ok(isBroken.includes(naming("whose end was acknowledged")), isBroken.join("\n"));
});

test("a fence that comes again is found, whatever the store forgot", () => {
  const start = good().find((line) => line.is === "start" && line.n === "p1-1");
  assert.ok(start?.is === "start");
  const again = verdictOf([...good(), promotion, { ...start, t: 5_200, p: "w2" }], { keepsAcknowledged: false });
  assert.deepEqual(brokenIn(again), ["I4 the fence grows with each start of a job, and along the jobs of a key"]);
});

test("what was acknowledged after the store's return is lost where it is gone", () => {
  const early: AnyLine = { is: "fault", kind: "promote", on: "*", from: 500, to: 600, forgetsFrom: 400 };
  const gone = without([...good(), early], lost).map(uncounted);
  assert.deepEqual(brokenIn(verdictOf(gone, { keepsAcknowledged: false })), ["I1 no acknowledged job is lost"]);
});

test("an end that nobody acknowledged is explained by whatever happened to its process until the job started again", () => {
  const lines = without(good(), (line) => line.is === "settled" && line.job === "p1-1");
  const again = ran({ kind: "plain", n: "p1-1", at: 25_000, p: "w2" });
  const isBroken = brokenIn(verdictOf([...lines, ...again]));
  assert.deepEqual(
    isBroken.map((one) => one.slice(0, 2)),
    ["I5"],
  );
  const crash: AnyLine = { is: "fault", kind: "crash", on: "*", from: 20_000, to: 21_000 };
  assert.deepEqual(brokenIn(verdictOf([...lines, crash, ...again])), []);
});
