/** All that the lines of a run tell, by job: what was asked, what ran, what was done to whom, what is stored in the end. */
import type { Fault } from "../faults/fault.ts";
import type { AnswerLine, CallLine, CountLine, GuardedLine, JobKind, JobLine, Line, PhaseLine, RunLine } from "../history.ts";

export interface Call {
  readonly asked: CallLine;
  readonly answers: AnswerLine[];
}

/** ok: at least one answer said so. fail: nothing was done, definitely. info: nobody can tell. */
export type CallIs = "ok" | "fail" | "info";

export interface Run {
  readonly p: string;
  readonly n: string;
  readonly kind: JobKind;
  readonly job: string;
  readonly fence: number;
  readonly attempt: number;
  readonly from: number;
  readonly checkpoint: number | undefined;
  /** Undefined: its process did not come to tell. */
  to: number | undefined;
  end: "end" | "failed" | "aborted" | undefined;
  readonly saves: { readonly t: number; readonly checkpoint: number }[];
}

export interface JobRecord {
  readonly n: string;
  /** Of its own: a member of a batch has none. */
  readonly calls: Call[];
  readonly cancels: Call[];
  /** By their start. */
  readonly runs: Run[];
  /** More than one: the store has it more than once. */
  readonly stored: JobLine[];
  /** The batch, or the bulk, that it was handed in with. */
  batch: Call | undefined;
}

export class Ledger {
  readonly jobs: Map<string, JobRecord> = new Map();
  readonly batches: Map<string, Call> = new Map();
  readonly events: Map<string, Call> = new Map();
  readonly locks: Call[] = [];
  readonly unlocks: Map<number, Call> = new Map();
  readonly guarded: GuardedLine[] = [];
  readonly faults: Fault[] = [];
  readonly phases: PhaseLine[] = [];
  readonly counts: CountLine[] = [];
  readonly calls: Map<string, Call> = new Map();
  readonly #open: Map<string, Run> = new Map();

  constructor(lines: Iterable<Line>) {
    for (const line of lines) this.#take(line);
    for (const { runs } of this.jobs.values()) runs.sort((a, b) => a.from - b.from);
  }

  job(n: string): JobRecord {
    let record = this.jobs.get(n);
    if (record === undefined) this.jobs.set(n, (record = { n, calls: [], cancels: [], runs: [], stored: [], batch: undefined }));
    return record;
  }

  /** When a phase began; Infinity where it never did. */
  began(phase: PhaseLine["phase"]): number {
    return this.phases.find((line) => line.phase === phase)?.t ?? Number.POSITIVE_INFINITY;
  }

  #take(line: Line): void {
    switch (line.is) {
      case "call":
        return this.#called(line);
      case "ok":
      case "fail":
      case "info":
        return void this.calls.get(`${line.p} ${line.seq}`)?.answers.push(line);
      case "start":
        return this.#started(line);
      case "end":
      case "failed":
      case "aborted":
      case "saved":
        return this.#wentOn(line);
      case "guarded":
        return void this.guarded.push(line);
      case "fault":
        // Nobody comes back by that name; what it had begun elsewhere, such as a child of its own, may go on for a moment.
        return void this.faults.push(line.kind === "kill" ? { ...line, to: Number.POSITIVE_INFINITY } : line);
      case "phase":
        return void this.phases.push(line);
      case "job":
        return void this.job(line.n).stored.push(line);
      case "count":
        return void this.counts.push(line);
    }
  }

  #called(asked: CallLine): void {
    const call: Call = { asked, answers: [] };
    this.calls.set(`${asked.p} ${asked.seq}`, call);
    if (asked.op === "enqueue") this.job(asked.n).calls.push(call);
    else if (asked.op === "cancel") this.job(asked.n).cancels.push(call);
    else if (asked.op === "bulk") for (let at = 0; at < asked.jobs; at++) this.job(`${asked.n}.${at}`).batch = call;
    else if (asked.op === "publish") this.events.set(asked.n, call);
    else if (asked.op === "lock") this.locks.push(call);
    else if (asked.op === "unlock") this.unlocks.set(asked.granted, call);
    else {
      this.batches.set(asked.n, call);
      for (const member of asked.members) this.job(member).batch = call;
    }
  }

  #started({ p, n, kind, job, fence, attempt, t, checkpoint }: RunLine): void {
    const run: Run = { p, n, kind, job, fence, attempt, from: t, checkpoint, to: undefined, end: undefined, saves: [] };
    this.job(n).runs.push(run);
    this.#open.set(`${p} ${job} ${fence}`, run);
  }

  #wentOn({ is, p, job, fence, t, checkpoint = 0 }: RunLine): void {
    const run = this.#open.get(`${p} ${job} ${fence}`);
    if (run === undefined) return;
    if (is === "saved") return void run.saves.push({ t, checkpoint });
    run.to = t;
    run.end = is === "start" ? undefined : is;
    this.#open.delete(`${p} ${job} ${fence}`);
  }
}

export function isOf({ answers }: Call): CallIs {
  if (answers.some(({ is }) => is === "ok")) return "ok";
  return answers.length > 0 && answers.every(({ is }) => is === "fail") ? "fail" : "info";
}

export function okOf({ answers }: Call): AnswerLine | undefined {
  return answers.find(({ is }) => is === "ok");
}

/** What was handed in for it; of a member, with its batch. */
export function handedIn({ calls, batch }: JobRecord): readonly Call[] {
  return batch === undefined ? calls : [...calls, batch];
}

/** Acknowledged as a job of its own, not as another one that stood for it. */
export function isAccepted(record: JobRecord): boolean {
  return handedIn(record).some((call) => {
    const ok = okOf(call);
    return ok !== undefined && (call.asked.op !== "enqueue" || ok.id === record.n);
  });
}

export function firstStart({ runs }: JobRecord): number | undefined {
  return runs[0]?.from;
}

/** When one of its runs had come to its end, at the earliest. */
export function firstEnd({ runs }: JobRecord): number | undefined {
  const ends = runs.flatMap(({ end, to }) => (end === "end" && to !== undefined ? [to] : []));
  return ends.length === 0 ? undefined : Math.min(...ends);
}
