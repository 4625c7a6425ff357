/** What one claim may choose from, and what it has chosen so far. */
import { claimMax } from "../core/defaults.ts";
import { pausedQueue, pausedTask } from "../core/notes.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** What one claim answers of full jobs, whose texts are written as JSON: 50 MB of them keep the server for a second. */
const bytesMax = 16 * 1_024 * 1_024;

/**
 * An open line: line, task, queue. An open queue: queue, taken and ahead (jobs that can start at once, jobs that are held ahead), isFull.
 *
 * Handed out: jobs; of slim ones the numbers in turn, seqs, and the templates; in spans (first, last, template) those without a lane, in laned the others by lane; runs:
 * how many slim ones and how many jobs, in turn; count: of both.
 */
export const choiceFragment: Fragment = fragment(
  "choice",
  String.raw`
local claimMax, bytesMax = ${claimMax}, ${bytesMax}

-- The notes of all pauses are read at once.
local function load_pauses(lines)
  local keys = {}
  for _, open in ipairs(lines) do
    open.pauses = { '${pausedQueue("")}' .. open.queue.queue.queue, '${pausedTask("")}' .. open.task }
    keys[#keys + 1], keys[#keys + 2] = open.pauses[1], open.pauses[2]
  end
  if #keys > 0 then U.rows.load('notes', keys) end
end

local function is_paused(open)
  return U.rows.get('notes', open.pauses[1]) ~= nil or U.rows.get('notes', open.pauses[2]) ~= nil
end

-- A paused line is passed over; running jobs go on. Of a line that nothing is ready in there is nothing to choose.
local function open_lines(out)
  local wanted, asked, lines = out.wanted, {}, {}
  for _, queue in ipairs(wanted.queues) do
    local open = { queue = queue, taken = 0, ahead = 0, isFull = false }
    for _, task in ipairs(wanted.tasks) do asked[#asked + 1] = { queue = open, task = task, name = U.line.name(queue.queue, task) } end
  end
  local ready = U.line.with_ready(asked)
  load_pauses(ready)
  for _, open in ipairs(ready) do
    if not is_paused(open) then lines[#lines + 1] = open end
  end
  return lines
end

-- Chooses nothing yet. Of a process that something was taken back from nothing is open: it must go on under a new id.
function M.open(wanted, fence)
  local out = {
    wanted = wanted, byTask = {}, retriesByTask = {}, laned = {}, jobs = {}, spans = {}, seqs = {}, templates = {}, runs = { 0 }, count = 0, bytes = 0,
    hands = { process = wanted.process, leaseMs = wanted.leaseMs, claim = wanted.claim, fence = fence, isAlone = wanted.alone == 'only' },
  }
  out.lines = open_lines(out)
  local process = #out.lines > 0 and U.processes.find(wanted.process)
  out.isLost = process and process.isLost or false
  return out
end

function M.terms_of(out, task)
  local terms = out.wanted.terms
  return terms and terms[task]
end

function M.handed(out, task)
  return out.byTask[task] or 0
end

local function note(out, task, isJob, count)
  if (#out.runs % 2 == 0) ~= isJob then out.runs[#out.runs + 1] = 0 end
  out.runs[#out.runs] = out.runs[#out.runs] + count
  out.count = out.count + count
  out.byTask[task] = M.handed(out, task) + count
end

local function hand_out(out, job, open, terms, isFollower)
  U.start.start(job, out.hands, terms, isFollower)
  out.jobs[#out.jobs + 1] = job
  out.bytes = out.bytes + #job.payload + #(job.checkpoint or '')
  note(out, open.task, true, 1)
  if U.jobRules.was_tried(job) then out.retriesByTask[open.task] = (out.retriesByTask[open.task] or 0) + 1 end
end

-- They leave their line as they stand.
function M.hand_out_span(out, open, from, count, template)
  local spans, last = out.spans, #out.spans
  if last > 0 and spans[last] == template and spans[last - 1] == from - 1 then spans[last - 1] = from + count - 1
  else spans[last + 1], spans[last + 2], spans[last + 3] = from, from + count - 1, template end
  for seq = from, from + count - 1 do out.seqs[#out.seqs + 1] = seq end
  out.templates[template] = true
  U.line.count(open.line, 'ready', -count)
  U.line.count(open.line, 'running', count)
  note(out, open.task, false, count)
end

-- The next claim goes on.
function M.is_over(out, most)
  return out.count >= most or out.bytes > bytesMax
end

-- Where nothing more can start, nor be held ahead, what comes next need not be read.
function M.close_if_full(queue)
  if queue.taken >= queue.queue.slots and queue.ahead >= queue.queue.ahead then queue.isFull = true end
end

-- Only jobs without lane and gate are held ahead.
function M.place_in(out, queue, mayBeAhead)
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
  local left = terms and terms.most and terms.most - M.handed(out, open.task) or math.huge
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
  out.templates[template] = true
  U.line.count(open.line, 'ready', -1)
  U.line.count(open.line, 'running', 1)
  note(out, open.task, false, 1)
end

-- The first so many of these follow it.
function M.hand_out_followers(out, open, seqs, count, template)
  local all = out.seqs
  for at = 1, count do all[#all + 1] = seqs[at] end
  out.templates[template] = true
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
  local terms = M.terms_of(out, open.task)
  if U.jobRules.is_late(job) or not M.place_in(out, open.queue, job.lane == nil and not U.start.is_gated(terms)) then
    open.queue.isFull = true
    return false
  end
  hand_out(out, job, open, terms, false)
  follow(out, job, open, terms)
  return true
end

function M.has_suspects(out)
  for _, open in ipairs(out.lines) do
    if open.alone + (S.counts[open.line .. ':alone'] or 0) > 0 then return true end
  end
  return false
end

-- When a limit of starts that keeps ready jobs waiting has room again.
function M.next_free(out)
  local first
  for _, open in ipairs(out.lines) do
    local terms = M.terms_of(out, open.task)
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
