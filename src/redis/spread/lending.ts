/**
 * Room at limits and resources over all keys that one home was lent by another (loans.ts). A claim that passes jobs over asks for it by mail, once; the answer of the claim
 * waits until that is carried, and what it causes. What comes later, when others have given some back, wakes those who wait for work. For jobs that are born running it is
 * asked for before they are handed in.
 */
import type { At, Atom, TaskTerms } from "../../core/engine.ts";
import { borrowScript } from "../loans.ts";
import { mailedBy } from "../verbs.ts";
import type { Mailing } from "./carrier.ts";

/** A taker of mail was lent some, or was told when to ask again. */
interface Told {
  readonly is: "lent";
  readonly home: number;
}

type Mailed = (from: number, to: readonly number[], at: At<unknown>) => Promise<void>;

export class Lending {
  readonly #told: Set<number> = new Set();
  readonly #mailed: Mailed;

  /** `mailed`: carries what a home wrote for others. */
  constructor(mailed: Mailed) {
    this.#mailed = mailed;
  }

  /** What the takers of mail answered. */
  heard(answers: readonly unknown[]): void {
    for (const answer of answers) if (isTold(answer)) this.#told.add(answer.home);
  }

  /** Whether there is reason to claim there again: most limits that are full stay so. */
  hasNews(home: number): boolean {
    return this.#told.delete(home);
  }

  /** For those of these works that are to run from their start, as long as there is something to be had. */
  async borrow(home: number, verbs: Mailing, atoms: readonly Atom[], at: At<unknown>): Promise<void> {
    for (const asked of wantedBy(atoms)) {
      for (let isNews = true; isNews;) {
        const mailed = mailedBy(borrowScript, await verbs.call(borrowScript, "write", asked, at));
        if (mailed.length > 0) await this.#mailed(home, mailed, at);
        isNews = mailed.length > 0 && this.hasNews(home);
      }
    }
  }
}

/** Terms with limits or needs, and how many are to run under them. */
function wantedBy(atoms: readonly Atom[]): Iterable<{ readonly terms: TaskTerms; readonly count: number }> {
  const wanted = new Map<string, { readonly terms: TaskTerms; readonly count: number }>();
  for (const { works } of atoms) {
    for (const work of works) {
      const terms = work.kind === "job" ? work.lease?.terms : undefined;
      if (terms === undefined || (isNone(terms.gates) && isNone(Object.keys(terms.needs ?? {})))) continue;
      const key = JSON.stringify(terms);
      wanted.set(key, { terms, count: (wanted.get(key)?.count ?? 0) + 1 });
    }
  }
  return wanted.values();
}

function isNone(list: readonly unknown[] | undefined): boolean {
  return list === undefined || list.length === 0;
}

function isTold(answer: unknown): answer is Told {
  return typeof answer === "object" && answer !== null && (answer as Partial<Told>).is === "lent";
}
