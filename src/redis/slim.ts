/** Jobs without unique key, deadline, join, predecessor or limit, and those in lanes of width 1: stored as they come, many in a call, without a record of their own. */
import { enqueueMax } from "../core/defaults.ts";
import type { Atom, NewJob, NewWork } from "../core/engine.ts";
import type { Instant, Ms } from "../core/runtime.ts";
import type { JobState } from "../core/states.ts";
import { script } from "./fragment.ts";
import type { Main } from "./fragment.ts";

/** Works of one call of a script, at most. */
export const slimMost = 1_000;

/** By their codes in the answer. */
export const slimStates: readonly JobState[] = ["ready", "scheduled", "blocked"];

const separator = "\u001f";

/** Those whose ids errand made: others are compared by content, and remembered. */
function isSlim(work: NewWork): work is NewJob {
  if (work.kind !== "job" || work.unique !== undefined || work.startBy !== undefined || work.startWithinMs !== undefined) return false;
  if (work.expecting !== undefined || work.from !== undefined || work.slot !== undefined || work.rememberMs > 0) return false;
  if (work.join !== undefined || !isNone(work.after) || !isNone(work.keyLimits) || work.lease !== undefined) return false;
  return hasSlimLane(work) && isWhole(work) && !work.id.includes(separator) && !work.content.includes(separator);
}

export function isSlimAtom(atom: Atom): boolean {
  return (atom.notes === undefined || atom.notes.length === 0) && atom.works.length > 0 && atom.works.length <= enqueueMax && atom.works.every(isSlim);
}

function hasSlimLane({ lane, delayMs, dueAt }: NewJob): boolean {
  return lane === undefined || (lane.width === 1 && delayMs === undefined && dueAt === undefined && !lane.key.includes(separator));
}

/** Spans stand by whole milliseconds. */
function isWhole({ delayMs = 0, dueAt = 0, headStartMs }: NewJob): boolean {
  return Number.isSafeInteger(delayMs) && Number.isSafeInteger(dueAt) && Number.isSafeInteger(headStartMs);
}

function isNone(list: readonly unknown[] | undefined): boolean {
  return list === undefined || list.length === 0;
}

/** What follows each other and is alike: a template, how many, how long they wait or until when, and their head start. */
type Group = [template: string, count: number, delayMs: Ms | null, dueAt: Instant | null, headStartMs: Ms];

/** What the scripts are told of slim atoms: beside the groups, in their order, of each its id, its text and its lane. */
export interface Gathered {
  readonly groups: readonly Group[];
  readonly ids: readonly string[];
  readonly bodies: readonly string[];
  readonly lanes: readonly string[];
  readonly hasLanes: boolean;
}

/** Undefined where an id is there twice. */
export function gathered(atoms: readonly Atom[]): Gathered | undefined {
  const ids: string[] = [];
  const bodies: string[] = [];
  const groups: Group[] = [];
  const lanes: string[] = [];
  let hasLanes = false;
  let last: NewJob | undefined;
  let group: Group | undefined;
  for (const { works } of atoms) {
    for (const work of works as readonly NewJob[]) {
      ids.push(work.id);
      bodies.push(work.id + separator + work.content + separator + (work.lane === undefined ? "" : work.lane.key + separator) + work.payload);
      lanes.push(work.lane?.key ?? "");
      hasLanes ||= work.lane !== undefined;
      if (group !== undefined && last !== undefined && isAlike(last, work)) group[1] += 1;
      else groups.push((group = [templateOf(work), 1, work.delayMs ?? null, work.dueAt ?? null, work.headStartMs]));
      last = work;
    }
  }
  return new Set(ids).size < ids.length ? undefined : { groups, ids, bodies, lanes, hasLanes };
}

export function slimRequest({ groups, ids, bodies, lanes, hasLanes }: Gathered): readonly string[] {
  return [JSON.stringify(groups), String(ids.length), ...ids, ...bodies, ...(hasLanes ? lanes : [])];
}

function isAlike(a: NewJob, b: NewJob): boolean {
  return (
    a.task === b.task &&
    a.queue === b.queue &&
    a.headStartMs === b.headStartMs &&
    a.version === b.version &&
    a.delayMs === b.delayMs &&
    a.dueAt === b.dueAt &&
    a.lane?.ifDead === b.lane?.ifDead &&
    (a.keep === b.keep || isSameKeep(a.keep, b.keep))
  );
}

