/** Batches and chains, as explanations tell of them. */
import type { JoinRow } from "../engine.ts";
import { counted } from "./words.ts";

/** "batch 9", or by a name of its own: "month close 9". */
export function joinWords({ id, name }: Pick<JoinRow, "id" | "name">): string {
  return `${name} ${id}`;
}

/** "120 of 500 members have ended, 3 of them badly" */
export function progressWords({ members, live, failed }: JoinRow): string {
  const badly = failed === 0 ? "" : `, ${failed.toLocaleString("en-US")} of them badly`;
  return `${(members - live).toLocaleString("en-US")} of ${counted(members, "member has", "members have")} ended${badly}`;
}
