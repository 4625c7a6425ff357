/** Where joins and predecessors are: known for what this process stored, else asked of all homes. */
import type * as port from "../../core/engine.ts";
import type { Instant, Ms, Runtime } from "../../core/runtime.ts";
import { whereScript } from "../where.ts";
import type { Home } from "./home.ts";

/** Ids that are remembered. */
const knownMax = 10_000;
const askedAtOnce = 5_000;
/** What is known is looked for again after so long: the id may have been forgotten, and stored anew elsewhere. */
const knownMs: Ms = 60_000;

type Is = "job" | "join" | "away";

interface Place {
  readonly home: number;
  readonly learntAt: Instant;
}

export class Locate {
  readonly #homes: readonly Home[];
  readonly #runtime: Pick<Runtime, "monotonic">;
  readonly #known: Map<string, Place> = new Map();
  #most = knownMax;

  constructor(homes: readonly Home[], runtime: Pick<Runtime, "monotonic">) {
    this.#homes = homes;
    this.#runtime = runtime;
  }

  readonly known = (id: string): number | undefined => this.#known.get(id)?.home;

  readonly learn = (id: string, home: number): void => {
    if (this.#known.size >= this.#most) this.#forgetHalf();
    this.#known.set(id, { home, learntAt: this.#runtime.monotonic() });
  };

  isMissing(ids: readonly string[]): boolean {
    return ids.some((id) => !this.#isFresh(id));
  }

  /** Those that no home knows are unknown. */
  async find(ids: readonly string[], at: port.At<unknown>): Promise<void> {
    this.#keep(ids);
    const missing = ids.filter((id) => !this.#isFresh(id));
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
      else if (!this.#isFresh(id)) this.#known.delete(id);
    }
  }

  #isFresh(id: string): boolean {
    const place = this.#known.get(id);
    return place !== undefined && this.#runtime.monotonic() - place.learntAt < knownMs;
  }

  /** One call may name more than are remembered otherwise: what is forgotten while they are asked for are others. */
  #keep(ids: readonly string[]): void {
    this.#most = Math.max(knownMax, 4 * ids.length);
    for (const id of ids) {
      const place = this.#known.get(id);
      if (place === undefined) continue;
      this.#known.delete(id);
      this.#known.set(id, place);
    }
  }

  /** Those that were named longest ago. */
  #forgetHalf(): void {
    let left = this.#known.size / 2;
    for (const id of this.#known.keys()) {
      if (left-- <= 0) return;
      this.#known.delete(id);
    }
  }
}
