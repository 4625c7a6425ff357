/** Ready work, line by line, merged by urgency as far as it is asked for (G8). */
import type { Claim } from "../core/engine.ts";
import { contestOf } from "./contest.ts";
import { Cursor } from "./cursor.ts";
import type { Contender, Head, OpenLine, Taking } from "./cursor.ts";
import { FreshCursor, Turns } from "./fresh.ts";
import { followersOf } from "./inRow.ts";
import type { Follower } from "./inRow.ts";
import { flags } from "./job.ts";
import type { Line } from "./lines.ts";
import { alonePlace, anyAlone, anyTried, isTriedPlace, triedPlace } from "./readyPlace.ts";
import type { Room } from "./room.ts";
import type { Transaction } from "./transaction.ts";

export interface Chosen {
  readonly line: Line;
  /** How it stands in errand_ready. */
  readonly place: number;
  readonly urgency: number;
  readonly seq: number;
  readonly flags: number;
  /** It may stand anywhere in its line. */
  readonly isListed: boolean;
  /** Members of its lane that are handed out in a row behind it. */
  readonly followers: readonly Follower[];
}

/** By primary key. */
const anyReady = "SELECT 1 FROM errand_ready WHERE line = ? LIMIT 1";
/** By rowid. */
const startByOf = "SELECT start_by FROM errand_jobs WHERE seq = ? AND starts = 0";

/** Those of the lines where a twice suspect job waits. */
export function aloneLines(tx: Transaction, lines: readonly Line[]): Line[] {
  if (lines.length === 0 || tx.sql.value(anyAlone) === undefined) return [];
  return lines.filter(({ id }) => tx.sql.value(anyReady, alonePlace(id)) !== undefined);
}

/** Those of the lines where a job waits that may run beside others, and may go by what is left for retries. */
export function togetherLines(tx: Transaction, lines: readonly Line[], room: Room): readonly Line[] {
  if (lines.length === 0) return lines;
  const isAnyTried = tx.sql.value(anyTried) !== undefined;
  if (!isAnyTried && tx.sql.value(anyAlone) === undefined) return lines;
  const isAnyAt = (place: number): boolean => tx.sql.value(anyReady, place) !== undefined;
  return lines.filter(({ id, task }) => isAnyAt(id) || (isAnyTried && room.retriesLeftOf(task) > 0 && isAnyAt(triedPlace(id))));
}

/** A queue that is asked for, with its lines that are not paused. */
export interface OpenQueue {
  readonly slots: number;
  readonly ahead: number;
  readonly lines: readonly Line[];
}

export interface Choice extends Pick<Claim, "alone"> {
  readonly queues: readonly OpenQueue[];
  /** In all. */
  readonly most: number;
  readonly inRow: number;
  readonly room: Room;
}

/**
 * The heads of all lines compete, `most` of them win in all. A queue is full, or stops before the first job with a lane or a gate once its slots are filled;
 * a task whose terms leave no room is passed over.
 */
export function chooseMostUrgent(tx: Transaction, choice: Choice): Chosen[] {
  const chosen: Chosen[] = [];
  const contest = contestOf(contendersOf(tx, choice));
  let left = choice.most;
  for (let best = contest.first; best?.head && left > 0; best = contest.first) {
    const { head, queue, line, place, isListed } = best;
    // Those that were tried before are passed over once enough of them are handed out: their queue goes on.
    if ((isTriedPlace(place) && choice.room.retriesLeftOf(line.task) < 1) || !mayTake(tx, best, head, choice.room)) {
      contest.removeFirst();
      continue;
    }
    if (queue.slots > 0) queue.slots -= 1;
    else queue.ahead -= 1;
    choice.room.take(line.task);
    if (isTriedPlace(place)) choice.room.takeRetry(line.task);
    const followers = rowBehind(tx, best, head, choice, left - 1);
    chosen.push({ line, place, urgency: head[0], seq: head[1], flags: head[2], isListed, followers });
    left -= 1 + followers.length;
    best.advance(followers.length);
    // When no more is wanted, nothing more is read.
    if (isFull(queue) || left === 0) contest.removeFirst();
    else contest.goOn();
  }
  return chosen;
}

function contendersOf(tx: Transaction, { queues, alone, room, inRow }: Choice): Contender[] {
  const turns = new Map<string, Turns>();
  const placesOf = placesWhere(alone, alone === "no" && tx.sql.value(anyTried) !== undefined);
  return queues.flatMap(({ slots, ahead, lines }) => {
    const queue: Taking = alone === "only" ? { slots: Math.min(1, slots), ahead: 0 } : { slots: Math.max(0, slots), ahead: Math.max(0, ahead) };
    if (isFull(queue)) return [];
    // Where there are rows, fewer heads are taken: whatever is wanted beyond them is read on.
    const piece = Math.ceil((queue.slots + queue.ahead) / lines.length / Math.max(1, inRow));
    return lines.flatMap((line) => placesOf(line).map((place) => contenderOf(tx, { line, queue, place }, piece, room, turns)));
  });
}

function placesWhere(alone: Claim["alone"], isAnyTried: boolean): (line: Line) => readonly number[] {
  if (alone === "only") return ({ id }) => [alonePlace(id)];
  return isAnyTried ? ({ id }) => [id, triedPlace(id)] : ({ id }) => [id];
}

function contenderOf(tx: Transaction, open: OpenLine, piece: number, room: Room, turns: Map<string, Turns>): Contender {
  const { task } = open.line;
  const freshFrom = room.termsOf(task)?.freshFrom;
  if (freshFrom === undefined) return new Cursor(tx, open, piece);
  const ofTask = turns.get(task) ?? new Turns();
  turns.set(task, ofTask);
  return new FreshCursor(tx, open, piece, freshFrom, ofTask, room);
}

function isFull({ slots, ahead }: Taking): boolean {
  return slots + ahead <= 0;
}

/** Only jobs without a lane or a gate are held ahead. A late one here is beyond what one pass may skip: the next claim goes on with them. */
function mayTake(tx: Transaction, { queue, line }: Contender, head: Head, room: Room): boolean {
  if (isFull(queue) || room.leftOf(line.task) < 1) return false;
  const isBound = (head[2] & flags.hasLane) !== 0 || room.isGated(line.task);
  const may = !(isBound && queue.slots === 0) && !isLate(tx, head);
  if (!may) Object.assign(queue, { slots: 0, ahead: 0 });
  return may;
}

function isLate(tx: Transaction, [, seq, flagged]: Head): boolean {
  return (flagged & flags.hasStartBy) !== 0 && (tx.sql.value<number>(startByOf, seq) ?? Infinity) < tx.now;
}

const nobody: readonly Follower[] = [];

/** They use up what may be held ahead. */
function rowBehind(tx: Transaction, { queue, line }: Contender, head: Head, { alone, inRow, room }: Choice, left: number): readonly Follower[] {
  if (inRow <= 1 || alone === "only" || (head[2] & flags.hasLane) === 0 || room.isGated(line.task) || room.boundsRetries(line.task)) return nobody;
  const most = Math.min(inRow - 1, queue.ahead, left, room.leftOf(line.task));
  const followers = most > 0 ? followersOf(tx, head[1], most) : nobody;
  queue.ahead -= followers.length;
  room.take(line.task, followers.length);
  return followers;
}
