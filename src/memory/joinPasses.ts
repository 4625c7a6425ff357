/** Bounded passes over joins: closing them, letting their members go, ending their members, and removing those whose storing was given up. */
import { stagedKeptMs } from "../core/defaults.ts";
import type { Instant } from "../core/runtime.ts";
import { isEnded } from "../core/states.ts";
import { judge } from "./after.ts";
import type { Held } from "./hold.ts";
import type { Job } from "./job.ts";
import { endedJoin } from "./join.ts";
import type { Join } from "./join.ts";
import { lookAtJob } from "./letGo.ts";
import { cancel, end } from "./life.ts";
import type { Store } from "./store.ts";

/** Answers how many closed. */
export function closeJoins(store: Store, limit: number, now: Instant): number {
  let closed = 0;
  for (const join of store.joins.toClose) {
    if (closed >= limit) break;
    store.joins.toClose.delete(join);
    if (!isClosable(join)) continue;
    close(store, join, now);
    closed += 1;
  }
  return closed;
}

/** A join whose own predecessor ended, that was sealed, or whose parent opened. */
export function lookAtJoin(store: Store, join: Join): void {
  if (join.state !== "waiting" || join.cancelled !== undefined || join.fate) return;
  const verdict = judge(store, join.after);
  if (verdict.is === "unmet") {
    join.fate = verdict.fate;
    store.joins.toEnd.add(join);
  } else if (verdict.is === "met" && (join.parent === undefined || join.parent.state === "open")) {
    store.afters.leave(join);
    join.state = "open";
    store.joins.toRelease.add(join);
  }
  if (join.live === 0) store.joins.toClose.add(join);
}

/** Answers how many members of open joins were let go. */
export function releaseMembers(store: Store, limit: number, now: Instant): number {
  let released = 0;
  for (const join of store.joins.toRelease) {
    for (let member = join.own.next(join.releasedTo); member; member = join.own.next(join.releasedTo)) {
      if (released >= limit) return released;
      join.releasedTo = member.seq;
      released += release(store, member, now);
    }
    store.joins.toRelease.delete(join);
  }
  return released;
}

/** Ends what joins held whose own predecessor ended otherwise than asked. Answers how many jobs. */
export function endMembers(store: Store, limit: number, now: Instant): number {
  let ended = 0;
  for (const join of store.joins.toEnd) {
    for (let member = join.own.next(join.endedTo); member; member = join.own.next(join.endedTo)) {
      if (ended >= limit) return ended;
      join.endedTo = member.seq;
      ended += endAs(store, member, join, now);
    }
    store.joins.toEnd.delete(join);
  }
  return ended;
}

/** Goes on with joins that were cancelled and have members left. Answers how many jobs were cancelled, or told so. */
export function cancelMembers(store: Store, limit: number, now: Instant): number {
  let cancelled = 0;
  for (const join of store.joins.toCancel) {
    for (let member = join.own.next(join.endedTo); member; member = join.own.next(join.endedTo)) {
      if (cancelled >= limit) return cancelled;
      join.endedTo = member.seq;
      if (member.kind === "job") cancelled += cancelMember(store, member, join, now);
    }
    for (const job of join.adopted) cancelled += cancelMember(store, job, join, now);
    store.joins.toCancel.delete(join);
  }
  return cancelled;
}

/** Removes joins that nobody went on storing, with their members. Answers how many jobs and joins that were. */
export function removeStaged(store: Store, limit: number, now: Instant): number {
  let removed = 0;
  for (let join = store.joins.staged.first(); join && join.touchedAt + stagedKeptMs <= now && removed < limit; join = store.joins.staged.first()) {
    // From here on it takes nothing more, though its removal may need several passes.
    join.isAbandoned = true;
    removed += removeJoin(store, join, limit - removed, now);
  }
  return removed;
}

/** Members of closed joins are kept as long as they say, from the closing on. */
export function retainMembers(store: Store, limit: number): number {
  let retained = 0;
  for (const join of store.joins.toRetain) {
    for (const job of join.kept) {
      if (retained >= limit) return retained;
      join.kept.delete(job);
      store.retain(job);
      retained += 1;
    }
    store.joins.toRetain.delete(join);
  }
  return retained;
}

function isClosable(join: Join): boolean {
  return join.state !== "closed" && join.live === 0 && (join.state === "open" || join.cancelled !== undefined || join.fate !== undefined);
}

function close(store: Store, join: Join, now: Instant): void {
  const { joins, afters } = store;
  afters.leave(join);
  joins.staged.remove(join);
  join.state = "closed";
  join.closedAt = now;
  for (const pending of [joins.toRelease, joins.toEnd]) pending.delete(join);
  if (join.kept.size > 0) joins.toRetain.add(join);
  if (join.parent) joins.recount(join.parent, undefined, endedJoin(join));
  afters.mark(join);
  store.unname(join);
  store.retainJoin(join);
}

function release(store: Store, member: Held, now: Instant): number {
  if (member.kind === "join") {
    store.afters.lookAt(member);
    return 1;
  }
  if (member.hold?.isByJoin !== true) return 0;
  member.hold.isByJoin = false;
  lookAtJob(store, member, now);
  return 1;
}

function endAs(store: Store, member: Held, { fate }: Join, now: Instant): number {
  if (fate === undefined) return 0;
  if (member.kind === "join") {
    if (member.state === "closed") return 0;
    member.fate ??= fate;
    store.joins.toEnd.add(member);
    if (member.live === 0) store.joins.toClose.add(member);
    return 0;
  }
  if (member.hold === undefined) return 0;
  end(store, member, fate.is, { reason: fate.reason }, now);
  return 1;
}

function cancelMember(store: Store, job: Job, { cancelled: reason }: Join, now: Instant): number {
  if (isEnded(job.state) || job.lease?.isCancelling === true) return 0;
  cancel(store, job, reason ?? "", now);
  return 1;
}

/** Members first, depth first; the join itself when none is left. */
function removeJoin(store: Store, join: Join, limit: number, now: Instant): number {
  let removed = 0;
  for (let member = join.own.next(0); member; member = join.own.next(0)) {
    if (removed >= limit) return removed;
    if (member.kind === "join") removed += removeJoin(store, member, limit - removed, now);
    else removed += removeMember(store, member, join, now);
  }
  for (const job of join.adopted) {
    store.leaveJoin(job, join);
    store.retain(job);
  }
  if (join.state !== "closed") {
    store.afters.leave(join);
    store.unname(join);
    if (join.parent) store.joins.recount(join.parent, undefined, "badly");
    store.afters.markGone(join);
  }
  store.joins.remove(join);
  return removed + 1;
}

function removeMember(store: Store, job: Job, { name, id }: Join, now: Instant): number {
  if (!isEnded(job.state)) {
    end(store, job, "cancelled", { reason: `not started: the rest of ${name} ${id} was never stored` }, now);
    store.afters.markGone(job);
  }
  store.remove(job);
  return 1;
}
