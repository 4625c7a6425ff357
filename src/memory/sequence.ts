/** Things in the order in which they were enqueued: found by number in O(log n), walked in both directions. */
export class Sequence<T extends { readonly seq: number }> {
  #slots: { readonly seq: number; item: T | undefined }[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** `item.seq` is above all that came before. */
  append(item: T): void {
    this.#slots.push({ seq: item.seq, item });
    this.#size += 1;
  }

  remove(item: T): void {
    const slot = this.#slots[this.#placeAfter(item.seq) - 1];
    if (slot?.item !== item) return;
    slot.item = undefined;
    this.#size -= 1;
    // Half of the slots may stand empty before they are swept, so that a removal stays cheap.
    if (this.#slots.length > 2 * this.#size + 16) this.#slots = this.#slots.filter((kept) => kept.item !== undefined);
  }

  /** The first one numbered above `seq`: for walks that go on while things come and go. */
  next(seq: number): T | undefined {
    for (const item of this.after(seq)) return item;
    return undefined;
  }

  /** Items numbered above `seq`, oldest first. */
  *after(seq: number): Generator<T> {
    for (let place = this.#placeAfter(seq); place < this.#slots.length; place += 1) {
      const item = this.#slots[place]?.item;
      if (item !== undefined) yield item;
    }
  }

  /** Items numbered below `seq`, newest first. */
  *before(seq: number): Generator<T> {
    for (let place = this.#placeAfter(seq - 1) - 1; place >= 0; place -= 1) {
      const item = this.#slots[place]?.item;
      if (item !== undefined) yield item;
    }
  }

  #placeAfter(seq: number): number {
    let low = 0;
    let high = this.#slots.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const slot = this.#slots[middle];
      if (slot !== undefined && slot.seq <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
