/** A binary heap that can also remove any item it holds, in O(log n). */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #places = new Map<T, number>();
  readonly #compare: (a: T, b: T) => number;

  /** `compare` answers below 0 if `a` comes first. What it reads must not change while the item is inside. */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  first(): T | undefined {
    return this.#items[0];
  }

  /** In no order. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items.values();
  }

  push(item: T): void {
    if (this.#places.has(item)) return;
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  /** Answers whether it was inside. */
  remove(item: T): boolean {
    const place = this.#places.get(item);
    const last = this.#items.at(-1);
    if (place === undefined || last === undefined) return false;
    this.#items.pop();
    this.#places.delete(item);
    if (last === item) return true;
    this.#sink(last, place);
    this.#rise(last, this.#places.get(last) ?? place);
    return true;
  }

  #rise(item: T, from: number): void {
    let place = from;
    while (place > 0) {
      const parentPlace = (place - 1) >> 1;
      const parent = this.#items[parentPlace];
      if (parent === undefined || this.#compare(parent, item) <= 0) break;
      this.#put(parent, place);
      place = parentPlace;
    }
    this.#put(item, place);
  }

  #sink(item: T, from: number): void {
    let place = from;
    for (;;) {
      const childPlace = this.#smallerChild(place);
      const child = this.#items[childPlace];
      if (child === undefined || this.#compare(item, child) <= 0) break;
      this.#put(child, place);
      place = childPlace;
    }
    this.#put(item, place);
  }

  #smallerChild(place: number): number {
    const leftPlace = 2 * place + 1;
    const left = this.#items[leftPlace];
    const right = this.#items[leftPlace + 1];
    return left !== undefined && right !== undefined && this.#compare(right, left) < 0 ? leftPlace + 1 : leftPlace;
  }

  #put(item: T, place: number): void {
    this.#items[place] = item;
    this.#places.set(item, place);
  }
}
