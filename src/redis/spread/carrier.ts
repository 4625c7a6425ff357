/**
 * Carries what homes tell each other (mail.ts). A message is read where it lies, taken in one script where it goes, and only then dropped where it lay: whoever dies in
 * between leaves it to the next one who comes, and whoever comes twice finds that it was taken. So any number of clients may carry at once.
 */
import type { At } from "../../core/engine.ts";
import type { Runtime, Timer } from "../../core/runtime.ts";
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

const nothing: Carried = { answers: [], caused: [] };

type Pair = readonly [from: number, to: number];

/** What is taken of a pair, in the numbers of an era. */
interface TakenUpTo {
  readonly number: number;
  readonly upTo: number;
}

/** After a failure. */
const tryAgainMs = 500;

/** A chain of messages that cause each other is followed so far; the rest is left to tidy. */
const roundsMax = 1_000;

export class Carrier {
  readonly #homes: readonly Mailing[];
  readonly #runtime: Pick<Runtime, "log" | "after">;
  /** Of each pair one carry at a time, so that none takes what another takes just now. */
  readonly #current: Map<number, Promise<void>> = new Map();
  /** That which comes after it, for all who wrote something meanwhile. */
  readonly #next: Map<number, Promise<Carried>> = new Map();
  /** Not told to the sender yet. */
  readonly #taken: Map<number, TakenUpTo> = new Map();

  /** Pairs that could not be carried; and what keeps them from being tried at once again. */
  readonly #failing: Map<number, Timer | undefined> = new Map();
  /** Pairs of which it was said that they cannot be carried. */
  readonly #inTrouble: Set<number> = new Set();
  /** What nobody waits for. */
  readonly #behind: Set<Promise<unknown>> = new Set();

  constructor(homes: readonly Mailing[], runtime: Pick<Runtime, "log" | "after">) {
    this.#homes = homes;
    this.#runtime = runtime;
  }

  /** Resolves when all that lies at a home for others is taken there, with all that this causes, or cannot be now, which is logged. Answers what its takers answered. */
  carry(from: number, to: readonly number[], at: At<unknown>): Promise<readonly unknown[]> {
    return this.#carryAll(
      to.map((home) => [from, home]),
      at,
    );
  }

  async #carryAll(first: readonly Pair[], at: At<unknown>): Promise<readonly unknown[]> {
    const answers: unknown[] = [];
    let pairs = first;
    for (let round = 0; round < roundsMax && pairs.length > 0; round += 1) {
      const carried = await Promise.all(pairs.map((pair) => this.#carryOne(pair, at)));
      for (const one of carried) answers.push(...one.answers);
      pairs = distinct(carried.flatMap(({ caused }) => caused));
    }
    return answers;
  }

  /** What is under way ends first. */
  async close(): Promise<void> {
    for (const timer of this.#failing.values()) timer?.cancel();
    while (this.#current.size + this.#behind.size > 0) await Promise.all([...this.#current.values(), ...this.#behind]);
  }

  /** One that is under way may have looked before this was written. For one that failed nobody waits until it is known to succeed. */
  #carryOne(pair: Pair, at: At<unknown>): Promise<Carried> {
    const key = keyOf(pair);
    if (this.#failing.has(key)) {
      this.#tryAgain(pair, at);
      return Promise.resolve(nothing);
    }
    const current = this.#current.get(key);
    if (current === undefined) return this.#begin(pair, at);
    const known = this.#next.get(key);
    if (known !== undefined) return known;
    const next = current.then(() => {
      this.#next.delete(key);
      if (!this.#failing.has(key)) return this.#begin(pair, at);
      this.#current.delete(key);
      return nothing;
    });
    this.#next.set(key, next);
    return next;
  }

  #tryAgain(pair: Pair, at: At<unknown>): void {
    const key = keyOf(pair);
    if (this.#current.has(key) || this.#failing.get(key) !== undefined) return;
    const tried = this.#begin(pair, at)
      .then(({ caused }) => this.#carryAll(distinct(caused), at))
      .finally(() => this.#behind.delete(tried));
    this.#behind.add(tried);
  }

  #begin(pair: Pair, at: At<unknown>): Promise<Carried> {
    const { promise, resolve } = Promise.withResolvers<Carried>();
    const key = keyOf(pair);
    const carried: Carried = { answers: [], caused: [] };
    const told = (): void => {
      this.#failing.delete(key);
      resolve(carried);
    };
    const done = this.#carryPair(pair, carried, at, told)
      .then(
        (refused) => this.#end(pair, refused),
        (error: unknown) => this.#fail(pair, error),
      )
      .finally(() => {
        if (!this.#next.has(key)) this.#current.delete(key);
        resolve(carried);
      });
    this.#current.set(key, done);
    return promise;
  }

  #end(pair: Pair, refused: string | undefined): void {
    this.#failing.delete(keyOf(pair));
    if (refused === undefined) this.#inTrouble.delete(keyOf(pair));
    else this.#say(pair, new Error(refused));
  }

  /** Once, until it succeeds. */
  #say(pair: Pair, err: unknown): void {
    const level = this.#inTrouble.has(keyOf(pair)) ? "debug" : "warn";
    this.#inTrouble.add(keyOf(pair));
    const details = { err, from: pair[0], to: pair[1] };
    this.#runtime.log[level](details, "what one partition tells another cannot be carried now; it is kept, and tried again with the next tidy");
  }

  #fail(pair: Pair, error: unknown): void {
    this.#say(pair, error);
    const key = keyOf(pair);
    const mayTry = (): void => {
      if (this.#failing.has(key)) this.#failing.set(key, undefined);
    };
    this.#failing.set(key, this.#runtime.after(tryAgainMs, mayTry, { background: true }));
  }

  /** All that lies there now. It is dropped there when all who wait have been told. Answers why, where it was refused. */
  async #carryPair([from, to]: Pair, carried: Carried, at: At<unknown>, told: () => void): Promise<string | undefined> {
    const key = keyOf([from, to]);
    for (let until = Number.POSITIVE_INFINITY, upTo = 0; upTo < until;) {
      const lying = await this.#out(from, { to, ...this.#taken.get(key) }, at);
      if (lying.number < 0) return refusal(lying.number, lying.number);
      until = Math.min(until, lying.last);
      if (lying.texts.length === 0) break;
      const asked = { from, number: lying.number, first: lying.first };
      const answer = await this.#home(to).call(takeScript, "write", asked, at, lying.texts);
      const taken = JSON.parse(answer[0] as string) as { readonly taken?: number; readonly answers?: unknown; readonly stale?: number };
      if (taken.taken === undefined || taken.taken < lying.first) return refusal(taken.stale, lying.number);
      this.#taken.set(key, { number: lying.number, upTo: (upTo = taken.taken) });
      if (Array.isArray(taken.answers)) carried.answers.push(...(taken.answers as unknown[]));
      for (const home of mailedBy(takeScript, answer)) carried.caused.push([to, home]);
    }
    told();
    // Whoever comes next tells it with his own question.
    const taken = this.#taken.get(key);
    if (taken === undefined || this.#next.has(key)) return undefined;
    await this.#out(from, { to, ...taken, isLast: true }, at);
    this.#taken.delete(key);
    return undefined;
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
