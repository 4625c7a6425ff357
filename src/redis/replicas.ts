/** Waits until replicas have what was written on a connection. Those who come while one waits share the next wait. */
import { redisReplicasMs } from "../core/defaults.ts";
import { ErrandError } from "../core/errors.ts";
import type { Ask } from "./scripts.ts";

export class Replicas {
  readonly #ask: Ask;
  readonly #name: string;
  readonly #least: number;
  #waiting: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(ask: Ask, name: string, least: number) {
    this.#ask = ask;
    this.#name = name;
    this.#least = least;
  }

  /** For all that was answered on this connection until now. Throws `store-unreachable`, indefinite. */
  have(): Promise<void> {
    if (this.#least === 0) return Promise.resolve();
    return (this.#next ??= this.#after(this.#waiting));
  }

  async #after(waiting: Promise<void> | undefined): Promise<void> {
    await waiting?.catch(() => undefined);
    this.#waiting = this.#next;
    this.#next = undefined;
    const count = await this.#count();
    if (count >= this.#least) return;
    const replicas = this.#least === 1 ? "replica" : "replicas";
    throw new ErrandError(
      "store-unreachable",
      `${this.#name}: ${count} of ${this.#least} ${replicas} had it within ${redisReplicasMs / 1_000} s, so a fail-over may lose it: bring the replicas back, or ask for fewer`,
      { details: { store: this.#name, replicas: count, wanted: this.#least }, isDefinite: false },
    );
  }

  /** It is stored here: whatever goes wrong now leaves it in doubt. */
  async #count(): Promise<number> {
    try {
      return Number(await this.#ask("wait", [String(this.#least), String(redisReplicasMs)]));
    } catch (error) {
      if (!(error instanceof ErrandError) || !error.isDefinite) throw error;
      throw new ErrandError(error.code, error.message.slice(error.code.length + 2), { cause: error.cause, details: error.details, isDefinite: false });
    }
  }
}
