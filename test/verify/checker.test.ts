/** The checker finds what is wrong: a good history, recorded on PostgreSQL with every kind of fault, is doctored, and exactly the invariant that was hurt is named. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { inRoot } from "../../scripts/root.ts";
import { check, invariants, type Verdict } from "../../src/verify/checker/check.ts";
import type { AnswerLine, CallLine, GuardedLine, JobLine, Line, RunLine } from "../../src/verify/history.ts";

const text = gunzipSync(readFileSync(inRoot("test/verify/fixtures/history.ndjson.gz"))).toString();
const recorded = (): Line[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

const brokenIn = ({ invariants: all }: Verdict): string[] => all.filter(({ broken }) => broken > 0).map(({ id }) => id);

test("the good history holds, and has something of each invariant", () => {
  const verdict = check(recorded());
  assert.deepEqual(brokenIn(verdict), []);
  assert.deepEqual(
    verdict.invariants.filter(({ checked }) => checked === 0).map(({ id }) => id),
    [],
  );
  assert.ok(verdict.held && verdict.lost === 0 && verdict.duplicates.total > 0 && verdict.duplicates.unexplained === 0);
  assert.ok(verdict.recovery.jobs === 0 || (verdict.recovery.p50 ?? 0) > 0);
});

/** Changes the lines; `lines` are its own. */
interface Doctored {
  readonly id: string;
  readonly what: string;
  readonly doctor: (lines: History) => Line[];
}

/** The lines, with what is needed to find the ones to change. */
class History {
  readonly lines: Line[];

  constructor(lines: Line[]) {
    this.lines = lines;
  }

  get jobs(): JobLine[] {
    return this.lines.filter((line) => line.is === "job");
  }

  get runs(): RunLine[] {
    const of: readonly string[] = ["start", "end", "failed", "aborted", "saved"];
    return this.lines.filter((line): line is RunLine => of.includes(line.is));
  }

  get calls(): CallLine[] {
    return this.lines.filter((line) => line.is === "call");
  }

  answerOf({ p, seq }: CallLine): AnswerLine | undefined {
    return this.lines.find((line): line is AnswerLine => line.is === "ok" && line.p === p && line.seq === seq);
  }

  runsOf(n: string): RunLine[] {
    return this.runs.filter((run) => run.n === n);
  }

  /** A job of that kind that ran once and was completed, when there were no faults any more. */
  calmJob(kind: RunLine["kind"] = "plain"): JobLine {
    return this.#jobRunWithin(kind, this.began("heal"), Number.POSITIVE_INFINITY);
  }

  /** Likewise, before there were any. */
  earlyJob(kind: RunLine["kind"] = "plain"): JobLine {
    return this.#jobRunWithin(kind, 0, this.began("faults"));
  }

  /** Likewise, at any time. */
  onceRun(kind: RunLine["kind"]): JobLine {
    return this.#jobRunWithin(kind, 0, Number.POSITIVE_INFINITY);
  }

  #jobRunWithin(kind: RunLine["kind"], from: number, to: number): JobLine {
    const isWithin = ({ t }: RunLine): boolean => t > from && t < to;
    const isGood = ({ n, state }: JobLine): boolean =>
      state === "completed" && this.runsOf(n).filter(({ is }) => is === "start").length === 1 && this.runsOf(n).every(isWithin);
    return first(this.jobs.filter((job) => job.kind === kind && isGood(job)));
  }

  began(phase: string): number {
    return first(this.lines.filter((line) => line.is === "phase").filter((line) => line.phase === phase)).t;
  }

  run(n: string, is: RunLine["is"]): RunLine {
    return first(this.runsOf(n).filter((run) => run.is === is));
  }

  without(...gone: readonly object[]): Line[] {
    return this.lines.filter((line) => !gone.includes(line));
  }

  change<L extends Line>(line: L, to: Partial<L>): Line[] {
    return this.lines.map((one) => (one === line ? { ...one, ...to } : one));
  }

  with(...more: readonly Line[]): Line[] {
    return [...this.lines, ...more];
  }
}

function first<T>(list: readonly T[]): T {
  assert.ok(list[0] !== undefined, "the recorded history has none of that");
  return list[0];
}

/** Another run of a job, in a process that never had a fault. */
function anotherRun(history: History, n: string, afterMs: number): RunLine[] {
  const end = history.run(n, "end");
  const run = { ...end, p: "calm", fence: end.fence + 1 };
  return [
    { ...run, is: "start", t: end.t + afterMs },
    { ...run, t: end.t + afterMs + 50 },
  ];
}

