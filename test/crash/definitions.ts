/** Tasks whose every start and end is a line in a ledger file, so that a killed process leaves its trace. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { task, type Job } from "../../src/index.ts";
import { chargesIn, type Charges } from "./charges.ts";

const ledger = process.env["LEDGER"] ?? "";

export interface LedgerLine {
  readonly is: "start" | "end" | "aborted";
  readonly task: string;
  readonly n: number;
  readonly job: string;
  readonly fence: number;
  readonly pid: number;
  /** CLOCK_MONOTONIC, the same for all processes of the machine, in ms. */
  readonly at: number;
}

function note(is: LedgerLine["is"], name: string, n: number, job: Job): void {
  const line: LedgerLine = { is, task: name, n, job: job.id, fence: job.fence, pid: process.pid, at: Number(process.hrtime.bigint() / 1_000_000n) };
  appendFileSync(ledger, `${JSON.stringify(line)}\n`); // below 4 KiB: one write, so that those of several processes never mix
}

export function linesOf(file: string = ledger): LedgerLine[] {
  if (!existsSync(file)) return [];
  // A line that is being written is seen in parts where it crosses a page.
  const written = readFileSync(file, "utf8");
  return written
    .slice(0, written.lastIndexOf("\n") + 1)
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as LedgerLine]));
}

export type KillPoint = "never" | "before the completion" | "before the commit" | "after the commit";

let opened: Promise<Charges> | undefined;

/** The app's own handle on errand's database. */
function charges(): Promise<Charges> {
  return (opened ??= chargesIn(process.env["STORE"] ?? ""));
}

const quickly = { retry: { first: "100ms", upTo: "1s" } } as const;

export const brief = task("brief", {
  ...quickly,
  run: async ({ n, ms }: { n: number; ms: number }, job) => {
    note("start", "brief", n, job);
    await sleep(ms);
    note("end", "brief", n, job);
  },
});

export const ordered = task("ordered", {
  ...quickly,
  orderedBy: "key",
  run: async ({ n, ms }: { n: number; ms: number; key: string }, job) => {
    note("start", "ordered", n, job);
    await sleep(ms);
    note("end", "ordered", n, job);
  },
});

/** One long loop: each item it has done is an "end". */
export const looping = task("looping", {
  ...quickly,
  run: async ({ count, ms }: { count: number; ms: number }, job) => {
    note("start", "looping", -1, job);
    for await (const n of job.each(Array.from({ length: count }, (_, item) => item))) {
      await sleep(ms);
      note("end", "looping", n, job);
    }
  },
});

/** Heeds its signal. */
export const patient = task("patient", {
  ...quickly,
  run: async ({ n, ms }: { n: number; ms: number }, job) => {
    note("start", "patient", n, job);
    try {
      await sleep(ms, undefined, { signal: job.signal });
    } catch (error) {
      note("aborted", "patient", n, job);
      throw error;
    }
    note("end", "patient", n, job);
  },
});

/** Holds the event loop. */
export const blocking = task("blocking", {
  ...quickly,
  run: ({ n, ms }: { n: number; ms: number }, job) => {
    note("start", "blocking", n, job);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    note("end", "blocking", n, job);
  },
});

/** An effect in the store's own database, completed with it. At `killAt` the first run of a job kills its process. */
export const charging = task("charging", {
  retry: { attempts: 50, first: "100ms", upTo: "1s" },
  run: async ({ n, killAt, ms }: { n: number; killAt: KillPoint; ms: number }, job) => {
    const isFirst = !linesOf().some((line) => line.task === "charging" && line.n === n);
    const die = (at: KillPoint): void => {
      if (isFirst && at === killAt) process.kill(process.pid, "SIGKILL");
    };
    note("start", "charging", n, job);
    await sleep(ms);
    await (
      await charges()
    ).charge(n, (tx) => {
      die("before the completion");
      job.enqueue(brief.with({ n, ms: 0 }));
      const completed: unknown = job.commit(tx);
      // On SQLite it is done by now, and the transaction must not be left.
      if (completed instanceof Promise) return completed.then(() => die("before the commit"));
      return die("before the commit");
    });
    die("after the commit");
    await sleep(ms);
    note("end", "charging", n, job);
  },
});

/** Runs its process out of memory. */
export const hungry = task("hungry", {
  ...quickly,
  run: async ({ n }: { n: number }, job) => {
    note("start", "hungry", n, job);
    await sleep(200); // the innocents beside it have started by then
    const held: unknown[] = [];
    for (;;) held.push(Array.from({ length: 100_000 }, (_, index) => ({ index })));
  },
});
