/** How a batch or chain stands. */
import type { JobRow, JoinRow } from "../engine.ts";
import { jobStates } from "../states.ts";
import type { Look } from "./look.ts";
import { closedWords } from "./notOpened.ts";
import { joinWords, progressWords } from "./progress.ts";
import { agoWords, counted, sinceWords } from "./words.ts";

export async function whyBatch(join: JoinRow, look: Look): Promise<string> {
  const { state, isCancelled, storedAt } = join;
  const name = `${joinWords(join)}${isCancelled ? " was cancelled, and" : ""}`;
  switch (state) {
    case "staged":
      return `${name} waits to be complete: it is still being stored, with ${counted(join.members, "member")} so far${sinceWords(storedAt, look.now)}`;
    case "waiting":
      return `${name} waits ${await closedWords(join, look)}${sinceWords(storedAt, look.now)}`;
    case "open":
      return `${name} is under way${sinceWords(storedAt, look.now)}: ${progressWords(join)}${await firstWords(join, look, "live")}`;
    case "closed":
      return `${name} ${await closedAs(join, look)}`;
  }
}

async function closedAs(join: JoinRow, look: Look): Promise<string> {
  const ended = join.closedAt === undefined ? "" : ` ${agoWords(join.closedAt, look.now)} ago`;
  if (join.failed === 0) return `succeeded${ended}: ${counted(join.members, "member")}`;
  return `failed${ended}: ${join.failed.toLocaleString("en-US")} of ${counted(join.members, "member")} ended badly${await firstWords(join, look, "failed")}`;
}

const failed = ["dead", "cancelled", "parked"] as const;
const live = jobStates.filter((state) => ["running", "ready", "scheduled", "blocked"].includes(state));

/** The first that still lives, or that failed. */
async function firstWords(join: JoinRow, look: Look, which: "live" | "failed"): Promise<string> {
  const [row] = await look.jobs({ join: join.id, states: which === "live" ? live : failed }, 1);
  if (row === undefined) return "";
  const job = `job ${row.id} (${row.task}), which is ${row.state}`;
  return which === "live" ? `, and the first that has not is ${job}` : `, first of them ${job}${reasonWords(row)}`;
}

function reasonWords({ reason }: JobRow): string {
  return reason === undefined ? "" : ` (${reason})`;
}
