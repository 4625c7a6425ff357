/**
 * Room at limits and resources over all keys that one home was lent by another (loans.ts). A claim that passes jobs over asks for it by mail, once; the answer of the claim
 * waits until that is carried, and what it causes. What comes later, when others have given some back, wakes those who wait for work.
 */

/** A taker of mail was lent some, or was told when to ask again. */
interface Told {
  readonly is: "lent";
  readonly home: number;
}

export class Lending {
  readonly #told: Set<number> = new Set();

  /** What the takers of mail answered. */
  heard(answers: readonly unknown[]): void {
    for (const answer of answers) if (isTold(answer)) this.#told.add(answer.home);
  }

  /** Whether there is reason to claim there again: most limits that are full stay so. */
  hasNews(home: number): boolean {
    return this.#told.delete(home);
  }
}

function isTold(answer: unknown): answer is Told {
  return typeof answer === "object" && answer !== null && (answer as Partial<Told>).is === "lent";
}
