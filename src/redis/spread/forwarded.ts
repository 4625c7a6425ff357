/** What became of works that went on from the home of their atom: told where they arrive, to whoever carries them there. That is mostly who waits for it. */
import type { Enqueued } from "../../core/engine.ts";

/** As an atom's home answers for them, which knows only where they went. */
export interface Sent extends Enqueued {
  readonly forwarded?: number;
}

interface Arrived {
  readonly is: "works";
  readonly works: readonly (Sent & { readonly asked: string })[];
}

export class Forwarded {
  /** By the id that was asked for; undefined: not heard of yet. */
  readonly #expected: Map<string, Enqueued | undefined> = new Map();

  /** Before they are sent. */
  expect(ids: readonly string[]): void {
    for (const id of ids) this.#expected.set(id, undefined);
  }

  /** What takers of mail answered. */
  heard(answers: readonly unknown[]): void {
    for (const answer of answers) {
      if (!isArrived(answer)) continue;
      for (const { asked, forwarded: _, ...one } of answer.works) if (this.#expected.has(asked)) this.#expected.set(asked, one);
    }
  }

  /** Where another process carried them, they count as stored anew. */
  answers(sent: readonly Sent[]): Enqueued[] {
    return sent.map(({ forwarded, ...one }) => (forwarded === undefined ? one : (this.#expected.get(one.id) ?? one)));
  }

  forget(ids: readonly string[]): void {
    for (const id of ids) this.#expected.delete(id);
  }
}

function isArrived(answer: unknown): answer is Arrived {
  return typeof answer === "object" && answer !== null && (answer as Partial<Arrived>).is === "works" && Array.isArray((answer as Partial<Arrived>).works);
}
