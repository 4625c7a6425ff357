/** Tasks whose every start and end is a line in a ledger file, so that a killed process leaves its trace. */
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { task, type Job } from "../../src/index.ts";

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
  appendFileSync(ledger, `${JSON.stringify(line)}\n`); // below 4 KiB: one write, never torn
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
