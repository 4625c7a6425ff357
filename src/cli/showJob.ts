/** `errand jobs show`: one job, with all that a person asks about it. */
import { inWords } from "../core/duration.ts";
import type { JobView } from "../index.ts";
import { usage, type Arguments } from "./arguments.ts";
import { factLines, nameWidth } from "./facts.ts";
import { jobJson } from "./jobJson.ts";
import { paint, remark, say, terminalWidth } from "./output.ts";
import { indented, plain, plainJson } from "./plain.ts";
import { styleOfState } from "./stateStyle.ts";
import type { OpenStore } from "./store.ts";
import { table } from "./table.ts";
import { cut } from "./textWidth.ts";

/** On a terminal. */
const inputLinesMax = 6;
const stackLinesMax = 12;
/** Where this very build stands. */
const errandFolder = new URL("..", import.meta.url).href;

export async function showJob({ work }: OpenStore, given: Arguments, id: string | undefined): Promise<number> {
  if (id === undefined) throw usage("jobs show takes an id, as errand jobs list tells it");
  const job = await work.find(id);
  if (job === undefined) {
    remark(`no job has the id ${plain(id)}, or its retention has passed`);
    return 3;
  }
  const why = await work.why(id);
  say(given.has("json") ? plainJson({ ...jobJson(job), why }) : [facts(job, why), ...attempts(job)].join("\n"));
  return 0;
}

function facts(job: JobView, why: string): string {
  return factLines([
    ["job", job.id],
    ["task", job.task],
    ["queue", job.queue],
    ["state", stateWords(job)],
    ["why", plain(why.replace(`job ${job.id} (${job.task}) `, ""))],
    ["input", jsonText(job.input)],
    ["expecting", job.expecting === undefined ? undefined : jsonText(job.expecting)],
    ["version", job.version?.toString()],
    ["batch", job.batch && `${plain(job.batch)} (errand batches show tells of it)`],
    ["after", job.after.length === 0 ? undefined : job.after.map(afterText).join(", ")],
    ["slot", job.slotAt?.toISOString()],
    ["enqueued", job.enqueuedAt.toISOString()],
    ["due", job.dueAt.toISOString()],
    ["start by", job.startBy?.toISOString()],
    ["ended", job.endedAt?.toISOString()],
    ["ordered by", job.orderedBy && plain(job.orderedBy)],
    ["unique by", job.uniqueBy && plain(job.uniqueBy)],
    ["from", job.from && `${job.from.event} ${job.from.eventId}, by ${job.from.subscription}`],
    ["attempts", attemptsText(job)],
    ["checkpoint", job.checkpointBytes === undefined ? undefined : bytesText(job.checkpointBytes)],
    ["result", job.result === undefined ? undefined : resultText(job.result)],
  ]);
}

function stateWords(job: JobView): string {
  const style = styleOfState(job.state);
  const painted = style === undefined ? job.state : paint(style, job.state);
  return job.isPoison ? `${painted}, poison: it killed its process` : painted;
}

function jsonText(value: unknown): string {
  const text = plain(JSON.stringify(value));
  const width = terminalWidth();
  if (width === undefined) return text;
  const shown = cut(text, (width - nameWidth - 2) * inputLinesMax);
  return shown === text ? text : `${shown} (--json has all)`;
}

/** "well" is what is meant without a word. */
function afterText({ id, when }: JobView["after"][number]): string {
  return `${plain(id)}${when === "well" ? "" : ` (${when === "badly" ? "if it fails" : "however it ends"})`}`;
}

function resultText(result: unknown): string {
  return `${bytesText(Buffer.byteLength(JSON.stringify(result)))}: ${jsonText(result)}`;
}

function bytesText(bytes: number): string {
  return `${bytes.toLocaleString("en-US")} ${bytes === 1 ? "byte" : "bytes"}`;
}

function attemptsText({ attempts, starts, suspects }: JobView): string {
  const crashes = suspects > 0 ? `, in flight at ${suspects} ${suspects === 1 ? "crash" : "crashes"}` : "";
  return `${attempts} (${starts} ${starts === 1 ? "start" : "starts"}${crashes})`;
}

function attempts(job: JobView): readonly string[] {
  if (job.history.length === 0) return [];
  const rows = table(job.history, [
    { title: "start", of: (attempt) => attempt.start },
    { title: "at", of: (attempt) => attempt.at.toISOString() },
    { title: "ended", of: (attempt) => attempt.is },
    { title: "ran", of: (attempt) => (attempt.ranMs === undefined ? "" : inWords(Math.round(attempt.ranMs))) },
    { title: "why", of: (attempt) => attempt.error?.message ?? attempt.reason ?? "", isFree: true },
  ]);
  return ["", rows, ...lastError(job)];
}

/** Where it happened, for the job's author. */
function lastError(job: JobView): readonly string[] {
  const error = job.history.at(-1)?.error;
  if (error === undefined) return [];
  const code = error.code === undefined ? "" : ` (${error.code})`;
  return ["", paint("dim", `last error${code}`), indented(withoutErrand(error.stack ?? `${error.name}: ${error.message}`), stackLinesMax)];
}

/** Up to the frames that are alike in every stack. */
function withoutErrand(stack: string): string {
  const lines = stack.split("\n");
  const own = lines.findIndex((line) => line.trimStart().startsWith("at ") && line.includes(errandFolder));
  return own === -1 ? stack : lines.slice(0, own).join("\n");
}
