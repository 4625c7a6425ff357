/** A join with those within it. */
import type { Job } from "./job.ts";
import { bySeq } from "./job.ts";
import type { Join } from "./join.ts";
import type { Store } from "./store.ts";

/** They take no members any more, and let none go. */
export function cancelJoins(store: Store, id: string, reason: string): void {
  const { joins } = store;
  for (const join of treeOf(store, id)) {
    if (join.state === "closed" || join.cancelled !== undefined) continue;
    join.cancelled = reason;
    joins.staged.remove(join);
    joins.toRelease.delete(join);
    if (join.live === 0) joins.toClose.add(join);
  }
}

/** Members that the caller did not come to are cancelled by tidy, also those that are parked when their join has closed. */
export function leaveToCancel(store: Store, id: string, hasMore: boolean): void {
  const { toCancel } = store.joins;
  for (const join of treeOf(store, id)) {
    if (!hasMore || join.cancelled === undefined) {
      toCancel.delete(join);
    } else {
      join.endedTo = 0;
      toCancel.add(join);
    }
  }
}

/** Join by join in the order of storing, the members of each in theirs; a member of several once. */
export function* membersOf(store: Store, id: string): Generator<Job> {
  const tree = treeOf(store, id);
  for (const [place, join] of tree.entries()) {
    for (const job of membersInOrder(join)) {
      const isSeen = job.joins.length > 1 && tree.slice(0, place).some((earlier) => job.joins.includes(earlier));
      if (!isSeen) yield job;
    }
  }
}

/** Its jobs in the order of enqueue, numbered above `seq`. */
export function* membersInOrder(join: Join, seq: number = 0): Generator<Job> {
  const adopted = [...join.adopted].filter((job) => job.seq > seq).toSorted(bySeq);
  let next = 0;
  for (const member of join.own.after(seq)) {
    for (let earlier = adopted[next]; earlier && earlier.seq < member.seq; earlier = adopted[next]) {
      yield earlier;
      next += 1;
    }
    if (member.kind === "job") yield member;
  }
  yield* adopted.slice(next);
}

function treeOf(store: Store, id: string): Join[] {
  const root = store.joins.find(id);
  const found = root ? [root] : [];
  for (const join of found) for (const member of join.own.after(0)) if (member.kind === "join") found.push(member);
  return found.toSorted((a, b) => a.seq - b.seq);
}
