/** For any job or batch, in a sentence: what it waits for, since when, and when it is expected to run; or how it ended. */
import type { JobRow, JoinRow } from "../engine.ts";
import { isEnded } from "../states.ts";
import { whyBatch } from "./batch.ts";
import { endedWords } from "./ended.ts";
import type { Look } from "./look.ts";
import { reasonOf } from "./reasons.ts";
import { runningWords } from "./running.ts";
import { sinceWords } from "./words.ts";

/** Undefined: no job and no batch has this id. */
export async function why(id: string, look: Look): Promise<string | undefined> {
  const row = await look.job(id);
  if (row !== undefined) return whyJob(row, look);
  const join = await look.join(id);
  return join && whyJoin(join, look);
}

async function whyJob(row: JobRow, look: Look): Promise<string> {
  const name = `job ${row.id} (${row.task})`;
  if (isEnded(row.state)) return `${name} ${endedWords(row, look.now)}`;
  if (row.state === "running") return `${name} ${runningWords(row, look.now)}`;
  const { waits, expected } = await reasonOf(row, look);
  const since = row.waits === undefined ? "" : sinceWords(row.waits.since, look.now);
  return [`${name} waits ${waits}${since}`, expected, triedWords(row)].filter((part) => part !== undefined).join("; ");
}

function whyJoin(join: JoinRow, look: Look): Promise<string> {
  return whyBatch(join, look);
}

function triedWords({ attempts, history, state }: JobRow): string | undefined {
  const last = history.findLast(({ is }) => is !== "snoozed"); // no attempt, and told of by what it waits for
  if (attempts === 0 || last === undefined || state === "parked") return undefined;
  return `${attempts} ${attempts === 1 ? "attempt" : "attempts"} so far, the last one ended: ${last.error?.message ?? last.reason ?? last.is}`;
}
