/** Calls of a producer: each is written down before it is made and after it is answered, and is made again where nobody can tell whether it was done. */
import { ErrandError } from "../../core/errors.ts";
import type { AnswerLine, Asked, HistoryWriter } from "../history.ts";
import { sleep } from "../sleep.ts";

const againMost = 100;
const againMs = 200;

/** What of an answer the checker is to see. */
export type Noted = Pick<AnswerLine, "id" | "isDuplicate" | "cancelled" | "fence">;

export class Calls {
  readonly #history: HistoryWriter;
  readonly #isStopping: () => boolean;

  constructor(history: HistoryWriter, isStopping: () => boolean) {
    this.#history = history;
    this.#isStopping = isStopping;
  }

  /** Answers undefined where it failed. Never rejects. */
  async make<T>(asked: Asked, call: () => Promise<T>, noted: (answer: T) => Noted): Promise<T | undefined> {
    const seq = this.#history.call(asked);
    let attempt: () => Promise<unknown> = call;
    for (let tries = 0; ; tries++) {
      try {
        const answer = (await attempt()) as T;
        this.#history.write({ is: "ok", seq, ...noted(answer) });
        return answer;
      } catch (error) {
        const known = ErrandError.is(error) ? error : undefined;
        const isDefinite = known?.isDefinite === true;
        const code = known?.code ?? String(error).slice(0, 200);
        this.#history.write({ is: isDefinite ? "fail" : "info", seq, code });
        if (isDefinite || known === undefined || tries === againMost || !mayRepeat(asked) || this.#isStopping()) return undefined;
        attempt = () => known.again();
      }
      await sleep(againMs);
    }
  }
}

/** The others carry no id of the caller's. */
function mayRepeat({ op }: Asked): boolean {
  return op === "enqueue" || op === "bulk" || op === "publish" || op === "batch";
}
