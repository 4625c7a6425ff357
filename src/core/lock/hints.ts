/** Hears the store's hints for as long as somebody here waits for one. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Engine, Unlisten } from "../engine.ts";

export class Hints {
  readonly #engine: Engine;
  readonly #ears: Set<() => void> = new Set();
  #unlisten: Promise<Unlisten | undefined> | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Whether what other processes do is told, now. */
  get areHeard(): boolean {
    return this.#engine.isHearing !== false;
  }

  /** Answers how to stop listening. */
  listen(wake: () => void): () => void {
    this.#ears.add(wake);
    this.#unlisten ??= this.#listen();
    return () => {
      this.#ears.delete(wake);
      if (this.#ears.size === 0) this.#stop();
    };
  }

  async #listen(): Promise<Unlisten | undefined> {
    // A hint may come out of somebody's own call: who waits for it must not wake in that one's asynchronous context.
    const inOwnContext = AsyncLocalStorage.snapshot();
    try {
      return await this.#engine.listen(() => inOwnContext(() => this.#wake()));
    } catch {
      return undefined; // whoever listens asks by itself too
    }
  }

  #wake(): void {
    for (const wake of [...this.#ears]) wake();
  }

  #stop(): void {
    const unlisten = this.#unlisten;
    this.#unlisten = undefined;
    void unlisten?.then((stop) => stop?.());
  }
}
