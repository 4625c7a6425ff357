/** A join with those within it. */
import type { Job } from "./job.ts";
import { bySeq } from "./job.ts";
import type { Join } from "./join.ts";
import type { Store } from "./store.ts";

/** They take no members any more, and let none go. Their members are cancelled by the caller, and the rest by tidy. */
export function cancelJoins(store: Store, id: string, reason: string): void {
  const { joins } = store;
  for (const join of treeOf(store, id)) {
    if (join.state === "closed" || join.cancelled !== undefined) continue;
    join.cancelled = reason;
    joins.staged.remove(join);
    joins.toRelease.delete(join);
    joins.toCancel.add(join);
    if (join.live === 0) joins.toClose.add(join);
  }
}

/** Join by join in the order of storing, the members of each in theirs; a member of several once. */
export function* membersOf(store: Store, id: string): Generator<Job> {
  const seen = new Set<Job>();
  for (const join of treeOf(store, id)) {
    for (const job of [...membersInOrder(join)]) {
      if (!seen.has(job)) yield job;
      seen.add(job);
    }
  }
}

/** Its jobs in the order of enqueue, numbered above `seq`. */
export function membersInOrder(join: Join, seq: number = 0): Job[] {
  const own = [...join.own.after(seq)].flatMap((member) => (member.kind === "job" ? member : []));
  if (join.adopted.size === 0) return own;
  return [...own, ...[...join.adopted].filter((job) => job.seq > seq)].toSorted(bySeq);
}

function treeOf(store: Store, id: string): Join[] {
  const root = store.joins.find(id);
  const found = root ? [root] : [];
  for (const join of found) for (const member of join.own.after(0)) if (member.kind === "join") found.push(member);
  return found.toSorted((a, b) => a.seq - b.seq);
}
