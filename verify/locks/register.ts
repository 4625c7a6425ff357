/** A number that is read, thought about, and written one greater: what a lock is taken for, and what is lost where two do so at once. */
export class Register {
  #value = 0;
  #fence = 0;
  /** Increments that their writer was told to have made. */
  #made = 0;

  /** Updates that were made and are not there. */
  get lost(): number {
    return this.#made - this.#value;
  }

  get made(): number {
    return this.#made;
  }

  /** Trusts the lock alone. */
  async unguarded(think: () => Promise<void>): Promise<void> {
    const value = this.#value;
    await think();
    this.#value = value + 1;
    this.#made++;
  }

  /** Looks at the fence when it writes, not when it reads: somebody late may write between the read and the write of his successor. */
  async guardedAtTheEnd(fence: number, think: () => Promise<void>): Promise<void> {
    const value = this.#value;
    await think();
    if (fence < this.#fence) return;
    this.#fence = fence;
    this.#value = value + 1;
    this.#made++;
  }

  /** Raises the fence before it reads, so that whoever comes late is refused from then on; and writes only where it still stands. */
  async guarded(fence: number, think: () => Promise<void>): Promise<void> {
    if (fence < this.#fence) return;
    this.#fence = fence;
    const value = this.#value;
    await think();
    if (fence !== this.#fence) return;
    this.#value = value + 1;
    this.#made++;
  }
}
