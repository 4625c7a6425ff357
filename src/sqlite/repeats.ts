/** Works of an atom that is stored again, whose join has ended meanwhile: they would be new now, and are duplicates all the same. */
import type { NewWork } from "../core/engine.ts";
import { takesMembers } from "./join.ts";
import type { Transaction } from "./transaction.ts";

const none: ReadonlySet<NewWork> = new Set();

/** By errand_jobs_id. */
const jobKnown = "SELECT 1 FROM errand_jobs WHERE id = ?";

export function repeatsIn(tx: Transaction, works: readonly NewWork[]): ReadonlySet<NewWork> {
  const ended = new Set(works.flatMap(({ kind, id }) => (kind === "join" && hasEnded(tx, id) ? id : [])));
  if (ended.size === 0) return none;
  const repeats = new Set<NewWork>();
  for (const work of works) {
    if (work.kind === "event" || work.join === undefined || !ended.has(work.join) || isStored(tx, work)) continue;
    repeats.add(work);
    // What is in a join that would be new is a repeat too.
    if (work.kind === "join") ended.add(work.id);
  }
  return repeats;
}

function hasEnded(tx: Transaction, id: string): boolean {
  const join = tx.joins.find(tx.sql, id);
  return join !== undefined && !takesMembers(join);
}

function isStored(tx: Transaction, { kind, id }: NewWork): boolean {
  return kind === "job" ? tx.sql.value(jobKnown, id) !== undefined : tx.joins.find(tx.sql, id) !== undefined;
}
