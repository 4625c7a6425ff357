/** A claim's choice where no terms bound it: the most urgent go in order, slim jobs in spans as they stand. */
import { claimMax } from "../core/defaults.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** Works on an open choice: spans (first, last, template in turn) and their numbers are collected beside its jobs. */
export const handSpansFragment: Fragment = fragment(
  "handSpans",
  String.raw`
local claimMax = ${claimMax}

local function load_lanes(open, seqs)
  local keys, followers = {}, {}
  for at, seq in ipairs(seqs) do keys[at] = U.job.slim_lane_key(seq) end
  U.rows.load('lane', keys)
  local most = math.min((open.inRow or 1) - 1, open.queue.queue.ahead - open.queue.ahead)
  if most <= 0 then return end
  for _, key in ipairs(keys) do
    for _, seq in ipairs(U.ordered.front(U.lanes.find(key), 'blocked', most)) do followers[#followers + 1] = seq end
  end
  U.job.load(followers)
end

-- What is soon needed of those that can start: full jobs, and slim ones with lanes and who follows them there.
local function load(open, buffer)
  local seqs, laned = {}, {}
  local most = math.min(#buffer, 2 * math.max(0, open.queue.queue.slots - open.queue.taken))
  for at = 1, #buffer, 2 do
    local seq, count, template = U.spans.parse(buffer[at])
    if count == nil then seqs[#seqs + 1] = seq
    elseif at < most and U.template.get(template).ifDead then
      seqs[#seqs + 1], laned[#laned + 1] = seq, seq
    end
  end
  U.job.load(seqs)
  if #laned > 0 then load_lanes(open, laned) end
end

-- What stands in a set of a line, read ahead, a few at first; what was handed out has left it.
local function read(open, set)
  local buffer = open[set]
  if buffer and (buffer.at <= #buffer or buffer.isOver) then return buffer end
  local count = buffer and 128 or 4
  buffer = call('ZRANGE', U.ready.key(open.line, set), 0, count - 1, 'WITHSCORES')
  buffer.at, buffer.isOver = 1, #buffer < count * 2
  open[set] = buffer
  if count > 4 then load(open, buffer) end
  return buffer
end

local function head_of(open, set)
  local buffer = read(open, set)
  local member = buffer[buffer.at]
  if member == nil then return nil end
  return { open = open, set = set, member = member, urgency = tonumber(buffer[buffer.at + 1]), seq = tonumber(string.sub(member, 1, 12)) }
end

local function is_before(a, b)
  return a.urgency < b.urgency or (a.urgency == b.urgency and a.seq < b.seq)
end

local function look(open)
  local untried, tried = head_of(open, 'u'), head_of(open, 't')
  open.heads = untried and tried and { untried, tried } or { untried or tried }
  open.head = open.heads[1]
  if open.heads[2] and is_before(open.heads[2], open.head) then open.head = open.heads[2] end
end

-- The most urgent of all other heads: what comes before it goes without another look.
local function next_to(best, lines)
  local next
  for _, open in ipairs(lines) do
    for _, other in ipairs(open.queue.isFull and {} or open.heads) do
      if other ~= best and (next == nil or is_before(other, next)) then next = other end
    end
  end
  return next
end

-- How many slim members of a lane, all of one template, may follow in a row: they are of the same line, and nobody is parked before them.
local function slim_followers(lane, front, last, line)
  if lane.parked or front[1] == nil or front[1] < last then return 0 end
  local first, template = U.job.slim_laned(front[1])
  if first == nil or template.line ~= line then return 0 end
  local head = U.job.head_of(first)
  for at = 2, #front do
    if not U.job.begins_with(front[at], head) then return at - 1, first end
  end
  return #front, first
end

-- Another one follows, with a record of its own. Answers whether there was one.
local function follow_full(out, open, lane, last)
  local next = U.lane.first_waiting(lane)
  if next == nil or next < last or not U.lane.is_blocked(lane, next) or U.job.slim_laned(next) then return nil end
  local job = U.job.by_seq(next)
  if not U.inRow.is_following(job, { line = open.line }) then return nil end
  U.lane.admit(lane, job)
  U.choice.take_follower(out, open, job)
  return next
end

-- Those that follow one whose lane has only it admitted are admitted as they are handed out.
local function follow(out, open, head, key, template)
  local queue = open.queue
  local most = math.min((out.wanted.inRow or 1) - 1, queue.queue.ahead - queue.ahead, claimMax - out.count)
  local lane, laned, last = U.lanes.find(key), { template, key, head }, head
  out.laned[#out.laned + 1] = laned
  if most <= 0 or lane.closed or U.lane.is_shared(lane) then return end
  while most > 0 do
    local front = U.ordered.front(lane, 'blocked', most)
    U.job.load(front)
    local count, number = slim_followers(lane, front, last, open.line)
    if count > 0 then
      U.lane.admit_front(lane, count)
      if number ~= laned[1] then
        laned = { number, key }
        out.laned[#out.laned + 1] = laned
      end
      for at = 1, count do laned[#laned + 1] = front[at] end
      U.choice.hand_out_followers(out, open, front, count, number)
      last = front[count]
    else
      last = follow_full(out, open, lane, last)
      if last == nil then return end
      count = 1
    end
    queue.ahead, most = queue.ahead + count, most - count
  end
end

-- One with a lane is not held ahead, but those that follow it are. Answers whether there was room.
local function take_laned(out, best, buffer, gone, seq, template)
  local open, queue = best.open, best.open.queue
  if queue.taken >= queue.queue.slots then
    queue.isFull = true
    return false
  end
  queue.taken = queue.taken + 1
  gone[#gone + 1] = buffer[buffer.at]
  buffer.at = buffer.at + 2
  U.job.load({ seq })
  U.choice.hand_out_laned(out, open, seq, template)
  follow(out, open, seq, U.job.slim_lane_key(seq), template)
  return true
end

-- Of a span as many as come before the next head and have room in their queue.
local function room_for(out, queue, urgency, seq, count, next)
  local most = math.min(count, claimMax - out.count, queue.queue.slots + queue.queue.ahead - queue.taken - queue.ahead)
  if next and next.urgency == urgency then most = math.min(most, next.seq - seq) end
  return most
end

-- Takes a span from the head of a buffer; what is left of it stands there. Answers whether all of it was taken.
local function take_span(out, best, buffer, gone, next)
  local open, queue = best.open, best.open.queue
  local member, urgency = buffer[buffer.at], tonumber(buffer[buffer.at + 1])
  local from, count, template, since = U.spans.parse(member)
  local taken = room_for(out, queue, urgency, from, count, next)
  if taken <= 0 then
    queue.isFull = true
    return false
  end
  local slots = math.min(taken, math.max(0, queue.queue.slots - queue.taken))
  queue.taken, queue.ahead = queue.taken + slots, queue.ahead + taken - slots
  gone[#gone + 1] = member
  U.choice.hand_out_span(out, open, from, taken, template)
  if taken == count then
    buffer.at = buffer.at + 2
    return true
  end
  buffer[buffer.at] = U.spans.name(from + taken, count - taken, template, since)
  call('ZADD', U.ready.key(open.line, best.set), urgency, buffer[buffer.at])
  return false
end

-- Spans of one set, one after the other, while they come before the next head.
local function take_spans(out, best)
  local buffer, gone, next = best.open[best.set], {}, next_to(best, out.lines)
  while out.count < claimMax do
    local member = buffer[buffer.at]
    if member == nil or #member == 12 then break end
    local urgency, seq, template = tonumber(buffer[buffer.at + 1]), tonumber(string.sub(member, 1, 12)), tonumber(string.match(member, ':(%d+)'))
    if next and (urgency > next.urgency or (urgency == next.urgency and seq > next.seq)) then break end
    if U.template.get(template).ifDead then
      if not take_laned(out, best, buffer, gone, seq, template) then break end
    elseif not take_span(out, best, buffer, gone, next) then break end
  end
  U.rows.write('ZREM', U.ready.key(best.open.line, best.set), gone)
end

local function take_job(out, best)
  if not U.choice.take_job(out, best.open, U.job.by_seq(best.seq)) then return end
  local buffer = best.open[best.set]
  buffer.at = buffer.at + 2
end

function M.choose(out)
  if out.isLost then return end
  for _, open in ipairs(out.lines) do
    open.inRow = out.wanted.inRow
    look(open)
  end
  while not U.choice.is_over(out, claimMax) do
    local best
    for _, open in ipairs(out.lines) do
      if open.head and not open.queue.isFull and (best == nil or is_before(open.head, best)) then best = open.head end
    end
    if best == nil then return end
    if #best.member > 12 then take_spans(out, best) else take_job(out, best) end
    U.choice.close_if_full(best.open.queue)
    if not best.open.queue.isFull then look(best.open) end
  end
end
`,
);
