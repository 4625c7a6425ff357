/** Hands out the most urgent ready jobs of the asked lines. Costs O(lines + jobs), whatever waits behind closed lines. */
import { tidyMax } from "../core/defaults.ts";
import { fragment } from "./fragment.ts";
import type { Fragment, Main } from "./fragment.ts";
import { plainClaim } from "./plainClaim.ts";

/** Places of scheduled jobs that one claim promotes: each costs the server about 10 µs until its job has ended, and a script keeps all others waiting. */
const placesMost = 250;

export const claimFragment: Fragment = fragment(
  "claim",
  String.raw`
local tidyMax, placesMost = ${tidyMax}, ${placesMost}

local nothing = {}

-- What another home decided is told as if it were decided here.
function M.claimed_job(job)
  local line, elsewhere = U.line.get(job.line), job.asMember or nothing
  local lane = job.lane or elsewhere.lane
  return {
    id = job.id, task = line.task, queue = line.queue, payload = job.payload, attempt = job.attempts + 1, starts = job.starts, suspects = job.suspects,
    enqueuedAt = job.enqueuedAt, dueAt = job.dueAt, isOrdered = lane ~= nil, lane = lane and lane.width == 1 and lane.key or nil,
    join = job.join and U.joins.by_seq(job.join).id or elsewhere.join, isAfter = job.after and #job.after > 0 or elsewhere.isAfter, checkpoint = job.checkpoint,
    expecting = job.expecting, version = job.version, from = job.from, slotAt = job.slotAt,
  }
end

local function has_bounds(wanted)
  if wanted.alone == 'only' then return true end
  for _, terms in pairs(wanted.terms or {}) do
    if next(terms) then return true end
  end
  return false
end

-- Most often they stand in order already.
local function by_first(spans)
  local firsts, places, isSorted = {}, {}, true
  for at = 1, #spans, 3 do
    local first = spans[at]
    isSorted = isSorted and (at == 1 or spans[at - 3] < first)
    firsts[#firsts + 1], places[first] = first, at
  end
  if isSorted then return spans end
  table.sort(firsts)
  local sorted = {}
  for index, first in ipairs(firsts) do
    local at = places[first]
    sorted[index * 3 - 2], sorted[index * 3 - 1], sorted[index * 3] = first, spans[at + 1], spans[at + 2]
  end
  return sorted
end

local function choose(wanted, fence)
  local out = U.choice.open(wanted, fence)
  if has_bounds(wanted) then U.handOut.choose(out) else U.handSpans.choose(out) end
  if S.loans then out.wants = U.loans.close() end
  if #out.seqs > 0 then
    U.claims.add(wanted.process, wanted.claim, string.format('%.0f', fence), by_first(out.spans), out.laned)
    U.processes.of(wanted.process, wanted.leaseMs)
  end
  return out
end

-- Nothing bears this fence: then it need not be written. That of a new era is.
local function forget_fence(before, wasChanged)
  S.meta.fence, S.changed.fence = before, wasChanged
end

-- Most stores have none that count starts: that is seen without the module of limits.
local hasStarts
local function has_starts()
  if rawget(U, 'limits') then return true end
  if hasStarts == nil then hasStarts = call('EXISTS', K .. ':lstarts', K .. ':lwait') > 0 end
  return hasStarts
end

local function next_due(out)
  local at = U.scheduled.first()
  for _, free in ipairs({ has_starts() and U.limits.next_free() or false, U.choice.next_free(out) or false }) do
    if free and (at == nil or free < at) then at = free end
  end
  return at and math.max(0, at - S.now) or nil
end
M.next_due = next_due

function M.claim(wanted)
  local isSettling = #wanted.settling.batches + #wanted.settling.others > 0
  local settled = isSettling and U.outcomes.settle(wanted.settling) or {}
  -- Late ones first, so that none of them asks for room.
  U.due.skip_late_ones(tidyMax)
  U.due.promote(tidyMax, placesMost)
  if has_starts() then U.limits.expire(tidyMax) end
  U.aftermath.run()
  if isSettling then settled = U.settle.with_states(settled) end
  local before, wasChanged = S.meta.fence, S.changed.fence
  local fence = U.meta.next_fence(wanted.lastFence)
  local out = choose(wanted, fence)
  local claimed = {}
  for i, job in ipairs(out.jobs) do claimed[i] = M.claimed_job(job) end
  -- Starts that count from now on move the time of the next room.
  U.aftermath.run()
  if out.count == 0 then forget_fence(before, wasChanged) end
  return out, {
    now = S.now, fence = string.format('%.0f', fence), settled = settled, spans = out.spans, runs = out.runs, jobs = claimed,
    hasSuspects = U.choice.has_suspects(out), nextDueMs = next_due(out), wants = out.wants,
  }
end

function M.templates(numbers)
  local templates = {}
  for number in pairs(numbers) do
    local t = U.template.get(number)
    templates[tostring(number)] = { task = t.task, queue = t.queue, version = t.version, isLaned = t.ifDead ~= nil or nil }
  end
  return templates
end

-- Those that lanes were looked through for are read already.
function M.texts(out)
  if #out.laned > 0 then return U.job.texts(out.seqs) end
  local texts = {}
  for from = 1, #out.seqs, 1000 do
    local found = call('HMGET', K .. ':j', unpack(out.seqs, from, math.min(from + 999, #out.seqs)))
    if from == 1 then texts = found else for _, text in ipairs(found) do texts[#texts + 1] = text end end
  end
  return texts
end

-- One who was given less than asked for is idle: he must hear of what comes.
function M.note_idle(wanted, count)
  local asked = 0
  for _, queue in ipairs(wanted.queues) do asked = asked + queue.slots + queue.ahead end
  if count < asked then U.meta.set('idle', 1) end
end
`,
);

/** Answers the JSON of the claim, whether anybody was woken, and the texts of the slim jobs as they are stored. */
export const claimScript: Main = {
  verb: "claim",
  first: plainClaim,
  main: String.raw`
local wanted = cjson.decode(ARGV[2])
local out, answer = U.claim.claim(wanted)
answer.templates = U.claim.templates(out.templates)
if #out.laned > 0 then answer.numbers = out.seqs end
U.claim.note_idle(wanted, out.count)
if S.meta.homes > 1 then answer.head = U.head.of(out, answer.nextDueMs) end
local texts = U.claim.texts(out)
flush()
return { cjson.encode(answer), S.told, texts, S.mailed and U.mail.homes() or nil }
`,
};
