/** Outcomes as they go to the store and come back: most are plain completions, which are told in columns and need no answer of their own. */
import type { Outcome, Settled } from "../core/engine.ts";
import { errorOf } from "../core/refused.ts";
import type { Refusal } from "../core/refused.ts";

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
  /** Plain ones whose numbers are known: by claim, in order, as texts of arrays. */
  readonly batches: readonly { readonly claim: string; readonly fence: number; readonly seqs: string; readonly ran: string }[];
  /** Follow-up work may want a key that another outcome frees: then those with keys keep their place in the order. */
  readonly mayFollow: boolean;
}

/** One that was no plain completion: its place, or its number. */
export interface StoredSettled extends Omit<Settled, "error"> {
  readonly at?: number;
  readonly seq?: number;
  readonly error?: Refusal;
}

/** The numbers of jobs that were handed out here, by their ids. What settles under a number need not be looked for. An id may come again, with another number. */
export type Seqs = Map<string, { readonly seq: number; readonly fence: number }>;

/** An id that is met again, in whatever outcome, is no plain one. */
export function tell(outcomes: readonly Outcome[], seqs: Seqs): ToldOutcomes {
  const times = timesOf(outcomes);
  const claims = new Map<string, Under>();
  const told = { claims: [] as string[], fences: [] as number[], ids: [] as string[], of: [] as number[], at: [] as number[], ran: [] as number[] };
  const others = { others: [] as Outcome[], othersAt: [] as number[] };
  for (const [at, outcome] of outcomes.entries()) {
    if (!isPlain(outcome) || times?.get(outcome.id) !== undefined) {
      others.others.push(outcome);
      others.othersAt.push(at);
      continue;
    }
    const under = underOf(claims, outcome);
    const known = seqs.get(outcome.id);
    if (known?.fence === outcome.fence) {
      under.plain.push([known.seq, outcome.ranMs]);
      continue;
    }
    under.of ??= told.claims.push(outcome.claim);
    if (under.of > told.fences.length) told.fences.push(outcome.fence);
    told.ids.push(outcome.id);
    told.of.push(under.of);
    told.at.push(at);
    told.ran.push(outcome.ranMs);
  }
  return { ...told, ...others, batches: batchesOf(claims), mayFollow: others.others.some(({ is, follow }) => follow !== undefined || is === "dead") };
}

/** `stored`: of those that were no plain completion. They have no number any more. */
export function settledOf(outcomes: readonly Outcome[], stored: readonly StoredSettled[], seqs: Seqs): Settled[] {
  const settled: Settled[] = outcomes.map(({ id }) => ({ id, is: "settled", state: "completed" }));
  // By id first: another call may have made the number forgotten meanwhile. What is gone from the store is answered with its number alone.
  const places = stored.some(({ at }) => at === undefined) ? placesOf(outcomes, seqs) : undefined;
  for (const { at, seq, ...answer } of stored) {
    const place = at ?? places?.get(answer.id) ?? places?.get(seq) ?? 0;
    settled[place] = { ...answerOf(answer), id: outcomes[place]?.id ?? answer.id };
  }
  forget(outcomes, seqs);
  return settled;
}

function placesOf(outcomes: readonly Outcome[], seqs: Seqs): ReadonlyMap<string | number | undefined, number> {
  const places = new Map<string | number | undefined, number>();
  for (const [at, { id }] of outcomes.entries()) places.set(id, at).set(seqs.get(id)?.seq, at);
  return places;
}

/** Their runs are over, unless they only saved. */
export function forget(outcomes: readonly Outcome[], seqs: Seqs): void {
  for (const { id, is } of outcomes) if (is !== "saved") seqs.delete(id);
}

export function answerOf({ error, ...answer }: Omit<StoredSettled, "at" | "seq">): Settled {
  return error === undefined ? answer : { ...answer, error: errorOf(error) };
}

interface Under {
  readonly claim: string;
  readonly fence: number;
  readonly plain: [seq: number, ranMs: number][];
  of: number | undefined;
}

/** Most outcomes of one call ran under the same few claims. */
function underOf(claims: Map<string, Under>, { claim, fence }: Outcome): Under {
  const known = claims.get(claim);
  if (known?.fence === fence) return known;
  const name = known === undefined ? claim : `${fence} ${claim}`;
  const under = claims.get(name) ?? { claim, fence, plain: [], of: undefined };
  claims.set(name, under);
  return under;
}

function batchesOf(claims: ReadonlyMap<string, Under>): ToldOutcomes["batches"] {
  const batches = [];
  for (const { claim, fence, plain } of claims.values()) {
    if (plain.length === 0) continue;
    plain.sort(([a], [b]) => a - b);
    batches.push({ claim, fence, seqs: `{${plain.map(([seq]) => seq).join()}}`, ran: `{${plain.map(([, ran]) => ran).join()}}` });
  }
  return batches;
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
