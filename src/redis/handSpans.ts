/** A claim's choice where no terms bound it: the most urgent go in order, slim jobs in spans as they stand. */
import { claimMax } from "../core/defaults.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** Works on an open choice of handOut: spans (first, last, template in turn) and their numbers are collected beside its jobs. */
export const handSpansFragment: Fragment = fragment(
  "handSpans",
  String.raw`
local claimMax = ${claimMax}

-- What stands in a set of a line, read ahead, a few at first; what was handed out has left it.
local function read(open, set)
  local buffer = open[set]
  if buffer and (buffer.at <= #buffer or buffer.isOver) then return buffer end
  local count = buffer and 128 or 4
  buffer = call('ZRANGE', U.ready.key(open.line, set), 0, count - 1, 'WITHSCORES')
  buffer.at, buffer.isOver = 1, #buffer < count * 2
  open[set] = buffer
  if count > 4 then
    local seqs = {}
    for at = 1, #buffer, 2 do
      if #buffer[at] == 12 then seqs[#seqs + 1] = tonumber(buffer[at]) end
    end
    U.job.load(seqs)
  end
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

-- How many of a span come before all other heads, of which none is more urgent.
local function before_others(best, most, lines)
  for _, open in ipairs(lines) do
    for _, other in ipairs(open.queue.isFull and {} or open.heads) do
      if other ~= best and other.urgency == best.urgency and other.seq < best.seq + most then most = other.seq - best.seq end
    end
  end
  return most
end

local function take_span(out, best)
  local open, queue = best.open, best.open.queue
  local from, count, template, since = U.spans.parse(best.member)
  local most = math.min(count, claimMax - out.count, queue.queue.slots + queue.queue.ahead - queue.taken - queue.ahead)
  if most <= 0 then
    queue.isFull = true
    return
  end
  local taken = before_others(best, most, out.lines)
  local slots = math.min(taken, math.max(0, queue.queue.slots - queue.taken))
  queue.taken, queue.ahead = queue.taken + slots, queue.ahead + taken - slots
  local key, buffer = U.ready.key(open.line, best.set), open[best.set]
  call('ZREM', key, best.member)
  if taken < count then
    buffer[buffer.at] = U.spans.name(from + taken, count - taken, template, since)
    call('ZADD', key, best.urgency, buffer[buffer.at])
  else
    buffer.at = buffer.at + 2
  end
  U.handOut.hand_out_span(out, open, from, taken, template)
end

local function take_job(out, best)
  if not U.handOut.take_job(out, best.open, U.job.by_seq(best.seq)) then return end
  local buffer = best.open[best.set]
  buffer.at = buffer.at + 2
end

function M.choose(out)
  if out.isLost then return end
  for _, open in ipairs(out.lines) do look(open) end
  while out.count < claimMax do
    local best
    for _, open in ipairs(out.lines) do
      if open.head and not open.queue.isFull and (best == nil or is_before(open.head, best)) then best = open.head end
    end
    if best == nil then return end
    if #best.member > 12 then take_span(out, best) else take_job(out, best) end
    look(best.open)
  end
end
`,
);
