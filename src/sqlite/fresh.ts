/** Fresh work beside a backlog: of a task that asks for it, every second job handed out is one whose urgency is at or after an instant. */
import type { Instant } from "../core/runtime.ts";
import { Cursor } from "./cursor.ts";
import type { Contender, Head, OpenLine } from "./cursor.ts";
import { isTriedPlace } from "./readyPlace.ts";
import type { Room } from "./room.ts";
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
    const hasAny = this.#lines.some((line) => line.mayHandOut && (isFresh ? line.fresh : line.rest).head !== undefined);
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
  readonly #room: Pick<Room, "retriesLeftOf">;

  constructor(tx: Transaction, open: OpenLine, piece: number, freshFrom: Instant, turns: Turns, room: Pick<Room, "retriesLeftOf">) {
    this.line = open.line;
    this.place = open.place;
    this.queue = open.queue;
    this.fresh = new Cursor(tx, open, piece, { from: freshFrom, below: Number.MAX_SAFE_INTEGER });
    this.rest = new Cursor(tx, open, piece, { from: Number.MIN_SAFE_INTEGER, below: freshFrom });
    this.#turns = turns;
    this.#room = room;
    turns.join(this);
  }

  get head(): Head | undefined {
    return this.mayHandOut ? this.#next.head : undefined;
  }

  /** Those that were tried before, and of which enough are handed out, have no turns. */
  get mayHandOut(): boolean {
    return this.isOpen && !(isTriedPlace(this.place) && this.#room.retriesLeftOf(this.line.task) < 1);
  }

  advance(followers: number): void {
    this.#next.advance();
    this.#turns.count(1 + followers);
  }

  get #next(): Cursor {
    return this.#turns.isFresh ? this.fresh : this.rest;
  }
}
