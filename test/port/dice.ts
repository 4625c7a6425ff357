/** Chance that is the same again for the same seed. */
export class Dice {
  #random: number;

  constructor(seed: number) {
    this.#random = seed;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  chance(share: number): boolean {
    return this.below(1_000) < share * 1_000;
  }

  /** mulberry32 */
  below(limit: number): number {
    this.#random = (this.#random + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#random ^ (this.#random >>> 15), this.#random | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  /** Each of them with the same chance. */
  some<T>(from: readonly T[], share = 0.5): T[] {
    return from.filter(() => this.chance(share));
  }
}
