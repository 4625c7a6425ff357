/** For any job, in a sentence: what it waits for and since when, or how it ended. */
import { inWords } from "./duration.ts";
import type { JobRow, ProcessRow } from "./engine.ts";
import type { Instant } from "./runtime.ts";

/** What the sentence needs beside the job. */
export interface Surroundings {
  readonly now: Instant;
  /** Why its queue or task is paused. */
  readonly paused: readonly string[];
  readonly processes: readonly ProcessRow[];
  /** Of a blocked job: the one ahead of it in its lane; of a parked one: the one that died (itself, where it did). */
  readonly ahead: JobRow | undefined;
}

export function whyOf(row: JobRow, around: Surroundings): string {
  const name = `job ${row.id} (${row.task})`;
  switch (row.state) {
    case "running":
      return `${name} ${runningWords(row, around)}`;
    case "completed":
    case "skipped":
    case "cancelled":
    case "dead":
      return `${name} ${endedWords(row, around)}`;
    default:
      return `${name} waits ${waitingWords(row, around)}${triedWords(row)}`;
  }
}

function runningWords(row: JobRow, { now }: Surroundings): string {
  if (row.claim === undefined) return "is running";
  const { process, startedAt, leaseUntil, isCancelling } = row.claim;
  const lease = leaseUntil < now ? `; its lease ended ${inWords(now - leaseUntil)} ago, so it will be taken back` : "";
  return `has been ${isCancelling ? "asked to stop, and still runs," : "running"} for ${inWords(now - startedAt)} in process ${process}${lease}`;
}

function endedWords(row: JobRow, { now }: Surroundings): string {
  const ended = row.endedAt === undefined ? "" : ` ${inWords(Math.max(0, now - row.endedAt))} ago`;
  const reason = row.reason === undefined ? "" : `: ${row.reason}`;
  const poison = row.isPoison ? " (it killed its process)" : "";
  return `${row.state === "dead" ? "died" : `was ${row.state}`}${ended}${poison}${reason}`;
}

function waitingWords(row: JobRow, around: Surroundings): string {
  const { waits } = row;
  if (waits === undefined) return "for a worker";
  const since = `, since ${inWords(Math.max(0, around.now - waits.since))}`;
  switch (waits.reason) {
    case "time":
    case "retry":
    case "snooze":
      return `${dueWords(row, around)} (${{ time: "it was delayed", retry: "to be tried again", snooze: `it was snoozed${snoozeWords(row)}` }[waits.reason]})`;
    case "key":
      return `behind ${around.ahead === undefined ? "others" : `job ${around.ahead.id}, which is ${around.ahead.state},`} of its key ${waits.on}${since}`;
    case "parked":
      return `${parkedWords(row, around)}${since}`;
    case "alone":
      return `for a worker that can run it alone: it was in flight in ${row.suspects} crashes${since}`;
    default:
      return workerWords(row, around, since);
  }
}

function parkedWords(row: JobRow, { ahead }: Surroundings): string {
  if (row.reason !== undefined) return `to be redriven: it died (${row.reason}), and its key ${row.lane} waits with it`;
  return ahead === undefined
    ? `to be redriven: its key ${row.lane} is parked`
    : `parked behind job ${ahead.id}, which died (${ahead.reason}), in its key ${row.lane}`;
}

function dueWords(row: JobRow, { now }: Surroundings): string {
  return row.dueAt <= now ? "to be picked up: it is due" : `until it is due in ${inWords(row.dueAt - now)}`;
}

function snoozeWords({ history }: JobRow): string {
  const last = history.at(-1);
  return last?.is === "snoozed" && last.reason !== undefined ? `: ${last.reason}` : "";
}

function workerWords(row: JobRow, { paused, processes, now }: Surroundings, since: string): string {
  if (paused.length > 0) return `because ${paused.join(" and ")}${since}`;
  const busy = processes.filter((process) => process.leaseUntil >= now && process.running > 0).length;
  const others = busy === 0 ? "no process is running a job now" : `${busy} ${busy === 1 ? "process is" : "processes are"} running jobs now`;
  return `for a free worker that serves queue ${row.queue} and knows ${row.task}${since}; ${others}`;
}

function triedWords(row: JobRow): string {
  const last = row.history.at(-1);
  if (row.attempts === 0 || last === undefined || row.state === "parked") return "";
  return `; ${row.attempts} ${row.attempts === 1 ? "attempt" : "attempts"} so far, the last one ended: ${last.error?.message ?? last.reason ?? last.is}`;
}
