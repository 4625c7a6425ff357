/** Which of several lines hands out next: the one with the most urgent head. */
import type { Contender } from "./cursor.ts";
import { FreshCursor } from "./fresh.ts";
import { Heap } from "./heap.ts";

export interface Contest {
  readonly first: Contender | undefined;
  /** The first has no more to hand out, or may not. */
  removeFirst(): void;
  /** The first has handed out its head. */
  goOn(): void;
}

export function contestOf(contenders: readonly Contender[]): Contest {
  const hasTurns = contenders.some((contender) => contender instanceof FreshCursor);
  return hasTurns ? new Scan(contenders) : new Merge(contenders);
}

class Merge implements Contest {
  readonly #heap: Heap<Contender>;

  constructor(contenders: readonly Contender[]) {
    this.#heap = new Heap(
      contenders.filter(({ head }) => head !== undefined),
      isMoreUrgent,
    );
  }

  get first(): Contender | undefined {
    return this.#heap.first;
  }

  removeFirst(): void {
    this.#heap.removeFirst();
  }

  goOn(): void {
    if (this.#heap.first?.head === undefined) this.#heap.removeFirst();
    else this.#heap.sinkFirst();
  }
}

/** Where lines take turns, one that hands out changes the heads of others. */
class Scan implements Contest {
  readonly #contenders: Set<Contender>;
  #first: Contender | undefined;

  constructor(contenders: readonly Contender[]) {
    this.#contenders = new Set(contenders);
    this.goOn();
  }

  get first(): Contender | undefined {
    return this.#first;
  }

  removeFirst(): void {
    if (this.#first === undefined) return;
    if (this.#first instanceof FreshCursor) this.#first.isOpen = false;
    this.#contenders.delete(this.#first);
    this.goOn();
  }

  goOn(): void {
    this.#first = undefined;
    for (const contender of this.#contenders) {
      if (contender.head !== undefined && (this.#first === undefined || isMoreUrgent(contender, this.#first))) this.#first = contender;
    }
  }
}

function isMoreUrgent({ head: a }: Contender, { head: b }: Contender): boolean {
  return a !== undefined && b !== undefined && (a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]));
}
