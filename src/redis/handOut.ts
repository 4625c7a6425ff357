/** One claim's choice among the ready jobs of its lines. */
import { claimMax } from "../core/defaults.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/**
 * Works on an open choice where terms bound it. A contest is one line, or all lines of a task whose fresh work goes beside its backlog, whatever queues they are
 * of. A contender is the first of a contest: seq, urgency, cursor, open, contest.
 */
export const handOutFragment: Fragment = fragment(
  "handOut",
  String.raw`
local claimMax = ${claimMax}

local function contests(out)
  local all, byTask = {}, {}
  for _, open in ipairs(out.lines) do
    local terms = U.choice.terms_of(out, open.task)
    local isOne = terms ~= nil and terms.freshFrom ~= nil
    local contest = isOne and byTask[open.task]
    if contest then contest.lines[#contest.lines + 1] = open
    else
      contest = { task = open.task, lines = { open } }
      all[#all + 1] = contest
      if isOne then byTask[open.task] = contest end
    end
  end
  return all
end

local function goes_before(a, b)
  return a.urgency < b.urgency or (a.urgency == b.urgency and a.seq < b.seq)
end

-- Of queues that are not full.
local function most_urgent(out, contest, which, kind, from)
  local best, of
  for _, open in ipairs(contest.lines) do
    local first = not open.queue.isFull and U.readyCursor.first(out.cursors, open.line, which, kind, from)
    if first and (best == nil or goes_before(first, best)) then best, of = first, open end
  end
  return best and { seq = best.seq, urgency = best.urgency, cursor = best.cursor, open = of, contest = contest }
end

local function which_of(out, task, terms)
  if out.wanted.alone == 'only' then return 'alone' end
  if terms and terms.retriesMost and (out.retriesByTask[task] or 0) >= terms.retriesMost then return 'untried' end
  return 'together'
end

-- Every second one of a task that has a backlog is a fresh one.
local function next_of(out, contest)
  local task = contest.task
  local terms = U.choice.terms_of(out, task)
  local which, from = which_of(out, task, terms), terms and terms.freshFrom
  if from == nil then return most_urgent(out, contest, which, 'any') end
  local isFresh = U.choice.handed(out, task) % 2 == 0
  return most_urgent(out, contest, which, isFresh and 'fresh' or 'stale', from) or most_urgent(out, contest, which, isFresh and 'stale' or 'fresh', from)
end

-- The first jobs compete, the most urgent last in the list; the contest that gave one competes again with its next, until its queues have enough.
local function compete(out, contest)
  local next = next_of(out, contest)
  if next == nil then return end
  local competing = out.competing
  local low, high = 1, #competing + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if goes_before(next, competing[middle]) then low = middle + 1 else high = middle end
  end
  table.insert(competing, low, next)
end

local function may_have_more(out, task, terms)
  return terms == nil or terms.most == nil or U.choice.handed(out, task) < terms.most
end

-- As many as it would be given more, if there were room.
local function lack(out, open, terms)
  local most = math.min(open.queue.queue.slots - open.queue.taken, U.line.counted(open.line, 'ready'), (terms.most or math.huge) - U.choice.handed(out, open.task))
  if out.wanted.alone == 'only' then most = math.min(most, 1) end
  if most > 0 then U.gates.lack(terms, most, open.line) end
end

-- One of a span goes as it stands, unless it is to hold what gates and needs say.
local function take(out, best, terms)
  local open, cursor = best.open, best.cursor
  local template = not U.start.is_gated(terms) and cursor.template
  if template and U.template.get(template).ifDead then template = nil end
  if not template then
    if U.choice.take_job(out, open, U.job.by_seq(best.seq)) then U.readyCursor.advance(cursor, false) end
  elseif U.choice.place_in(out, open.queue, true) then
    U.readyCursor.advance(cursor, true)
    U.choice.hand_out_span(out, open, best.seq, 1, template)
  else
    open.queue.isFull = true
  end
end

local function consider(out, best)
  local contest = best.contest
  local terms = U.choice.terms_of(out, contest.task)
  if not may_have_more(out, contest.task, terms) then return end
  if terms and not U.gates.has_room(terms) then
    if S.meta.homes > 1 then lack(out, best.open, terms) end
    return
  end
  -- Its queue is full by now, or another kind of its task has its turn, or it was tried and no more of these may go: then another one competes for it.
  local next = next_of(out, contest)
  if next and next.seq == best.seq then
    take(out, best, terms)
    U.choice.close_if_full(best.open.queue)
  end
  compete(out, contest)
end

function M.choose(out)
  if out.isLost then return end
  out.cursors, out.competing = {}, {}
  local most = out.wanted.alone == 'only' and 1 or claimMax
  for _, contest in ipairs(contests(out)) do compete(out, contest) end
  while not U.choice.is_over(out, most) and #out.competing > 0 do consider(out, table.remove(out.competing)) end
  U.readyCursor.close(out.cursors)
end
`,
);
