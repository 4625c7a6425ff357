/** The tasks of a run on servers of its own: those of every fault run, and some that need more around them. */
import path from "node:path";
import { jobDied, reconcile, task, when, type Reconciliation, type Subscription, type Task } from "../../../src/index.ts";
import { machineMs } from "../../../src/runtime/machineClock.ts";
import { appendLine } from "../../../src/verify/history.ts";
import { assignmentHere } from "../../../src/verify/workload/assignment.ts";
import { note, run, type Work } from "../../../src/verify/workload/definitions.ts";
import { retryFirstMs } from "../../../src/verify/workload/policies.ts";
import type { DiedLine } from "../history.ts";
import { AppRows } from "./appRows.ts";
import { pacedEvery, pacedStarts, restoredName } from "./policies.ts";

export * from "../../../src/verify/workload/definitions.ts";

/** The worker's own: a child that runs a job alone inherits it, and is another process. */
const pidVariable = "ERRAND_FAULTS_WORKER";
const diesWithCode = 86;
const quickly = { first: `${retryFirstMs}ms`, upTo: "1s" } as const;
const { folder, name } = assignmentHere();
const rows = new AppRows(folder, name);

export function isTheWorker(): void {
  process.env[pidVariable] = String(process.pid);
}

/** Many of them by one call. */
export const bulk: Task<Work> = task("verify-bulk", { retry: quickly, run: (input: Work, job) => run("bulk", input, job) });

/** Handed in by a transaction that wrote a row of the app's. */
export const within: Task<Work> = task("verify-within", { retry: quickly, run: (input: Work, job) => run("within", input, job) });

export const paced: Task<Work> = task("verify-paced", {
  limits: [{ starts: pacedStarts, every: pacedEvery }],
  retry: quickly,
  run: (input: Work, job) => run("paced", input, job),
});

export type Death = "exit" | "kill";
/** Kills the process that runs it. */
export const poison: Task<Work & { readonly how: Death }> = task("verify-poison", {
  retry: quickly,
  run: async ({ n, how }: Work & { readonly how: Death }, job) => {
    note("start", "poison", n, job);
    if (process.env[pidVariable] === String(process.pid)) {
      const now = machineMs();
      appendLine(path.join(folder, `${name}.died.ndjson`), { is: "fault", kind: "kill", on: name, from: now, to: now, by: "poison" } satisfies DiedLine);
    }
    if (how === "exit") process.exit(diesWithCode);
    process.kill(process.pid, "SIGKILL");
    await Promise.withResolvers<void>().promise;
  },
});

/** Does a row of the app's. */
export const restored: Task<Work> = task("verify-restored", {
  uniqueBy: "n",
  retry: quickly,
  unless: ({ n }: Work) => rows.isDone(n) && "done already",
  run: async (input: Work, job) => {
    await run("restored", input, job);
    rows.do(input.n);
  },
});

export const undone: Reconciliation = reconcile(restored, {
  name: restoredName,
  every: "5s",
  find: () => Promise.resolve(rows.undone().map((n) => ({ n, ms: 5 }))),
});

/** What an app is told of a job that died. */
export const alert = task("verify-alert", {
  retry: quickly,
  run: (_: { readonly jobId: string }, job) => run("alert", { n: job.id, ms: 0 }, job),
});
export const alerts: Subscription = when(jobDied, alert, { name: "verify-alerts" });
