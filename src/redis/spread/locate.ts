/** Where joins and predecessors are: known for what this process stored, else asked of all homes. */
import type * as port from "../../core/engine.ts";
import { whereScript } from "../where.ts";
import type { Home } from "./home.ts";

/** Ids that are remembered. */
const knownMax = 10_000;
const askedAtOnce = 5_000;

type Is = "job" | "join" | "away";

export class Locate {
  readonly #homes: readonly Home[];
  readonly #known: Map<string, number> = new Map();

  constructor(homes: readonly Home[]) {
    this.#homes = homes;
  }

  readonly known = (id: string): number | undefined => this.#known.get(id);

  readonly learn = (id: string, home: number): void => {
    if (this.#known.size >= knownMax) this.#forgetHalf();
    this.#known.set(id, home);
  };

  isMissing(ids: readonly string[]): boolean {
    return ids.some((id) => !this.#known.has(id));
  }

  /** Those that no home knows stay unknown. */
  async find(ids: readonly string[], at: port.At<unknown>): Promise<void> {
    const missing = ids.filter((id) => !this.#known.has(id));
    for (let from = 0; from < missing.length; from += askedAtOnce) await this.#ask(missing.slice(from, from + askedAtOnce), at);
  }

  /** One that has gone on from a home is known there as well: it is followed best from where it is. */
  async #ask(ids: readonly string[], at: port.At<unknown>): Promise<void> {
    const answers = await Promise.all(
      this.#homes.map(async ({ verbs }) => JSON.parse((await verbs.call(whereScript, "run", { ids }, at))[0] as string) as Readonly<Record<string, Is>>),
    );
    for (const id of ids) {
      const homes = answers.flatMap((answer, home) => (answer[id] === undefined ? [] : [{ home, is: answer[id] }]));
      const found = homes.find(({ is }) => is !== "away") ?? homes[0];
      if (found !== undefined) this.learn(id, found.home);
    }
  }

  /** Those that were learnt first. */
  #forgetHalf(): void {
    let left = knownMax / 2;
    for (const id of this.#known.keys()) {
      if (left-- === 0) return;
      this.#known.delete(id);
    }
  }
}
