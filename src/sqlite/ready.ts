/** Ready work, line by line, merged by urgency as far as it is asked for (G8). */
import type { Claim } from "../core/engine.ts";
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

/** At most `room`; stops before the first job with a lane once there are `slots`. */
export function chooseMostUrgent(tx: Transaction, lines: readonly Line[], alone: Claim["alone"], room: number, slots: number): Chosen[] {
  const chosen: Chosen[] = [];
  if (room <= 0) return chosen;
  const cursors = lines.map((line) => new Cursor(tx, line, alone === "only" ? -line.id : line.id, Math.ceil(room / lines.length)));
  while (chosen.length < room) {
    const cursor = cursors.length === 1 ? cursors[0] : mostUrgent(cursors);
    const head = cursor?.head;
    if (cursor === undefined || head === undefined) break;
    // A late one here is beyond what one pass may skip: the next claim goes on with them.
    if (isOrderedAhead(head, chosen.length, slots) || isLate(tx, head)) break;
    chosen.push({ line: cursor.line, place: cursor.place, urgency: head[0], seq: head[1], flags: head[2] });
    cursor.advance();
  }
  return chosen;
}

/** Reads a line in pieces, so that what is read is in proportion to what is taken. */
class Cursor {
  readonly line: Line;
  readonly place: number;
  readonly #tx: Transaction;
  #piece: number;
  #heads: Head[] = [];
  #at = 0;
  #isAtEnd = false;

  constructor(tx: Transaction, line: Line, place: number, piece: number) {
    this.#tx = tx;
    this.line = line;
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

function mostUrgent(cursors: readonly Cursor[]): Cursor | undefined {
  let best: Cursor | undefined;
  let least: Head | undefined;
  for (const cursor of cursors) {
    const { head } = cursor;
    if (head && (least === undefined || head[0] < least[0] || (head[0] === least[0] && head[1] < least[1]))) {
      best = cursor;
      least = head;
    }
  }
  return best;
}

function isOrderedAhead([, , flagged]: Head, chosen: number, slots: number): boolean {
  return chosen >= slots && (flagged & flags.hasLane) !== 0;
}

function isLate(tx: Transaction, [, seq, flagged]: Head): boolean {
  return (flagged & flags.hasStartBy) !== 0 && (tx.sql.value<number>(startByOf, seq) ?? Infinity) < tx.now;
}
