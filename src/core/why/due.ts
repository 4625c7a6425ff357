/** It is due later: delayed, to be tried again, or snoozed. */
import type { JobRow } from "../engine.ts";
import type { Explain } from "./reason.ts";
import { inWordsAt } from "./words.ts";

export const due: Explain = (row, { reason }, { now }) => {
  const because = reason === "retry" ? "to be tried again" : reason === "snooze" ? `it was snoozed${snoozeWords(row)}` : cause(row);
  return { waits: `${row.dueAt <= now ? "to be picked up: it is due" : `until it is due ${inWordsAt(row.dueAt, now)}`} (${because})` };
};

function cause({ slotAt }: JobRow): string {
  return slotAt === undefined ? "it was delayed" : `its schedule's slot of ${new Date(slotAt).toISOString()}`;
}

function snoozeWords({ history }: JobRow): string {
  const last = history.at(-1);
  return last?.is === "snoozed" && last.reason !== undefined ? `: ${last.reason}` : "";
}
