/** Outcomes as they go to the store and come back: most are plain completions, which are told in columns and need no answer of their own. */
import type { Outcome, Settled } from "../core/engine.ts";
import { errorOf } from "./refused.ts";
import type { Refusal } from "./refused.ts";

/** `ids`, `of`, `at` and `ran` are of one length, and so are `others` and `othersAt`. `at`: places among the outcomes. */
export interface ToldOutcomes {
  /** The claims under which the plain ones ran, and their fences. */
  readonly claims: readonly string[];
  readonly fences: readonly number[];
  readonly ids: readonly string[];
  /** Which of the claims, from 1 on. */
  readonly of: readonly number[];
  readonly at: readonly number[];
  readonly ran: readonly number[];
  readonly others: readonly Outcome[];
  readonly othersAt: readonly number[];
  /** Follow-up work may want a key that another outcome frees: then those with keys keep their place in the order. */
  readonly mayFollow: boolean;
}

/** One that was no plain completion. */
export interface StoredSettled extends Omit<Settled, "error"> {
  readonly at: number;
  readonly error?: Refusal;
}

/** An id that is met again, in whatever outcome, is no plain one. */
export function tell(outcomes: readonly Outcome[]): ToldOutcomes {
  const times = timesOf(outcomes);
  const claims = new Map<string, number>();
  const told = { claims: [] as string[], fences: [] as number[], ids: [] as string[], of: [] as number[], at: [] as number[], ran: [] as number[] };
  const others = { others: [] as Outcome[], othersAt: [] as number[] };
  for (const [at, outcome] of outcomes.entries()) {
    if (!isPlain(outcome) || times?.get(outcome.id) !== undefined) {
      others.others.push(outcome);
      others.othersAt.push(at);
      continue;
    }
    const name = `${outcome.fence} ${outcome.claim}`;
    const of = claims.get(name) ?? told.claims.push(outcome.claim);
    if (of > told.fences.length) told.fences.push(outcome.fence);
    claims.set(name, of);
    told.ids.push(outcome.id);
    told.of.push(of);
    told.at.push(at);
    told.ran.push(outcome.ranMs);
  }
  return { ...told, ...others, mayFollow: others.others.some(({ is, follow }) => follow !== undefined || is === "dead") };
}

/** `stored`: of those that were no plain completion. */
export function settledOf(outcomes: readonly Outcome[], stored: readonly StoredSettled[]): Settled[] {
  const settled: Settled[] = outcomes.map(({ id }) => ({ id, is: "settled", state: "completed" }));
  for (const { at, ...answer } of stored) settled[at] = answerOf(answer);
  return settled;
}

export function answerOf({ error, ...answer }: Omit<StoredSettled, "at">): Settled {
  return error === undefined ? answer : { ...answer, error: errorOf(error) };
}

function isPlain({ is, follow, checkpoint, result }: Outcome): boolean {
  return is === "completed" && follow === undefined && checkpoint === undefined && result === undefined;
}

/** Only those that are met more than once. */
function timesOf(outcomes: readonly Outcome[]): ReadonlyMap<string, number> | undefined {
  const ids = new Set(outcomes.map(({ id }) => id));
  if (ids.size === outcomes.length) return undefined;
  const times = new Map<string, number>();
  for (const { id } of outcomes) if (!ids.delete(id)) times.set(id, (times.get(id) ?? 1) + 1);
  return times;
}