/** Without these jobs and all they did. */
function withoutJob(history: History, job: JobLine): Line[] {
  return counting(history.without(job, ...history.runsOf(job.n)), job.state, -1);
}

function counting(lines: Line[], state: string, more: number): Line[] {
  return lines.map((line) => (line.is === "count" && line.state === state ? { ...line, jobs: line.jobs + more } : line));
}

/** All lines of a run, at another time. */
function moved(history: History, n: string, t: number): Line[] {
  const runs = history.runsOf(n);
  const from = Math.min(...runs.map((run) => run.t));
  return history.lines.map((line) => (runs.includes(line as RunLine) ? { ...(line as RunLine), t: t + (line as RunLine).t - from } : line));
}

function withFence(lines: Line[], n: string, fence: number): Line[] {
  return lines.map((line) => (line.is !== "job" && "kind" in line && "fence" in line && line.n === n ? { ...line, fence } : line));
}

/** Two jobs of one key that ran once each, the second handed in after the first was acknowledged. */
function twoOfAKey(history: History, kind: "ordered" | "unique"): readonly [string, string] {
  const once = history.calls.filter(
    (call) => call.op === "enqueue" && call.kind === kind && history.answerOf(call)?.isDuplicate === false && history.runsOf(call.n).length === 2,
  );
  for (const one of once) {
    const other = once.find(
      (call) => call.op === "enqueue" && one.op === "enqueue" && call.key === one.key && call.t > (history.answerOf(one)?.t ?? Number.POSITIVE_INFINITY),
    );
    if (other?.op === "enqueue" && one.op === "enqueue") return [one.n, other.n];
  }
  throw new Error(`the recorded history has no two jobs of one key: ${kind}`);
}

function cancelledOf(history: History, answer: string): CallLine & { readonly op: "cancel" } {
  return first(
    history.calls.filter((call): call is CallLine & { readonly op: "cancel" } => call.op === "cancel" && history.answerOf(call)?.cancelled === answer),
  );
}

function enqueueOf(history: History, n: string): CallLine & { readonly op: "enqueue" } {
  return first(history.calls.filter((call): call is CallLine & { readonly op: "enqueue" } => call.op === "enqueue" && call.n === n));
}

