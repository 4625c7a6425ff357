/** Reads a line of ready jobs in pieces, so that what is read is in proportion to what is taken. */
import type { Instant } from "../core/runtime.ts";
import type { Line } from "./lines.ts";
import type { Transaction } from "./transaction.ts";

export type Head = [urgency: number, seq: number, flags: number];

/** By primary key. */
const nextReady = "SELECT urgency, seq, flags FROM errand_ready WHERE line = ? AND (urgency, seq) > (?, ?) AND urgency < ? ORDER BY urgency, seq LIMIT ?";

/** What is left of a queue that is asked for: `slots` may start at once, `ahead` may be held ready. */
export interface Taking {
  slots: number;
  ahead: number;
}

/** A line that is asked for, and how it stands in errand_ready: see readyPlace.ts. */
export interface OpenLine {
  readonly line: Line;
  readonly place: number;
  readonly queue: Taking;
}

/** Who competes to be handed out next. */
export interface Contender extends OpenLine {
  /** What it would hand out; undefined: nothing now. */
  readonly head: Head | undefined;
  /** Its jobs are not the first of their line. */
  readonly isListed: boolean;
  /** Its head was handed out, with so many that follow it. */
  advance(followers: number): void;
}

export interface Span {
  readonly from: Instant;
  readonly below: Instant;
}

const all: Span = { from: Number.MIN_SAFE_INTEGER, below: Number.MAX_SAFE_INTEGER };

export class Cursor implements Contender {
  readonly line: Line;
  readonly place: number;
  readonly queue: Taking;
  readonly isListed: boolean;
  readonly #tx: Transaction;
  readonly #below: Instant;
  #piece: number;
  #heads: Head[] = [];
  #at = 0;
  #isAtEnd = false;

  constructor(tx: Transaction, { line, place, queue }: OpenLine, piece: number, span: Span = all) {
    this.#tx = tx;
    this.line = line;
    this.place = place;
    this.queue = queue;
    this.isListed = span !== all;
    this.#below = span.below;
    this.#piece = Math.max(1, piece);
    this.#read(span.from, 0);
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
    this.#heads = this.#tx.sql.tuples<Head>(nextReady, this.place, urgency, seq, this.#below, this.#piece);
    this.#at = 0;
    this.#isAtEnd = this.#heads.length < this.#piece;
    this.#piece *= 2;
  }
}
