/** Tells loops of running jobs that the worker stops, so that they hand back between two items instead of running on into the grace time. */
export class Yielding {
  readonly #ears: Set<() => void> = new Set();
  #isAsked = false;

  get isAsked(): boolean {
    return this.#isAsked;
  }

  ask(): void {
    this.#isAsked = true;
    for (const ear of [...this.#ears]) ear();
  }

  /** Answers how to stop listening. */
  onAsked(fn: () => void): () => void {
    this.#ears.add(fn);
    return () => this.#ears.delete(fn);
  }
}
