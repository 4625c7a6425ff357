/** One claim's choice among the ready jobs of its lines. */
import { claimMax } from "../core/defaults.ts";
import { pausedQueue, pausedTask } from "../core/notes.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/**
 * An open line: line, task, queue. An open queue: queue, taken and ahead (jobs that can start at once, jobs that are held ahead), isFull. A contest is one line,
 * or all lines of a task whose fresh work goes beside its backlog, whatever queues they are of. A contender is the first of a contest: seq, urgency, cursor,
 * open, contest.
 *
 * Handed out: jobs; slim ones in spans (first, last, template in turn) and their numbers, seqs; runs: how many of spans and of jobs, in turn; count: of both.
 */
export const handOutFragment: Fragment = fragment(
  "handOut",
  String.raw`
local claimMax = ${claimMax}

local function is_paused(out, key)
  if out.paused[key] == nil then out.paused[key] = U.notes.read(key) ~= nil end
  return out.paused[key]
end

-- A paused line is passed over; running jobs go on. Of a line that nothing is ready in there is nothing to choose.
local function open_lines(out)
  local wanted, asked, lines = out.wanted, {}, {}
  for _, queue in ipairs(wanted.queues) do
    local open = { queue = queue, taken = 0, ahead = 0, isFull = false }
    for _, task in ipairs(wanted.tasks) do asked[#asked + 1] = { queue = open, task = task, name = U.line.name(queue.queue, task) } end
  end
  for _, open in ipairs(U.line.with_ready(asked)) do
    if not is_paused(out, '${pausedQueue("")}' .. open.queue.queue.queue) and not is_paused(out, '${pausedTask("")}' .. open.task) then lines[#lines + 1] = open end
  end
  return lines
end

-- Chooses nothing yet. Of a process that something was taken back from nothing is open: it must go on under a new id.
function M.open(wanted, fence)
  local out = {
    wanted = wanted, paused = {}, byTask = {}, retriesByTask = {}, laned = {}, cursors = {}, competing = {}, jobs = {}, spans = {}, seqs = {}, runs = { 0 }, count = 0,
    hands = { process = wanted.process, leaseMs = wanted.leaseMs, claim = wanted.claim, fence = fence, isAlone = wanted.alone == 'only' },
  }
  out.lines = open_lines(out)
  local process = #out.lines > 0 and U.processes.find(wanted.process)
  out.isLost = process and process.isLost or false
  return out
end

local function terms_of(out, task)
  local terms = out.wanted.terms
  return terms and terms[task]
end

local function contests(out)
  local all, byTask = {}, {}
  for _, open in ipairs(out.lines) do
    local terms = terms_of(out, open.task)
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

local function handed(out, task)
  return out.byTask[task] or 0
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
  local terms = terms_of(out, task)
  local which, from = which_of(out, task, terms), terms and terms.freshFrom
  if from == nil then return most_urgent(out, contest, which, 'any') end
  local isFresh = handed(out, task) % 2 == 0
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

local function has_room(out, task, terms)
  return terms == nil or ((terms.most == nil or handed(out, task) < terms.most) and U.gates.has_room(terms))
end

local function note(out, task, isJob, count)
  if (#out.runs % 2 == 0) ~= isJob then out.runs[#out.runs + 1] = 0 end
  out.runs[#out.runs] = out.runs[#out.runs] + count
  out.count = out.count + count
  out.byTask[task] = handed(out, task) + count
end

local function hand_out(out, job, open, terms, isFollower)
  U.start.start(job, out.hands, terms, isFollower)
  out.jobs[#out.jobs + 1] = job
  note(out, open.task, true, 1)
  if U.jobRules.was_tried(job) then out.retriesByTask[open.task] = (out.retriesByTask[open.task] or 0) + 1 end
end

-- They leave their line as they stand.
function M.hand_out_span(out, open, from, count, template)
  local spans, last = out.spans, #out.spans
  if last > 0 and spans[last] == template and spans[last - 1] == from - 1 then spans[last - 1] = from + count - 1
  else spans[last + 1], spans[last + 2], spans[last + 3] = from, from + count - 1, template end
  for seq = from, from + count - 1 do out.seqs[#out.seqs + 1] = seq end
  U.line.count(open.line, 'ready', -count)
  U.line.count(open.line, 'running', count)
  note(out, open.task, false, count)
end

-- Only jobs without lane and gate are held ahead.
local function place_in(out, queue, mayBeAhead)
  if queue.taken < queue.queue.slots then
    queue.taken = queue.taken + 1
    return true
  end
  if not mayBeAhead or out.wanted.alone ~= 'no' or queue.ahead >= queue.queue.ahead then return false end
  queue.ahead = queue.ahead + 1
  return true
end

local function follow(out, head, open, terms)
  if head.lane == nil or out.wanted.alone == 'only' or U.start.is_gated(terms) or (terms and terms.retriesMost) then return end
  local queue = open.queue
  local left = terms and terms.most and terms.most - handed(out, open.task) or math.huge
  local most = math.min((out.wanted.inRow or 1) - 1, queue.queue.ahead - queue.ahead, claimMax - out.count, left)
  if most <= 0 then return end
  for job in U.inRow.followers(head, most) do
    queue.ahead = queue.ahead + 1
    hand_out(out, job, open, terms, true)
  end
end

-- A slim one that leads its lane.
function M.hand_out_laned(out, open, seq, template)
  out.seqs[#out.seqs + 1] = seq
  out.spans[#out.spans + 1], out.spans[#out.spans + 2], out.spans[#out.spans + 3] = seq, seq, template
  U.line.count(open.line, 'ready', -1)
  U.line.count(open.line, 'running', 1)
  note(out, open.task, false, 1)
end

-- The first so many of these follow it.
function M.hand_out_followers(out, open, seqs, count, template)
  for at = 1, count do
    local seq = seqs[at]
    out.seqs[#out.seqs + 1] = seq
    out.spans[#out.spans + 1], out.spans[#out.spans + 2], out.spans[#out.spans + 3] = seq, seq, template
  end
  U.line.count(open.line, 'blocked', -count)
  U.line.count(open.line, 'running', count)
  note(out, open.task, false, count)
end

-- A member of a lane that follows a slim one, and was admitted for it.
function M.take_follower(out, open, job)
  hand_out(out, job, open, nil, true)
end

-- Hands out a job, and those that follow it in its lane; or else its queue is full. A late one here is beyond what one pass may skip: the next claim goes on
-- with them.
function M.take_job(out, open, job)
  local terms = terms_of(out, open.task)
  if U.jobRules.is_late(job) or not place_in(out, open.queue, job.lane == nil and not U.start.is_gated(terms)) then
    open.queue.isFull = true
    return false
  end
  hand_out(out, job, open, terms, false)
  follow(out, job, open, terms)
  return true
end

-- One of a span goes as it stands, unless it is to hold what gates and needs say.
local function take(out, best, terms)
  local open, cursor = best.open, best.cursor
  local template = not U.start.is_gated(terms) and cursor.template
  if template and U.template.get(template).ifDead then template = nil end
  if not template then
    if M.take_job(out, open, U.job.by_seq(best.seq)) then U.readyCursor.advance(cursor, false) end
  elseif place_in(out, open.queue, true) then
    U.readyCursor.advance(cursor, true)
    M.hand_out_span(out, open, best.seq, 1, template)
  else
    open.queue.isFull = true
  end
end

local function consider(out, best)
  local contest = best.contest
  local terms = terms_of(out, contest.task)
  if not has_room(out, contest.task, terms) then return end
  -- Its queue is full by now, or another kind of its task has its turn, or it was tried and no more of these may go: then another one competes for it.
  local next = next_of(out, contest)
  if next and next.seq == best.seq then take(out, best, terms) end
  compete(out, contest)
end

function M.choose(out)
  if out.isLost then return end
  local most = out.wanted.alone == 'only' and 1 or claimMax
  for _, contest in ipairs(contests(out)) do compete(out, contest) end
  while out.count < most and #out.competing > 0 do consider(out, table.remove(out.competing)) end
  U.readyCursor.close(out.cursors)
end

function M.has_suspects(out)
  for _, open in ipairs(out.lines) do
    if U.line.counted(open.line, 'alone') > 0 then return true end
  end
  return false
end

-- When a limit of starts that keeps ready jobs waiting has room again.
function M.next_free(out)
  local first
  for _, open in ipairs(out.lines) do
    local terms = terms_of(out, open.task)
    local gates = terms and terms.gates
    if gates and #gates > 0 and U.line.counted(open.line, 'ready') > 0 then
      for _, name in ipairs(gates) do
        local at = U.gates.free_at(name)
        if at and (first == nil or at < first) then first = at end
      end
    end
  end
  return first
end
`,
);
