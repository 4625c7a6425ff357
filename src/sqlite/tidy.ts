/** One bounded pass of housekeeping. Each reason has its own budget of `items`. */
import type { Tidied, Tidy } from "../core/engine.ts";
import { aftermath, isAnyPassLeft, resumePasses } from "./aftermath.ts";
import { firstDeadlineAt, firstDueAt, promote, skipLateOnes } from "./due.ts";
import { expire, isAnyExpired } from "./expire.ts";
import { removeLeftovers } from "./joinRetention.ts";
import { firstFreeAt, forgetEndedStarts, isAnyStartOver, noteFreed } from "./keyLimit.ts";
import { isAnyLaneMarked, sortMembers } from "./lanePasses.ts";
import { isReplaying, replay } from "./replay.ts";
import { isAnyPurgeDue, purge, purgeGivenUp } from "./retention.ts";
import type { Transaction } from "./transaction.ts";

/** Looks first, without the write lock: idle writes nothing. */
export function isTidy(look: Transaction, { mayExpire, expireUntil = Number.POSITIVE_INFINITY }: Tidy): boolean {
  return (
    (firstDueAt(look.sql) ?? Infinity) > look.now &&
    (firstDeadlineAt(look.sql) ?? Infinity) >= look.now &&
    !(mayExpire && isAnyExpired(look.sql, Math.min(look.now, expireUntil))) &&
    !isAnyLaneMarked(look.sql) &&
    !isAnyPassLeft(look.sql) &&
    (firstFreeAt(look.sql) ?? Infinity) > look.now &&
    !isAnyStartOver(look.sql, look.now) &&
    !isReplaying(look) &&
    !isAnyPurgeDue(look.sql, look.now)
  );
}

export function nothingTidied(look: Transaction): Tidied {
  return {
    now: look.now,
    promoted: 0,
    skipped: 0,
    takenBack: 0,
    quarantined: 0,
    parked: 0,
    admitted: 0,
    released: 0,
    closed: 0,
    dropped: 0,
    replayed: 0,
    purged: 0,
    hasMore: false,
  };
}

export function tidy(tx: Transaction, { items, mayExpire, expireUntil = Number.POSITIVE_INFINITY }: Tidy): Tidied {
  skipLateOnes(tx, items);
  const promoted = promote(tx, items);
  const expired = mayExpire ? expire(tx, items, Math.min(tx.now, expireUntil)) : { takenBack: 0, quarantined: 0, hasMore: false };
  const sorted = sortMembers(tx, items);
  const hasMoreStarts = forgetEndedStarts(tx, items);
  noteFreed(tx, items);
  resumePasses(tx, items);
  const { replayed, hasMore: hasMoreReplays } = replay(tx, items);
  tx.writePurges();
  const { purged: purgedBefore, hasMore: hasMorePurges } = purge(tx, items);
  const left = removeLeftovers(tx, items);
  aftermath(tx, items);
  const purged = purgedBefore + purgeGivenUp(tx, items);
  const { skipped } = tx;
  const { released, closed, dropped, hasLeft } = tx.ties;
  const admitted = tx.admitted + tx.keys.given;
  const isFull = [promoted, skipped, left, released, closed, dropped, admitted].some((count) => count >= items);
  return {
    now: tx.now,
    promoted,
    skipped,
    takenBack: expired.takenBack,
    quarantined: expired.quarantined,
    parked: sorted.parked,
    admitted,
    released,
    closed,
    dropped,
    replayed,
    purged,
    hasMore: isFull || hasLeft || hasMoreStarts || expired.hasMore || sorted.hasMore || hasMoreReplays || hasMorePurges,
  };
}
