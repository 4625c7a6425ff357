/** Fresh work beside a backlog: of a task that asks for it, every second job handed out is one whose urgency is at or after an instant. */
import type { Instant } from "../core/runtime.ts";
import { Cursor } from "./cursor.ts";
import type { Contender, Head, OpenLine } from "./cursor.ts";
import type { Transaction } from "./transaction.ts";

/** Whose turn it is, over all lines of one task. */
export class Turns {
  readonly #lines: FreshCursor[] = [];
  #handedOut = 0;

  join(line: FreshCursor): void {
    this.#lines.push(line);
  }

  count(jobs: number): void {
    this.#handedOut += jobs;
  }

  /** Fresh at the first, the third, …; whichever has none left to hand out gives its turns away. */
  get isFresh(): boolean {
    const isFresh = this.#handedOut % 2 === 0;
    const hasAny = this.#lines.some((line) => line.isOpen && (isFresh ? line.fresh : line.rest).head !== undefined);
    return hasAny ? isFresh : !isFresh;
  }
}

export class FreshCursor implements Contender {
  readonly line: OpenLine["line"];
  readonly place: number;
  readonly queue: OpenLine["queue"];
  readonly isListed = true;
  readonly fresh: Cursor;
  readonly rest: Cursor;
  /** It still takes part. */
  isOpen = true;
  readonly #turns: Turns;

  constructor(tx: Transaction, open: OpenLine, piece: number, freshFrom: Instant, turns: Turns) {
    this.line = open.line;
    this.place = open.place;
    this.queue = open.queue;
    this.fresh = new Cursor(tx, open, piece, { from: freshFrom, below: Number.MAX_SAFE_INTEGER });
    this.rest = new Cursor(tx, open, piece, { from: Number.MIN_SAFE_INTEGER, below: freshFrom });
    this.#turns = turns;
    turns.join(this);
  }

  get head(): Head | undefined {
    return this.#next.head;
  }

  advance(followers: number): void {
    this.#next.advance();
    this.#turns.count(1 + followers);
  }

  get #next(): Cursor {
    return this.#turns.isFresh ? this.fresh : this.rest;
  }
}
