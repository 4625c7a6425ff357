/** What actors do: a process that claims and settles, one that hands in, one that keeps house. */
import type * as port from "../../src/core/engine.ts";
import type { Ms } from "../../src/core/runtime.ts";
import { ask, isLost, pass, type Steps } from "./play.ts";

export const leaseMs: Ms = 10_000;
/** Whatever was leased before has expired when that is over. */
export const pastLease: Ms = leaseMs + 1;
export const queue = "q";
const keepMs: Ms = 86_400_000;

export function job(id: string, more: Partial<port.NewJob> = {}): port.NewJob {
  return {
    kind: "job",
    id,
    content: more.payload ?? "{}",
    rememberMs: 0,
    task: "t",
    queue,
    payload: "{}",
    headStartMs: 0,
    keep: { completed: keepMs, skipped: keepMs, cancelled: keepMs, dead: keepMs },
    ...more,
  };
}

export const atom = (...works: port.NewWork[]): port.Atom => ({ works });

/** A job that is held: under which claim. */
export interface Held extends Pick<port.Outcome, "id" | "claim" | "fence"> {
  readonly checkpoint: string | undefined;
}

export type Claiming = Partial<Pick<port.Claim, "tasks" | "terms" | "inRow" | "alone" | "settling">> & { readonly slots?: number };

/** A worker's process. It goes on under another name where it was lost. */
export class Hand {
  readonly name: string;
  readonly #tasks: readonly string[];
  #lives = 0;
  #claims = 0;
  #lastFence = 0;

  constructor(name: string, tasks: readonly string[] = ["t"]) {
    this.name = name;
    this.#tasks = tasks;
  }

  get process(): string {
    return this.#lives === 0 ? this.name : `${this.name}'${this.#lives}`;
  }

  /** What it was handed; nothing where the answer was lost. */
  *claim(wanted: Claiming = {}): Steps<readonly Held[]> {
    return (yield* this.claimAnd(wanted)).jobs;
  }

  *claimAnd({ slots = 1, ...wanted }: Claiming): Steps<{ readonly jobs: readonly Held[]; readonly settled: readonly port.Settled[] | undefined }> {
    const claim = `${this.process}-${++this.#claims}`;
    try {
      const claimed = yield* ask("claim", {
        process: this.process,
        leaseMs,
        claim,
        lastFence: this.#lastFence,
        queues: [{ queue, slots, ahead: 0 }],
        tasks: this.#tasks,
        alone: "no",
        settling: [],
        ...wanted,
      });
      this.#lastFence = Math.max(this.#lastFence, claimed.fence);
      return { jobs: claimed.jobs.map(({ id, fence = claimed.fence, checkpoint }) => ({ id, claim, fence, checkpoint })), settled: claimed.settled };
    } catch (error) {
      if (!isLost(error)) throw error;
      return { jobs: [], settled: undefined };
    }
  }

  /** Undefined: the answer was lost twice. */
  *settle(held: Held, is: port.Outcome["is"], more: Partial<port.Outcome> = {}): Steps<port.Settled["is"] | undefined> {
    const outcome = outcomeOf(held, is, more);
    for (let tries = 0; tries < 2; tries++) {
      try {
        const [answer] = yield* ask("settle", [outcome]);
        return answer?.is;
      } catch (error) {
        if (!isLost(error)) throw error;
      }
    }
    return undefined;
  }

  /** False: it is lost, and goes on as another. */
  *beat(): Steps<boolean> {
    try {
      const { isLost: isGone } = yield* ask("beat", this.process, leaseMs);
      if (isGone) this.#lives++;
      return !isGone;
    } catch (error) {
      if (!isLost(error)) throw error;
      return true;
    }
  }
}

export function outcomeOf({ id, claim, fence }: Held, is: port.Outcome["is"], more: Partial<port.Outcome> = {}): port.Outcome {
  return { id, claim, fence, is, ranMs: 1, ...more };
}

/** Claims so often, and settles whatever it is handed, before it claims again. */
export function* working(hand: Hand, times: number, ends: readonly port.Outcome["is"][] = ["completed"]): Steps {
  let nth = 0;
  for (let time = 0; time < times; time++) for (const held of yield* hand.claim()) yield* hand.settle(held, ends[nth++ % ends.length] ?? "completed");
}

/** What there is before anybody begins. */
export function* stored(...works: port.NewWork[]): Steps {
  yield* ask("enqueue", [{ works }]);
}

export function* nothing(): Steps {
  // Nobody begins with anything.
}

/** Hands in; where the answer is lost, the very same again. */
export function* enqueuing(
  atoms: readonly port.Atom[],
  answered: (answer: readonly (port.Enqueued[] | Error)[], isAgain: boolean) => void = () => undefined,
): Steps {
  for (let tries = 0; tries < 3; tries++) {
    try {
      answered(yield* ask("enqueue", atoms), tries > 0);
      return;
    } catch (error) {
      if (!isLost(error)) throw error;
    }
  }
}

export function* changing(which: port.Selection, change: port.Change, answered: (is: string) => void = () => undefined): Steps {
  try {
    const { jobs } = yield* ask("change", which, change, 100);
    answered(jobs[0]?.is ?? "none");
  } catch (error) {
    if (!isLost(error)) throw error;
  }
}

/** Time passes, and what it left is tidied up, so often. */
export function* housekeeping(times: number, ms: Ms = pastLease): Steps {
  for (let time = 0; time < times; time++) {
    yield* pass(ms);
    yield* tidying();
  }
}

export function* tidying(mayExpire = true): Steps {
  yield* ask("tidy", { items: 100, mayExpire });
}
