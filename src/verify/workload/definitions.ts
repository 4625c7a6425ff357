/** The tasks of a fault run: every start and end is a line of the process's history, so that a killed process leaves its trace. */
import path from "node:path";
import { event, every, task, when, type DomainEvent, type Job, type Schedule, type Subscription, type Task } from "../../index.ts";
import { HistoryWriter, type JobKind, type RunLine } from "../history.ts";
import { sleep } from "../sleep.ts";
import { assignmentHere } from "./assignment.ts";
import { doomedAttempts, limitedTo, plainAttempts, retryFirstMs } from "./policies.ts";
import { everyOtherName, everySecondName } from "./slots.ts";

/** A job's own name, and how long it takes. */
export interface Work {
  readonly n: string;
  readonly ms: number;
}

/** What a premise is compared with: the record of a stale one has moved on. */
export const believed = { version: 1 } as const;
export const eventName = "verify.happened";

const { name, folder } = assignmentHere();
/** None in the process that leads the run, which runs no job. */
const history = name === undefined ? undefined : new HistoryWriter(path.join(folder, `${name}.jobs.ndjson`), name);

const quickly = { first: `${retryFirstMs}ms`, upTo: "1s" } as const;

export function note(is: RunLine["is"], kind: JobKind, n: string, job: Pick<Job, "id" | "fence" | "attempt">, checkpoint?: number): void {
  history?.write({ is, kind, n, job: job.id, fence: job.fence, attempt: job.attempt, ...(checkpoint !== undefined && { checkpoint }) });
}

/** Takes its time, unless it is told to stop. */
async function doing(kind: JobKind, n: string, job: Pick<Job, "id" | "fence" | "attempt" | "signal">, ms: number): Promise<void> {
  try {
    await sleep(ms, job.signal);
  } catch (error) {
    note("aborted", kind, n, job);
    throw error;
  }
}

export async function run(kind: JobKind, { n, ms }: Work, job: Pick<Job, "id" | "fence" | "attempt" | "signal">, fails = 0): Promise<void> {
  note("start", kind, n, job);
  await doing(kind, n, job, ms);
  if (job.attempt <= fails) {
    note("failed", kind, n, job);
    throw new Error("as planned");
  }
  note("end", kind, n, job);
}

export const plain: Task<Work & { readonly fails: number }> = task("verify-plain", {
  retry: { attempts: plainAttempts, ...quickly },
  run: (input: Work & { readonly fails: number }, job) => run("plain", input, job, input.fails),
});

/** Dies of its attempts; without a breaker, which would take it for a service that is down. */
export const doomed: Task<Work> = task("verify-doomed", {
  breaker: false,
  retry: { attempts: doomedAttempts, ...quickly },
  run: (input: Work, job) => run("doomed", input, job, doomedAttempts),
});

export const ordered: Task<Work & { readonly key: string; readonly fails: number }> = task("verify-ordered", {
  orderedBy: "key",
  retry: { attempts: plainAttempts, ...quickly },
  run: (input: Work & { readonly key: string; readonly fails: number }, job) => run("ordered", input, job, input.fails),
});

export const unique: Task<Work & { readonly key: string }> = task("verify-unique", {
  uniqueBy: "key",
  retry: quickly,
  run: (input: Work & { readonly key: string }, job) => run("unique", input, job),
});

export const limited: Task<Work> = task("verify-limited", {
  limits: [{ running: limitedTo }],
  retry: quickly,
  run: (input: Work, job) => run("limited", input, job),
});

/** Saves how far it came. */
export const long: Task<Work & { readonly steps: number }> = task("verify-long", {
  retry: quickly,
  run: async ({ n, ms, steps }: Work & { readonly steps: number }, job: Job<number>) => {
    note("start", "long", n, job, job.checkpoint ?? 0);
    for (let step = (job.checkpoint ?? 0) + 1; step <= steps; step++) {
      await doing("long", n, job, ms / steps);
      await job.save(step);
      note("saved", "long", n, job, step);
    }
    note("end", "long", n, job);
  },
});

export const premise: Task<Work & { readonly isStale: boolean }, { version: number }> = task("verify-premise", {
  retry: quickly,
  current: ({ isStale }: Work & { readonly isStale: boolean }) => ({ version: isStale ? believed.version + 1 : believed.version }),
  run: (input: Work & { readonly isStale: boolean }, job) => run("premise", input, job),
});

export const member: Task<Work> = task("verify-member", { retry: quickly, run: (input: Work, job) => run("member", input, job) });

export type Role = "succeeded" | "failed" | "ended";
export const callback: Task<Work & { readonly role: Role }> = task("verify-callback", {
  retry: quickly,
  run: (input: Work & { readonly role: Role }, job) => run("callback", { ...input, n: `${input.n}/${input.role}` }, job),
});

export const happened: DomainEvent<Work> = event<Work>(eventName);
const hop = (which: string): Task<Work> =>
  task(`verify-hop-${which}`, { retry: quickly, run: (input: Work, job) => run("hop", { ...input, n: `${input.n}/${which}` }, job) });
export const hopOne: Task<Work> = hop("one");
export const hopTwo: Task<Work> = hop("two");
export const subscriptionOne: Subscription = when(happened, hopOne, { name: "verify-one" });
export const subscriptionTwo: Subscription = when(happened, hopTwo, { name: "verify-two" });

const slot = task("verify-slot", {
  retry: quickly,
  run: ({ schedule }: { readonly schedule: string }, job) => run("slot", { n: `${schedule}/${job.slot?.getTime()}`, ms: 5 }, job),
});
export const everySecond: Schedule = every("1s", slot.with({ schedule: everySecondName }), { name: everySecondName, missed: "run-all" });
/** By cron. */
export const everyOther: Schedule = every("*/2 * * * * *", slot.with({ schedule: everyOtherName }), { name: everyOtherName, missed: "run-all" });
