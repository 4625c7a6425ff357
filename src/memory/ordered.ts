/** Things kept in order: added, removed, and found from any place on. In chunks, so that a change moves a chunk at most. */
const chunkMost = 256;

export class Ordered<T> {
  readonly #chunks: T[][] = [];
  readonly #compare: (a: T, b: T) => number;
  #size = 0;

  /** `compare` answers below 0 if `a` comes first, and 0 for the same thing only. What it reads must not change while the thing is inside. */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#size;
  }

  first(): T | undefined {
    return this.#chunks[0]?.[0];
  }

  /** The first of those for which `isPast` holds: it holds for none before the first and for all after. */
  firstWhere(isPast: (item: T) => boolean): T | undefined {
    const chunk = this.#chunks[firstPlace(this.#chunks, (items) => isPast(lastOf(items)))];
    return chunk?.[firstPlace(chunk, isPast)];
  }

  add(item: T): void {
    const at = Math.min(this.#placeOf(item), Math.max(0, this.#chunks.length - 1));
    const chunk = this.#chunks[at];
    this.#size += 1;
    if (chunk === undefined) {
      this.#chunks.push([item]);
      return;
    }
    chunk.splice(
      firstPlace(chunk, (other) => this.#compare(other, item) >= 0),
      0,
      item,
    );
    if (chunk.length > chunkMost) this.#chunks.splice(at + 1, 0, chunk.splice(chunkMost / 2));
  }

  /** Answers whether it was inside. */
  remove(item: T): boolean {
    const at = this.#placeOf(item);
    const chunk = this.#chunks[at];
    const place = chunk ? firstPlace(chunk, (other) => this.#compare(other, item) >= 0) : 0;
    const found = chunk?.[place];
    if (chunk === undefined || found === undefined || this.#compare(found, item) !== 0) return false;
    chunk.splice(place, 1);
    this.#size -= 1;
    if (chunk.length === 0) this.#chunks.splice(at, 1);
    return true;
  }

  /** The chunk that holds it, or would. */
  #placeOf(item: T): number {
    return firstPlace(this.#chunks, (items) => this.#compare(lastOf(items), item) >= 0);
  }
}

/** The place of the first item for which `isPast` holds; behind the last if for none. */
function firstPlace<T>(items: readonly T[], isPast: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isPast(items[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** No chunk is empty. */
function lastOf<T>(items: readonly T[]): T {
  return items[items.length - 1] as T;
}
