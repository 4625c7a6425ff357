/** Chance that is the same for the same seed (splitmix32, https://doi.org/10.1145/2660193.2660195, on 32 bits). */
export class Seeded {
  #state: number;

  /** `of`: what it is for, so that two users of a seed draw apart. */
  constructor(seed: number, of: string) {
    let state = seed >>> 0;
    for (const character of of) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
    this.#state = state;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  /** Whole, from 0 up to below `count`. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  isIn(share: number): boolean {
    return this.next() < share;
  }

  /** By weight. */
  pick<T extends string>(weights: Readonly<Record<T, number>>): T {
    const all = Object.entries(weights) as [T, number][];
    let left = this.next() * all.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of all) if ((left -= weight) < 0) return name;
    return (all.at(-1) as [T, number])[0];
  }
}