const doctored: readonly Doctored[] = [
  {
    id: "I0",
    what: "a call fails before there is any fault",
    doctor: (history) => {
      const call = first(history.calls.filter(({ op, t }) => op === "cancel" && t < history.began("faults")));
      const answer = history.answerOf(call);
      return answer === undefined ? [] : history.with({ is: "info", p: call.p, seq: call.seq, t: answer.t - 0.001, code: "store-failed" });
    },
  },
  { id: "I1", what: "an acknowledged job is not in the store", doctor: (history) => withoutJob(history, history.earlyJob()) },
  {
    id: "I1",
    what: "a job is completed, and no run of it came to its end",
    doctor: (history) => history.without(history.run(history.earlyJob().n, "end")),
  },
  {
    id: "I2",
    what: "a job runs that nobody asked for",
    doctor: (history) => history.with({ ...history.run(history.earlyJob().n, "start"), n: "nobody-1", job: "nobody-1" }),
  },
  {
    id: "I2",
    what: "a job runs that was definitely refused",
    doctor: (history) => {
      const call = enqueueOf(history, history.calmJob().n);
      return history.change(history.answerOf(call) as AnswerLine, { is: "fail", code: "store-unreachable" });
    },
  },
  {
    id: "I3",
    what: "a completed job starts again, without a fault",
    doctor: (history) => history.with(...anotherRun(history, history.calmJob().n, 1)),
  },
  {
    id: "I4",
    what: "the next start of a job has the fence of the one before",
    doctor: (history) => {
      const failed = first(history.runs.filter((run) => run.is === "failed" && run.kind === "plain" && history.runsOf(run.n).length === 4));
      const again = history.runsOf(failed.n).filter(({ attempt }) => attempt === 2);
      return history.lines.map((line) => (again.includes(line as RunLine) ? { ...(line as RunLine), fence: failed.fence } : line));
    },
  },
  {
    id: "I4",
    what: "the next job of a key starts elsewhere with a smaller fence than the one before",
    doctor: (history) => {
      const [one, other] = twoOfAKey(history, "ordered");
      return withFence(history.lines, other, history.run(one, "start").fence - 1);
    },
  },
  {
    id: "I5",
    what: "a job runs twice at once, without a fault",
    doctor: (history) => history.with(...anotherRun(history, history.calmJob().n, -0.1)),
  },
  {
    id: "I6",
    what: "a job of a key starts before one that was acknowledged before it was handed in",
    doctor: (history) => {
      const [one, other] = twoOfAKey(history, "ordered");
      const { t, fence } = history.run(one, "start");
      return withFence(moved(history, other, t - 1_000), other, fence - 1);
    },
  },
  {
    id: "I8",
    what: "the callback of a batch is missing",
    doctor: (history) => {
      const callback = first(history.jobs.filter(({ kind, n, state }) => kind === "callback" && n.endsWith("/ended") && state === "completed"));
      return withoutJob(history, callback);
    },
  },
  {
    id: "I8",
    what: "a callback runs before the last member has ended",
    doctor: (history) => {
      const batch = first(history.calls.filter((call) => call.op === "batch" && history.runsOf(`${call.n}/ended`).length === 2));
      assert.ok(batch.op === "batch");
      return moved(history, `${batch.n}/ended`, batch.t);
    },
  },
  {
    id: "I9",
    what: "a slot of a schedule has no job",
    doctor: (history) => {
      const slots = history.jobs.filter(({ kind, n, starts }) => kind === "slot" && n.startsWith("verify-every-second/") && starts === 1);
      const slot = slots[Math.floor(slots.length / 2)];
      assert.ok(slot !== undefined);
      return withoutJob(history, slot);
    },
  },
  {
    id: "I9",
    what: "a slot of a schedule has two jobs",
    doctor: (history) => {
      const slot = first(history.jobs.filter(({ kind, starts }) => kind === "slot" && starts === 1));
      return counting(history.with({ ...slot, id: "another" }), slot.state, 1);
    },
  },
  {
    id: "I10",
    what: "a job of a unique key runs while another one lives",
    doctor: (history) => {
      const [one, other] = twoOfAKey(history, "unique");
      return moved(history, other, history.run(one, "start").t + 0.1);
    },
  },
  {
    id: "I11",
    what: "a cancelled job starts",
    doctor: (history) => {
      const call = cancelledOf(history, "cancelled");
      const run = { is: "start", p: "calm", kind: "plain", n: call.n, job: call.n, fence: 1, attempt: 1 } as const;
      return history.with({ ...run, t: 5_000 + (history.answerOf(call)?.t ?? 0) });
    },
  },
  {
    id: "I11",
    what: "a job that was cancelled while it ran is completed",
    doctor: (history) => {
      return history.change(history.answerOf(cancelledOf(history, "ended")) as AnswerLine, { cancelled: "cancelling" });
    },
  },
  {
    id: "I12",
    what: "a job starts before it is due",
    doctor: (history) => {
      const until = history.began("faults");
      const call = first(
        history.calls.filter((one) => one.op === "enqueue" && one.delayMs !== undefined && one.t < until && history.runsOf(one.n).length === 2),
      );
      assert.ok(call.op === "enqueue");
      return history.change(history.run(call.n, "start"), { t: call.t + (call.delayMs ?? 0) - 6 });
    },
  },
  {
    id: "I13",
    what: "an innocent is put aside",
    doctor: (history) => history.change(history.earlyJob(), { isPoison: true }),
  },
  {
    id: "I13",
    what: "a doomed job dies of another number of attempts",
    doctor: (history) => history.change(first(history.jobs.filter(({ kind, state }) => kind === "doomed" && state === "dead")), { attempts: 3 }),
  },
  {
    id: "I14",
    what: "more jobs run than the limit says",
    doctor: (history) => {
      const { n } = history.earlyJob("limited");
      const [start, end] = [history.run(n, "start"), history.run(n, "end")];
      const call = enqueueOf(history, n);
      const others = ["a", "b", "c"].map((name) => ({ ...start, n: name, job: name, p: "calm" }));
      return history.with(
        ...others.flatMap((run): Line[] => [
          { ...call, p: `calm-${run.n}`, n: run.n },
          { p: `calm-${run.n}`, is: "info", seq: call.seq, t: history.began("heal"), code: "store-failed" },
          { ...run, t: start.t },
          { ...run, is: "end", t: end.t },
        ]),
      );
    },
  },
  {
    id: "I15",
    what: "a subscription has no job of an event",
    doctor: (history) => {
      const hop = first(history.jobs.filter(({ kind, starts }) => kind === "hop" && starts === 1));
      return withoutJob(history, hop);
    },
  },
  {
    id: "I16",
    what: "a write under a lock is lost",
    doctor: (history) => {
      const writes = history.lines.filter((line): line is GuardedLine => line.is === "guarded" && line.name === "verify-lock" && line.value !== undefined);
      return history.without(first(writes));
    },
  },
  {
    id: "I16",
    what: "a lock is granted while another one holds it",
    doctor: (history) => {
      const call = first(
        history.calls.filter(
          (one) => one.op === "lock" && one.name === "verify-lock" && history.answerOf(one) !== undefined && one.t < history.began("faults"),
        ),
      );
      const granted = history.answerOf(call);
      assert.ok(call.op === "lock" && granted?.fence !== undefined);
      return history.with({ ...call, p: "calm", seq: 1 }, { ...granted, p: "calm", seq: 1, t: granted.t + 0.01, fence: granted.fence + 1 });
    },
  },
  {
    id: "I17",
    what: "a leader is elected with the fence of another one",
    doctor: (history) => {
      const terms = history.calls.filter((one) => one.op === "lock" && one.name === "verify-leader").map((call) => history.answerOf(call));
      const [one, other] = terms;
      assert.ok(one?.fence !== undefined && other !== undefined);
      return history.change(other, { fence: one.fence });
    },
  },
  {
    id: "I18",
    what: "a job goes on from an earlier checkpoint than the last that was acknowledged",
    doctor: (history) => {
      const { n } = history.onceRun("long");
      return history.change(history.run(n, "start"), { t: history.run(n, "saved").t + 0.1 });
    },
  },
  {
    id: "I19",
    what: "a job runs though its premise is gone",
    doctor: (history) => {
      const call = enqueueOf(history, history.earlyJob("premise").n);
      return history.change(call, { key: "stale" });
    },
  },
  {
    id: "I20",
    what: "the store counts a job too many",
    doctor: (history) => history.lines.map((line) => (line.is === "count" && line.state === "dead" ? { ...line, jobs: line.jobs + 1 } : line)),
  },
  {
    id: "I21",
    what: "a call is never answered",
    doctor: (history) => history.with({ is: "call", p: "calm", seq: 1, t: history.began("heal"), op: "cancel", n: history.earlyJob().n }),
  },
  {
    id: "I21",
    what: "a job has not ended in the end",
    doctor: (history) => history.lines.map((line) => (line.is === "phase" && line.phase === "drained" ? { ...line, phase: "not drained" as const } : line)),
  },
];

