/** Outcomes as they go to the store and come back: most are completions of slim jobs, which are told in spans and need no answer of their own. */
import type { Outcome, Settled } from "../core/engine.ts";
import type { ErrandError } from "../core/errors.ts";
import { shapeRefusal } from "../core/refusals.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";
import { errorOf } from "../core/refused.ts";
import type { Refusal } from "../core/refused.ts";

/** `spans`: numbers, first and last in turn, ascending. `after`: of how many of the others it is told after. */
export interface ToldOutcomes {
  readonly batches: readonly { readonly claim: string; readonly fence: number; readonly after: number; readonly spans: readonly number[] }[];
  readonly others: readonly Outcome[];
  /** Their places. */
  readonly othersAt: readonly number[];
}

/** What was no plain completion: its place, or its number. */
export interface StoredSettled extends Omit<Settled, "error" | "id"> {
  readonly id?: string;
  readonly at?: number;
  readonly seq?: number;
  readonly error?: Refusal;
}

/** The numbers of slim jobs that were handed out here, by their ids. An id may come again, with another number. */
export type Seqs = Map<string, { readonly seq: number; readonly fence: number }>;

interface Batch {
  readonly claim: string;
  readonly fence: number;
  readonly after: number;
  readonly seqs: number[];
}

/** In their order, since one that comes back waits behind who lives still. An outcome whose follow-up work no engine takes says so: it is refused where it is held. */
export function tell(outcomes: readonly Outcome[], seqs: Seqs): ToldOutcomes {
  const batches = new Map<string, Batch>();
  const others: Outcome[] = [];
  const othersAt: number[] = [];
  const repeated = repeatedIds(outcomes);
  for (const [at, outcome] of outcomes.entries()) {
    const known = isPlain(outcome) && !repeated.has(outcome.id) ? seqs.get(outcome.id) : undefined;
    const batch = known?.fence === outcome.fence ? batchOf(batches, outcome, others.length) : undefined;
    if (known === undefined || batch === undefined) {
      others.push(told(outcome));
      othersAt.push(at);
    } else {
      batch.seqs.push(known.seq);
    }
  }
  return { batches: Array.from(batches.values(), ({ seqs: own, ...batch }) => ({ ...batch, spans: spansOf(own) })), others, othersAt };
}

/** `stored`: of those that were no plain completions. */
export function settledOf(outcomes: readonly Outcome[], stored: readonly StoredSettled[], seqs: Seqs): Settled[] {
  const settled: Settled[] = outcomes.map(({ id }) => ({ id, is: "settled", state: "completed" }));
  const places = stored.some(({ at }) => at === undefined) ? new Map(outcomes.map(({ id }, at) => [seqs.get(id)?.seq, at])) : undefined;
  for (const { at, seq, error, id: _, ...answer } of stored) {
    const place = at ?? places?.get(seq) ?? 0;
    const { id = "" } = outcomes[place] ?? {};
    settled[place] = { ...answer, id, ...(error && { error: errorOf(error) }) };
  }
  for (const { id, is } of outcomes) if (is !== "saved") seqs.delete(id);
  return settled;
}

/** Of several outcomes of one job the first counts: they are told in their order. */
function repeatedIds(outcomes: readonly Outcome[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { id } of outcomes) (seen.has(id) ? repeated : seen).add(id);
  return repeated;
}

/** A claim's name comes with its fence; one that is named otherwise is told by itself. */
function batchOf(batches: Map<string, Batch>, { claim, fence }: Outcome, after: number): Batch | undefined {
  const name = `${after} ${fence}`;
  const known = batches.get(name);
  if (known !== undefined) return known.claim === claim ? known : undefined;
  const batch = { claim, fence, after, seqs: [] };
  batches.set(name, batch);
  return batch;
}

function isPlain({ is, follow, checkpoint, result }: Outcome): boolean {
  return is === "completed" && follow === undefined && checkpoint === undefined && result === undefined;
}

function told(outcome: Outcome): Outcome & { readonly refused?: Refusal } {
  const refusal = outcome.follow === undefined ? undefined : shapeRefusal({ works: outcome.follow });
  return refusal === undefined ? outcome : { ...outcome, refused: refusalOf(refusal) };
}

function refusalOf({ code, message, details }: ErrandError): Refusal {
  return { refusal: code, message, ...(details && { details }) };
}

function spansOf(seqs: number[]): number[] {
  const sorted = seqs.sort((a, b) => a - b);
  const spans: number[] = [];
  for (const seq of sorted) {
    if (spans.at(-1) === seq - 1) spans[spans.length - 1] = seq;
    else spans.push(seq, seq);
  }
  return spans;
}

export const outcomesFragment: Fragment = fragment(
  "outcomes",
  String.raw`
-- A slim one that left its claim meanwhile, for a record of its own, is settled by that. How long it ran was not told.
local function settle_others(batch, spans, settled)
  for at = 1, #spans, 2 do
    for seq = spans[at], spans[at + 1] do
      local job = U.job.by_seq(seq)
      local answers = job and U.settle.settle_each({ { id = job.id, claim = batch.claim, fence = batch.fence, is = 'completed' } })
      local answer = answers and answers[1] or { is = 'lease-lost' }
      answer.seq = seq
      settled[#settled + 1] = answer
    end
  end
end

local function completed(template, count)
  U.line.count(template.line, 'running', -count)
  U.line.count(template.line, 'completed', count)
end

-- They leave their lanes, which may have room then.
local function complete_laned(laned)
  local keys = {}
  for at, list in ipairs(laned) do keys[at] = list[2] end
  U.rows.load('lane', keys)
  local byTemplate = {}
  for _, list in ipairs(laned) do
    local seqs = { unpack(list, 3) }
    U.lanes.leave_many(list[2], seqs)
    local all = byTemplate[list[1]] or {}
    byTemplate[list[1]] = all
    for _, seq in ipairs(seqs) do all[#all + 1] = seq end
  end
  for template, seqs in pairs(byTemplate) do
    completed(U.template.get(template), #seqs)
    U.ended.push_many(seqs, template, S.now)
  end
end

local function complete(batch, settled)
  local taken, laned, others = U.claims.take(string.format('%.0f', batch.fence), batch.claim, batch.spans)
  for at = 1, #taken, 3 do completed(U.template.get(taken[at + 2]), taken[at + 1] - taken[at] + 1) end
  if #taken > 0 then U.ended.push_spans(taken, S.now) end
  if #laned > 0 then complete_laned(laned) end
  if #others > 0 then settle_others(batch, others, settled) end
end

local function settle_each(told, from, to, settled)
  if from > to then return end
  for at, answer in ipairs(U.settle.settle_each({ unpack(told.others, from, to) })) do
    answer.at = told.othersAt[from + at - 1]
    settled[#settled + 1] = answer
  end
end

-- told: batches of slim completions (fence, claim, spans as first and last in turn, and after how many of the others), others, and the places of these.
-- Answers those that were no plain completions; leaves what the endings let happen to the caller.
function M.settle(told)
  local settled, done = {}, 0
  for _, batch in ipairs(told.batches) do
    settle_each(told, done + 1, batch.after, settled)
    done = batch.after
    complete(batch, settled)
  end
  settle_each(told, done + 1, #told.others, settled)
  return settled
end
`,
);
