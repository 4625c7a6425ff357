/** What a blocked job waits for: its join, what it comes after, a key limit, or its lane. */
import type { Waits } from "../core/engine.ts";
import { beforeJoined, endedOf } from "./after.ts";
import { flags, hasFlag } from "./job.ts";
import { joinStates } from "./join.ts";
import type { Join } from "./join.ts";
import { hasCome, ownJoinOf } from "./membership.ts";
import type { Transaction } from "./transaction.ts";

/** By rowid. */
const limitOf = "SELECT key FROM errand_key_waits WHERE seq = ?";
/** By primary key, then rowids: the first that is open, or else the first. */
const firstBefore = `SELECT at FROM (SELECT a.at, ${endedOf} AS ended FROM errand_after a ${beforeJoined} WHERE a.node = ?) ORDER BY ended > 0, at LIMIT 1`;
const nameAt = "SELECT extra ->> ('$.after[' || CAST(? AS INTEGER) || '].id') FROM errand_jobs WHERE seq = ?";

export function blockedBy(
  look: Transaction,
  job: { readonly seq: number; readonly flags: number; readonly lane: string | null },
): Pick<Waits, "reason" | "on"> {
  if (hasFlag(job, flags.isLimited)) return { reason: "limit", on: look.sql.value<string>(limitOf, job.seq) ?? "" };
  if (!hasFlag(job, flags.isHeld)) return { reason: "key", on: job.lane ?? "" };
  const own = ownJoinOf(look, job);
  if (own && isHeldBy(look, own, job.seq)) return { reason: "join", on: own.id };
  const at = look.sql.value<number>(firstBefore, job.seq) ?? 0;
  return { reason: "after", on: look.sql.value<string>(nameAt, at, job.seq) ?? "" };
}

/** It is not open; or it is, and has not come to this one yet. One that was let go by it before it was cancelled waits for the rest. */
function isHeldBy(look: Transaction, own: Join, seq: number): boolean {
  return own.state !== joinStates.open || (own.isCancelled === 0 && !hasCome(look, own, seq));
}