for (const { id, what, doctor } of doctored) {
  test(`${id} is broken where ${what}, and nothing else is`, () => {
    const verdict = check(doctor(new History(recorded())));
    assert.deepEqual(brokenIn(verdict), [id]);
    assert.ok(!verdict.held && (verdict.invariants.find((one) => one.id === id)?.examples.length ?? 0) > 0);
  });
}

test("where a job of a key was put aside by faults, those that are parked behind it are held, and not lost; else they are", () => {
  const history = new History(recorded());
  const [one, other] = twoOfAKey(history, "ordered");
  const parked = (isPoison: boolean): Verdict => {
    const lines = history.lines.map((line): Line => {
      if (line.is === "job" && line.n === one) return { ...line, state: "parked", isPoison, crashes: 3 };
      return line.is === "job" && line.n === other ? { ...line, state: "parked" } : line;
    });
    return check([
      ...counting(lines, "completed", -2).filter((line) => line.is !== "count" || line.state !== "parked"),
      { is: "count", state: "parked", jobs: 2 },
    ]);
  };
  assert.deepEqual([brokenIn(parked(true)), brokenIn(parked(false))], [[], ["I13", "I21"]]);
});

test("where a member of a batch was put aside by faults, the batch has failed", () => {
  const history = new History(recorded());
  const batch = first(history.calls.filter((call) => call.op === "batch" && !call.isFailing && history.runsOf(`${call.n}/ended`).length === 2));
  assert.ok(batch.op === "batch");
  const [member = ""] = batch.members;
  const lines = history.lines.map((line): Line => (line.is === "job" && line.n === member ? { ...line, state: "dead", isPoison: true, crashes: 3 } : line));
  assert.deepEqual(brokenIn(check(counting(counting(lines, "completed", -1), "dead", 1))), ["I8"]); // its callbacks are those of one that succeeded
});

test("each invariant has a doctored history", () => {
  assert.deepEqual(
    invariants.map(({ id }) => id).filter((id) => !doctored.some((one) => one.id === id)),
    [],
  );
});
