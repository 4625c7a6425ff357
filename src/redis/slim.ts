/** Jobs without unique key, deadline, join, predecessor or limit, and those in lanes of width 1: stored as they come, many in a call, without a record of their own. */
import { enqueueMax } from "../core/defaults.ts";
import type { Atom, NewJob, NewWork } from "../core/engine.ts";
import type { JobState } from "../core/states.ts";
import { script } from "./fragment.ts";
import type { Main } from "./fragment.ts";
import type { Parted } from "./gathered.ts";

/** Works of one call of a script, at most. */
export const slimMost = 1_000;

/** By their codes in the answer. */
const slimStates: readonly JobState[] = ["ready", "scheduled", "blocked"];

/** Of each, as it is told: how many, and their code, in turn. */
export function statesOf(told: readonly number[]): readonly JobState[] {
  const states: JobState[] = [];
  for (let at = 0; at < told.length; at += 2) {
    for (let nth = 0; nth < (told[at] ?? 0); nth += 1) states.push(slimStates[told[at + 1] ?? 0] ?? "ready");
  }
  return states;
}

export const slimSeparator = "\u001f";

/** Those whose ids errand made: others are compared by content, and remembered. */
function isSlim(work: NewWork): work is NewJob {
  if (work.kind !== "job" || work.unique !== undefined || work.startBy !== undefined || work.startWithinMs !== undefined) return false;
  if (work.expecting !== undefined || work.from !== undefined || work.slot !== undefined || work.rememberMs > 0) return false;
  if (work.join !== undefined || !isNone(work.after) || !isNone(work.keyLimits) || work.lease !== undefined) return false;
  return hasSlimLane(work) && isWhole(work) && !work.id.includes(slimSeparator) && !work.content.includes(slimSeparator);
}

export function isSlimAtom(atom: Atom): boolean {
  return (atom.notes === undefined || atom.notes.length === 0) && atom.works.length > 0 && atom.works.length <= enqueueMax && atom.works.every(isSlim);
}

function hasSlimLane({ lane, delayMs, dueAt }: NewJob): boolean {
  return lane === undefined || (lane.width === 1 && delayMs === undefined && dueAt === undefined && !lane.key.includes(slimSeparator));
}

/** Spans stand by whole milliseconds. */
function isWhole({ delayMs = 0, dueAt = 0, headStartMs }: NewJob): boolean {
  return Number.isSafeInteger(delayMs) && Number.isSafeInteger(dueAt) && Number.isSafeInteger(headStartMs);
}

function isNone(list: readonly unknown[] | undefined): boolean {
  return list === undefined || list.length === 0;
}

export function slimRequest({ here, letters }: Parted): readonly string[] {
  const { groups, ids, bodies, hasLanes, lanes } = here;
  const heads = letters.map((letter) => [letter.home, letter.ids.length]);
  return [JSON.stringify([groups, heads]), String(ids.length), ...ids, ...bodies, ...(hasLanes ? lanes : []), ...letters.map(({ text }) => text)];
}

/**
 * Answers whether anybody was woken, and how many are ready (0), scheduled (1) or blocked (2), in turn; or nothing, and nothing is stored, where an id is known, a lane
 * is closed, or there are too many templates. What other homes are sent is written down with it.
 */
export const enqueueSlimScript: Main = script(
  "enqueueSlim",
  String.raw`
local asked, count = cjson.decode(ARGV[2]), tonumber(ARGV[3])
local letters = asked[2]
local lettersAt = #ARGV - #letters
local given = { groups = asked[1], count = count, ids = ARGV, idsAt = 3, bodies = ARGV, bodiesAt = 3 + count, lanes = ARGV }
if lettersAt > 3 + 2 * count then given.lanesAt = 3 + 2 * count end
if U.slim.is_refused(given) then return {} end
local states = U.slim.store(given)
for at, letter in ipairs(letters) do U.mail.send_text(letter[1], letter[2], ARGV[lettersAt + at]) end
flush()
return { S.told, states, S.mailed and U.mail.homes() }
`,
);
