/** What became of works that went on from the home of their atom: told where they arrive, to whoever carries them there. That is mostly who waits for it. */
import type { Enqueued } from "../../core/engine.ts";
import { statesOf } from "../slim.ts";

/** As an atom's home answers for them, which knows only where they went. */
export interface Sent extends Enqueued {
  readonly forwarded?: number;
}

/** Its home knows only where it went. */
export function isAway(answer: Sent): boolean {
  return answer.forwarded !== undefined;
}

interface Arrived {
  readonly is: "works";
  readonly works: readonly (Sent & { readonly asked: string })[];
}

/** Slim ones, all of a letter: known by the first of it. */
interface ArrivedSlim {
  readonly is: "slim";
  readonly first: string;
  readonly states: readonly number[];
}

export class Forwarded {
  /** By the id that was asked for; undefined: not heard of yet. */
  readonly #expected: Map<string, Enqueued | undefined> = new Map();
  /** Their ids, by the first. */
  readonly #letters: Map<string, readonly string[]> = new Map();

  /** Before they are sent. */
  expect(ids: readonly string[]): void {
    for (const id of ids) this.#expected.set(id, undefined);
  }

  /** Before they are sent: those of one letter. */
  expectLetter(ids: readonly string[]): void {
    this.#letters.set(ids[0] ?? "", ids);
  }

  /** What takers of mail answered. */
  heard(answers: readonly unknown[]): void {
    for (const answer of answers) {
      if (isArrivedSlim(answer)) this.#heardSlim(answer);
      if (!isArrived(answer)) continue;
      for (const { asked, forwarded: _, ...one } of answer.works) if (this.#expected.has(asked)) this.#expected.set(asked, one);
    }
  }

  #heardSlim({ first, states }: ArrivedSlim): void {
    const ids = this.#letters.get(first) ?? [];
    for (const [nth, state] of statesOf(states).entries()) {
      const id = ids[nth];
      if (id !== undefined && this.#expected.has(id)) this.#expected.set(id, { id, isDuplicate: false, state });
    }
  }

  /** Where another process carried them, they count as stored anew. */
  answers(sent: readonly Sent[]): Enqueued[] {
    return sent.map(({ forwarded, ...one }) => (forwarded === undefined ? one : (this.#expected.get(one.id) ?? one)));
  }

  forget(ids: readonly string[]): void {
    for (const id of ids) {
      this.#expected.delete(id);
      this.#letters.delete(id);
    }
  }
}

function isArrived(answer: unknown): answer is Arrived {
  return typeof answer === "object" && answer !== null && (answer as Partial<Arrived>).is === "works" && Array.isArray((answer as Partial<Arrived>).works);
}

function isArrivedSlim(answer: unknown): answer is ArrivedSlim {
  return typeof answer === "object" && answer !== null && (answer as Partial<ArrivedSlim>).is === "slim";
}
