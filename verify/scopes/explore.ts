/**
 * All schedules of a scope, one after the other: each is played from a fresh store, and goes on from the last place at which another choice is left. Nothing is left out
 * but by the two rules of {@link file://./play.ts}, and none is played twice: schedules differ in a choice.
 */

/** Answers which of so many goes on. */
export type Choose = (options: number) => number;

/** A schedule: which option was taken at each choice, a digit for each. */
export type Choices = string;

const radix = 36;

export class Choosing {
  readonly #given: readonly number[];
  readonly taken: number[] = [];
  readonly #most: number[] = [];

  constructor(given: readonly number[] = []) {
    this.#given = given;
  }

  readonly choose: Choose = (options) => {
    const choice = this.#given[this.taken.length] ?? 0;
    if (choice >= options) throw new RangeError(`choice ${this.taken.length + 1} of a schedule is option ${choice} of ${options}: it is not of this scope`);
    this.taken.push(choice);
    this.#most.push(options);
    return choice;
  };

  get choices(): Choices {
    return this.taken.map((choice) => choice.toString(radix)).join("");
  }

  /** The schedule after this one; undefined: it was the last. */
  next(): Choosing | undefined {
    for (let place = this.taken.length - 1; place >= 0; place--) {
      const choice = (this.taken[place] ?? 0) + 1;
      if (choice < (this.#most[place] ?? 0)) return new Choosing([...this.taken.slice(0, place), choice]);
    }
    return undefined;
  }

  static of(choices: Choices): Choosing {
    return new Choosing(Array.from(choices, (digit) => Number.parseInt(digit, radix)));
  }
}

/** A thing that is done in steps, each of which may have to be waited for. */
export type Doing<T> = Generator<unknown, T, unknown>;

/** On a store that answers at once. */
export function doAtOnce<T>(doing: Doing<T>): T {
  let step = doing.next();
  while (step.done !== true) {
    if (step.value instanceof Promise) throw new TypeError("a store that was to answer at once did not");
    step = doing.next(step.value);
  }
  return step.value;
}

export async function doInTime<T>(doing: Doing<T>): Promise<T> {
  let step = doing.next();
  while (step.done !== true) {
    try {
      const answer = await step.value;
      step = doing.next(answer);
    } catch (error) {
      step = doing.throw(error);
    }
  }
  return step.value;
}
