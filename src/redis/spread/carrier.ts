/**
 * Carries what homes tell each other (mail.ts). A message is read where it lies, taken in one script where it goes, and only then dropped where it lay: whoever dies in
 * between leaves it to the next one who comes, and whoever comes twice finds that it was taken. So any number of clients may carry at once.
 */
import type { At } from "../../core/engine.ts";
import type { Runtime } from "../../core/runtime.ts";
import type { Main } from "../fragment.ts";
import { outScript, takeScript } from "../mail.ts";
import { mailedBy } from "../verbs.ts";
import { homesMax } from "./homes.ts";

/** A home, as the carrier uses it. */
export interface Mailing {
  call(main: Main, how: "run" | "write", asked: object, at: At<unknown>, texts?: readonly string[]): Promise<readonly unknown[]>;
}

/** What the takers of messages answered; and who was told something by them. */
interface Carried {
  readonly answers: unknown[];
  readonly caused: Pair[];
}

type Pair = readonly [from: number, to: number];

/** What is taken of a pair, in the numbers of an era. */
interface TakenUpTo {
  readonly number: number;
  readonly upTo: number;
}

/** A chain of messages that cause each other is followed so far; the rest is left to tidy. */
const roundsMax = 1_000;

export class Carrier {
  readonly #homes: readonly Mailing[];
  readonly #log: Runtime["log"];
  /** Of each pair one carry at a time, so that none takes what another takes just now. */
  readonly #current: Map<number, Promise<void>> = new Map();
  /** That which comes after it, for all who wrote something meanwhile. */
  readonly #next: Map<number, Promise<Carried>> = new Map();
  /** Not told to the sender yet. */
  readonly #taken: Map<number, TakenUpTo> = new Map();

  constructor(homes: readonly Mailing[], log: Runtime["log"]) {
    this.#homes = homes;
    this.#log = log;
  }

  /** Resolves when all that lies at a home for others is taken there, with all that this causes, or cannot be now, which is logged. Answers what its takers answered. */
  async carry(from: number, to: readonly number[], at: At<unknown>): Promise<readonly unknown[]> {
    const answers: unknown[] = [];
    let pairs: readonly Pair[] = to.map((home) => [from, home]);
    for (let round = 0; round < roundsMax && pairs.length > 0; round += 1) {
      const carried = await Promise.all(pairs.map((pair) => this.#carryOne(pair, at)));
      for (const one of carried) answers.push(...one.answers);
      pairs = distinct(carried.flatMap(({ caused }) => caused));
    }
    return answers;
  }

  /** What is under way ends first. */
  async close(): Promise<void> {
    while (this.#current.size > 0) await Promise.all(this.#current.values());
  }

  /** One that is under way may have looked before this was written. */
  #carryOne(pair: Pair, at: At<unknown>): Promise<Carried> {
    const key = keyOf(pair);
    const current = this.#current.get(key);
    if (current === undefined) return this.#begin(pair, at);
    const known = this.#next.get(key);
    if (known !== undefined) return known;
    const next = current.then(() => {
      this.#next.delete(key);
      return this.#begin(pair, at);
    });
    this.#next.set(key, next);
    return next;
  }

  #begin(pair: Pair, at: At<unknown>): Promise<Carried> {
    const { promise, resolve } = Promise.withResolvers<Carried>();
    const key = keyOf(pair);
    const carried: Carried = { answers: [], caused: [] };
    const done = this.#carryPair(pair, carried, at, () => resolve(carried))
      .catch((error: unknown) => {
        this.#log.warn(
          { err: error, from: pair[0], to: pair[1] },
          "what one home tells another cannot be carried now; it is kept, and tried again with the next tidy",
        );
      })
      .finally(() => {
        if (!this.#next.has(key)) this.#current.delete(key);
        resolve(carried);
      });
    this.#current.set(key, done);
    return promise;
  }

  /** All that lies there now. It is dropped there when all who wait have been told. */
  async #carryPair([from, to]: Pair, carried: Carried, at: At<unknown>, told: () => void): Promise<void> {
    const key = keyOf([from, to]);
    for (let until = Number.POSITIVE_INFINITY, upTo = 0; upTo < until;) {
      const lying = await this.#out(from, { to, ...this.#taken.get(key) }, at);
      if (lying.number < 0) throw new Error(refusal(lying.number, lying.number));
      until = Math.min(until, lying.last);
      if (lying.texts.length === 0) break;
      const asked = { from, number: lying.number, first: lying.first };
      const answer = await this.#home(to).call(takeScript, "write", asked, at, lying.texts);
      const taken = JSON.parse(answer[0] as string) as { readonly taken?: number; readonly answers?: unknown; readonly stale?: number };
      if (taken.taken === undefined || taken.taken < lying.first) throw new Error(refusal(taken.stale, lying.number));
      this.#taken.set(key, { number: lying.number, upTo: (upTo = taken.taken) });
      if (Array.isArray(taken.answers)) carried.answers.push(...(taken.answers as unknown[]));
      for (const home of mailedBy(takeScript, answer)) carried.caused.push([to, home]);
    }
    told();
    // Whoever comes next tells it with his own question.
    const taken = this.#taken.get(key);
    if (taken === undefined || this.#next.has(key)) return;
    await this.#out(from, { to, ...taken, isLast: true }, at);
    this.#taken.delete(key);
  }

  async #out(from: number, asked: object, at: At<unknown>): Promise<{ number: number; first: number; last: number; texts: readonly string[] }> {
    const answer = await this.#home(from).call(outScript, "run", asked, at);
    return { ...(JSON.parse(answer[0] as string) as { number: number; first: number; last: number }), texts: answer[2] as readonly string[] };
  }

  #home(number: number): Mailing {
    const home = this.#homes[number];
    if (home === undefined) throw new Error(`there is no home ${number}`);
    return home;
  }
}

function refusal(stale: number | undefined, number: number): string {
  if (stale === undefined) return "it is of a kind that this errand does not know; a newer one takes it";
  return `the two are not of one era (${number}, ${stale}) until the next beat`;
}

function keyOf([from, to]: Pair): number {
  return from * homesMax + to;
}

function distinct(pairs: readonly Pair[]): readonly Pair[] {
  return [...new Map(pairs.map((pair) => [keyOf(pair), pair])).values()];
}
