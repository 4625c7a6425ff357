/** Ready work, line by line, merged by urgency as far as it is asked for (G8). */
import type { Claim } from "../core/engine.ts";
import { Heap } from "./heap.ts";
import { flags } from "./job.ts";
import type { Line } from "./lines.ts";
import type { Transaction } from "./transaction.ts";

export interface Chosen {
  readonly line: Line;
  /** How it stands in errand_ready: negative for one that must run alone. */
  readonly place: number;
  readonly urgency: number;
  readonly seq: number;
  readonly flags: number;
}

type Head = [urgency: number, seq: number, flags: number];

/** By primary key. */
const nextReady = "SELECT urgency, seq, flags FROM errand_ready WHERE line = ? AND (urgency, seq) > (?, ?) ORDER BY urgency, seq LIMIT ?";
const anyReady = "SELECT 1 FROM errand_ready WHERE line = ? LIMIT 1";
const anyAlone = "SELECT 1 FROM errand_ready WHERE line < 0 LIMIT 1";
/** By rowid. */
const startByOf = "SELECT start_by FROM errand_jobs WHERE seq = ? AND starts = 0";

/** Those of the lines where a twice suspect job waits. */
export function aloneLines(tx: Transaction, lines: readonly Line[]): Line[] {
  if (lines.length === 0 || tx.sql.value(anyAlone) === undefined) return [];
  return lines.filter(({ id }) => tx.sql.value(anyReady, -id) !== undefined);
}

/** Those of the lines where a job waits that may run beside others. */
export function togetherLines(tx: Transaction, lines: readonly Line[]): readonly Line[] {
  if (lines.length === 0 || tx.sql.value(anyAlone) === undefined) return lines;
  return lines.filter(({ id }) => tx.sql.value(anyReady, id) !== undefined);
}

/** A queue that is asked for, with its lines that are not paused. */
export interface OpenQueue {
  readonly slots: number;
  readonly ahead: number;
  readonly lines: readonly Line[];
}

/** The heads of all lines compete, `most` of them win in all; a queue is full, or stops before the first job with a lane once its slots are filled. */
export function chooseMostUrgent(tx: Transaction, queues: readonly OpenQueue[], alone: Claim["alone"], most: number): Chosen[] {
  const chosen: Chosen[] = [];
  const contenders = queues.flatMap((queue) => contendersOf(tx, queue, alone));
  const heap = new Heap(
    contenders.filter(({ head }) => head !== undefined),
    isMoreUrgent,
  );
  for (let best = heap.first; best?.head && chosen.length < most; best = heap.first) {
    const { head, queue } = best;
    if (!mayTake(tx, queue, head)) {
      queue.room = 0;
      heap.removeFirst();
      continue;
    }
    chosen.push({ line: best.line, place: best.place, urgency: head[0], seq: head[1], flags: head[2] });
    queue.taken += 1;
    queue.room -= 1;
    best.advance();
    // When no more is wanted, nothing more is read.
    if (queue.room === 0 || chosen.length === most || best.head === undefined) heap.removeFirst();
    else heap.sinkFirst();
  }
  return chosen;
}

interface Taking {
  readonly slots: number;
  taken: number;
  room: number;
}

function contendersOf(tx: Transaction, { slots, ahead, lines }: OpenQueue, alone: Claim["alone"]): Cursor[] {
  const room = alone === "only" ? Math.min(1, slots) : slots + ahead;
  if (room <= 0 || lines.length === 0) return [];
  const queue: Taking = { slots, taken: 0, room };
  return lines.map((line) => new Cursor(tx, line, queue, alone === "only" ? -line.id : line.id, Math.ceil(room / lines.length)));
}

/** Reads a line in pieces, so that what is read is in proportion to what is taken. */
class Cursor {
  readonly line: Line;
  readonly queue: Taking;
  readonly place: number;
  readonly #tx: Transaction;
  #piece: number;
  #heads: Head[] = [];
  #at = 0;
  #isAtEnd = false;

  constructor(tx: Transaction, line: Line, queue: Taking, place: number, piece: number) {
    this.#tx = tx;
    this.line = line;
    this.queue = queue;
    this.place = place;
    this.#piece = piece;
    this.#read(Number.MIN_SAFE_INTEGER, 0);
  }

  /** Reads on only when it is asked for. */
  get head(): Head | undefined {
    const last = this.#heads.at(-1);
    if (this.#at === this.#heads.length && last && !this.#isAtEnd) this.#read(last[0], last[1]);
    return this.#heads[this.#at];
  }

  advance(): void {
    this.#at += 1;
  }

  #read(urgency: number, seq: number): void {
    this.#heads = this.#tx.sql.tuples<Head>(nextReady, this.place, urgency, seq, this.#piece);
    this.#at = 0;
    this.#isAtEnd = this.#heads.length < this.#piece;
    this.#piece *= 2;
  }
}

function isMoreUrgent({ head: a }: Cursor, { head: b }: Cursor): boolean {
  return a !== undefined && b !== undefined && (a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]));
}

/** Only jobs without a lane are held ready ahead. A late one here is beyond what one pass may skip: the next claim goes on with them. */
function mayTake(tx: Transaction, { slots, taken, room }: Taking, head: Head): boolean {
  const isOrdered = (head[2] & flags.hasLane) !== 0;
  return room > 0 && !(isOrdered && taken >= slots) && !isLate(tx, head);
}

function isLate(tx: Transaction, [, seq, flagged]: Head): boolean {
  return (flagged & flags.hasStartBy) !== 0 && (tx.sql.value<number>(startByOf, seq) ?? Infinity) < tx.now;
}
