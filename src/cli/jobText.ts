/** Jobs as text for people. */
import { inWords } from "../core/duration.ts";
import type { JobView } from "../index.ts";
import { realRuntime } from "../runtime/real.ts";
import { paint, plain } from "./output.ts";
import { table } from "./table.ts";

export function jobTable(jobs: readonly JobView[]): string {
  const now = realRuntime().now();
  return table(jobs, [
    { title: "id", of: (job) => job.id },
    { title: "task", of: (job) => job.task },
    { title: "queue", of: (job) => job.queue },
    { title: "state", of: (job) => job.state, style: (job) => styleOf(job.state) },
    { title: "attempts", of: (job) => job.attempts },
    { title: "enqueued", of: (job) => `${inWords(Math.max(0, now - job.enqueuedAt.getTime()))} ago` },
    { title: "note", of: (job) => job.reason ?? (job.waits === undefined ? "" : `waits: ${job.waits.reason}`) },
  ]);
}

export function jobDetails(job: JobView, why: string): string {
  const lines: [string, string | undefined][] = [
    ["job", job.id],
    ["task", job.task],
    ["queue", job.queue],
    ["state", paint(styleOf(job.state) ?? "reset", job.state)],
    ["why", plain(why)],
    ["input", plain(JSON.stringify(job.input))],
    ["enqueued", job.enqueuedAt.toISOString()],
    ["due", job.dueAt.toISOString()],
    ["ended", job.endedAt?.toISOString()],
    ["ordered by", job.orderedBy],
    ["unique by", job.uniqueBy],
    ["from", job.from && `${job.from.event} ${job.from.eventId} by ${job.from.subscription}`],
    ["attempts", `${job.attempts} (${job.starts} starts${job.suspects > 0 ? `, in flight in ${job.suspects} crashes` : ""})`],
  ];
  const shown = lines.filter(([, value]) => value !== undefined).map(([name, value]) => `${paint("dim", name.padEnd(11))} ${value}`);
  return [...shown, ...historyLines(job)].join("\n");
}

function historyLines(job: JobView): string[] {
  if (job.history.length === 0) return [];
  const rows = table(job.history, [
    { title: "start", of: (attempt) => attempt.start },
    { title: "at", of: (attempt) => attempt.at.toISOString() },
    { title: "ended", of: (attempt) => attempt.is },
    { title: "ran", of: (attempt) => (attempt.ranMs === undefined ? "" : inWords(Math.round(attempt.ranMs))) },
    { title: "why", of: (attempt) => attempt.error?.message ?? attempt.reason ?? "" },
  ]);
  return ["", rows];
}

function styleOf(state: JobView["state"]): "red" | "green" | "cyan" | "yellow" | undefined {
  switch (state) {
    case "dead":
    case "parked":
      return "red";
    case "completed":
      return "green";
    case "running":
      return "cyan";
    case "scheduled":
    case "blocked":
      return "yellow";
    default:
      return undefined;
  }
}
