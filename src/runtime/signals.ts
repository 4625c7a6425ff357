/** Stop signals: heard, and passed on to the platform when the worker has put its work down. */

const stopSignals = ["SIGTERM", "SIGINT"] as const;

/** The stop signals that one runtime hears. */
export class StopSignals {
  readonly #listeners: Set<(signal: string) => void> = new Set();

  listen(fn: (signal: string) => void): () => void {
    // A listener of its own for each call: the same function may listen twice.
    const listener = (signal: string): void => fn(signal);
    this.#listeners.add(listener);
    for (const signal of stopSignals) process.on(signal, listener);
    return () => this.#leave(listener);
  }

  /** Another listener, of the app or of another broker, decides when the process ends: then nothing is done. */
  exitBy(signal: string): void {
    for (const listener of this.#listeners) this.#leave(listener);
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  }

  #leave(listener: (signal: string) => void): void {
    this.#listeners.delete(listener);
    for (const signal of stopSignals) process.off(signal, listener);
  }
}
