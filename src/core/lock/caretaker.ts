/** Does a worker's housekeeping while somebody here waits for a lock: where no worker runs, nobody else would free what a dead process held. */
import { Housekeeping } from "../worker/housekeeping.ts";
import type { Holder, HolderParts } from "./holder.ts";

export class Caretaker {
  readonly #parts: HolderParts & { readonly holder: Holder };
  #needed = 0;
  #housekeeping: Housekeeping | undefined;
  #ending: Promise<unknown> = Promise.resolve();

  constructor(parts: HolderParts & { readonly holder: Holder }) {
    this.#parts = parts;
  }

  /** Answers how to end it, to be called once. */
  need(): () => void {
    if (this.#needed++ === 0) this.#start();
    return () => {
      if (--this.#needed === 0) this.#stop();
    };
  }

  /** Resolves when no pass is under way. */
  async quiet(): Promise<void> {
    await this.#ending;
  }

  #start(): void {
    const { engine, runtime, holder } = this.#parts;
    this.#housekeeping = new Housekeeping({ engine, runtime, settings: holder.settings }, holder.contact, () => undefined);
    this.#housekeeping.start();
  }

  #stop(): void {
    this.#ending = Promise.all([this.#ending, this.#housekeeping?.stop()]);
    this.#housekeeping = undefined;
  }
}