function isSameKeep(a: NewJob["keep"], b: NewJob["keep"]): boolean {
  return a.completed === b.completed && a.skipped === b.skipped && a.cancelled === b.cancelled && a.dead === b.dead;
}

/** Its text is its name: always in this order. */
function templateOf({ queue, task, keep, headStartMs, version, lane }: NewJob): string {
  const { completed, skipped, cancelled, dead } = keep;
  return JSON.stringify({ queue, task, headStartMs, version, ifDead: lane?.ifDead, rememberMs: 0, keep: { completed, skipped, cancelled, dead } });
}

/**
 * Answers whether anybody was woken, and how many are ready (0), scheduled (1) or blocked (2), in turn; or nothing, and nothing is stored, where an id is known, a lane
 * is closed, or there are too many templates.
 */
export const enqueueSlimScript: Main = script(
  "enqueueSlim",
  String.raw`
local count = tonumber(ARGV[3])
for from = 4, 3 + count, 1000 do
  local known = call('HMGET', K .. ':i', unpack(ARGV, from, math.min(from + 999, 3 + count)))
  for at = 1, #known do
    if known[at] then return {} end
  end
end
local lanesAt = #ARGV > 3 + 2 * count and 3 + 2 * count or nil
if lanesAt then
  local keys = {}
  for index = 1, count do
    if ARGV[lanesAt + index] ~= '' then keys[#keys + 1] = ARGV[lanesAt + index] end
  end
  U.rows.load('lane', keys)
  for _, key in ipairs(keys) do
    local lane = U.lanes.find(key)
    if lane and lane.closed then return {} end
  end
end
local groups = cjson.decode(ARGV[2])
for _, group in ipairs(groups) do
  if not U.template.is_taking(group[1]) then return {} end
end
local function tell_state(states, code, number)
  if states[#states] == code then states[#states - 1] = states[#states - 1] + number
  else states[#states + 1], states[#states + 2] = number, code end
end
local seq = U.meta.take_seqs(count)
-- Each takes its place in its lane: ready, or behind others.
local function arrive(from, number, group, template, states)
  local added, blocked = {}, 0
  for index = from, from + group[2] - 1 do
    local place = U.lane.arrive(U.lanes.of(ARGV[lanesAt + index]), { seq = seq + index - 1, lane = { width = 1 } })
    tell_state(states, place == 'admitted' and 0 or 2, 1)
    if place == 'admitted' then
      added[#added + 1], added[#added + 2] = S.now - template.headStartMs, U.spans.name(seq + index - 1, 1, number)
    else blocked = blocked + 1 end
  end
  U.rows.write('ZADD', U.ready.key(template.line, 'u'), added)
  if #added > 0 then S.woken = S.woken or 'ready' end
  U.line.count(template.line, 'ready', #added / 2)
  U.line.count(template.line, 'blocked', blocked)
end
U.blocks.count(seq, count, 1)
local ids, texts, waiting, at = {}, {}, {}, 0
local later
for _, group in ipairs(groups) do
  local number, template = U.template.of(group[1])
  local due = S.now
  if group[4] ~= cjson.null then due = math.max(due, group[4])
  elseif group[3] ~= cjson.null then due = math.max(due, due + group[3]) end
  local isWaiting = due > S.now
  local head = string.format(isWaiting and 'P%d %.0f %.0f\30' or 'P%d %.0f \30', number, S.now, due)
  if template.ifDead then arrive(at + 1, number, group, template, waiting)
  elseif isWaiting then
    local first = U.scheduled.first()
    U.scheduled.push_span(due, seq + at, group[2], number)
    if first == nil or due < first then S.woken = S.woken or 'ready' end
  else
    U.ready.push_span(template.line, due - template.headStartMs, seq + at, group[2], number)
    S.woken = S.woken or 'ready'
  end
  if not template.ifDead then
    U.line.count(template.line, isWaiting and 'scheduled' or 'ready', group[2])
    tell_state(waiting, isWaiting and 1 or 0, group[2])
  end
  for index = at + 1, at + group[2] do
    local name = tostring(seq + index - 1)
    ids[index * 2 - 1], ids[index * 2] = ARGV[3 + index], name
    texts[index * 2 - 1], texts[index * 2] = name, head .. ARGV[3 + count + index]
  end
  at = at + group[2]
end
for from = 1, count * 2, 2000 do
  local to = math.min(from + 1999, count * 2)
  call('HSET', K .. ':i', unpack(ids, from, to))
  call('HSET', K .. ':j', unpack(texts, from, to))
end
flush()
return { S.told, waiting }
`,
);
