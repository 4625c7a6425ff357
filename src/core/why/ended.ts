/** How a job ended. */
import type { JobRow } from "../engine.ts";
import type { Instant } from "../runtime.ts";
import { agoWords } from "./words.ts";

export function endedWords(row: JobRow, now: Instant): string {
  const ended = row.endedAt === undefined ? "" : ` ${agoWords(row.endedAt, now)} ago`;
  const reason = row.reason === undefined ? "" : `: ${row.reason}`;
  const poison = row.isPoison ? " (it killed its process)" : "";
  return `${row.state === "dead" ? "died" : `was ${row.state}`}${ended}${poison}${reason}`;
}
