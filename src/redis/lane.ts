/** A lane: jobs with one key, admitted `width` at a time in the order of enqueue (G7). */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/**
 * A row of kind "lane": key, width (the largest of a member so far, absent where it is 1), closed, admitted and heads (numbers of jobs), blocked and parked (see
 * ordered). `closed` is set by the death of a member with "park": all members leave the queue until one is redriven. Heads died with "block": while there is one,
 * nobody is admitted.
 */
export const laneFragment: Fragment = fragment(
  "lane",
  String.raw`
local function blocked_key(lane) return K .. ":lb:" .. lane.key end
local function parked_key(lane) return K .. ":lp:" .. lane.key end

local function save(lane) U.rows.dirty("lane", lane.key) end

local function push_blocked(lane, seq) U.ordered.add(lane, "blocked", blocked_key(lane), seq) end
local function push_parked(lane, seq) U.ordered.add(lane, "parked", parked_key(lane), seq) end

local function first_waiting(lane)
  local blocked, parked = lane.blocked and lane.blocked.items[1], lane.parked and lane.parked.items[1]
  if blocked and parked then return math.min(blocked, parked) end
  return blocked or parked
end
M.first_waiting = first_waiting

local function is_open(lane)
  return lane.closed == nil and lane.heads == nil
end

-- The first that waits, if any may be admitted now, by what is known without reading it.
function M.candidate(lane)
  if not is_open(lane) or #lane.admitted >= (lane.width or 1) then return nil end
  return first_waiting(lane)
end

local function drop(lane, name, seq)
  local list = lane[name]
  if list == nil then return false end
  for at, other in ipairs(list) do
    if other == seq then
      table.remove(list, at)
      if name == "heads" and #list == 0 then lane.heads = nil end
      return true
    end
  end
  return false
end

function M.is_empty(lane)
  return #lane.admitted == 0 and lane.heads == nil and first_waiting(lane) == nil
end

-- More than one is admitted, or holds it: in a lane of width 1, one that came back, and those that ran behind it and run still or died.
function M.is_shared(lane)
  return #lane.admitted + (lane.heads and #lane.heads or 0) > 1
end

local function widen(lane, job)
  if job.lane.width > (lane.width or 1) then lane.width = job.lane.width end
end

-- One that is let go takes its place without being admitted yet.
function M.queue_up(lane, job)
  widen(lane, job)
  if lane.closed then push_parked(lane, job.seq) else push_blocked(lane, job.seq) end
  save(lane)
  return lane.closed and "parked" or "blocked"
end

-- A new or redriven member takes its place. Answers what it is now.
function M.arrive(lane, job)
  local first = first_waiting(lane)
  if is_open(lane) and (first == nil or job.seq < first) and #lane.admitted < job.lane.width then
    widen(lane, job)
    lane.admitted[#lane.admitted + 1] = job.seq
    save(lane)
    return "admitted"
  end
  return M.queue_up(lane, job)
end

local function has_earlier(list, seq)
  for _, other in ipairs(list or {}) do
    if other < seq then return true end
  end
  return false
end

-- Whether an earlier member was admitted, and has not ended or died behind which nobody is admitted.
function M.has_earlier(lane, seq)
  return has_earlier(lane.admitted, seq) or has_earlier(lane.heads, seq)
end

function M.is_blocked(lane, seq)
  for _, other in ipairs(lane.blocked and lane.blocked.items or {}) do
    if other == seq then return true end
  end
  return lane.blocked ~= nil and lane.blocked.more > 0 and call("ZSCORE", blocked_key(lane), seq) and true or false
end

-- Whether an earlier member lives here.
function M.is_behind(lane, job)
  local first = first_waiting(lane)
  return has_earlier(lane.admitted, job.seq) or has_earlier(lane.heads, job.seq) or (first ~= nil and first < job.seq)
end

-- Whether an earlier member of a lane of width 1 is admitted.
function M.is_following(lane, job)
  return job.lane ~= nil and job.lane.width == 1 and has_earlier(lane.admitted, job.seq)
end

-- The member that follows a job in a row: the first that waits, if it was stored later.
function M.behind(lane, job)
  local first = first_waiting(lane)
  if first == nil or first < job.seq then return nil end
  local next = U.job.by_seq(first)
  return next.state == "blocked" and next or nil
end

-- The member to be admitted now, if any. Those that were parked and are not sorted back yet keep their order.
function M.next(lane)
  local first = M.candidate(lane)
  if first == nil then return nil end
  local job = U.job.by_seq(first)
  return #lane.admitted < job.lane.width and job or nil
end

function M.leave(lane, job)
  local seq = job.seq
  if drop(lane, "admitted", seq) or U.ordered.remove(lane, "blocked", blocked_key(lane), seq) or U.ordered.remove(lane, "parked", parked_key(lane), seq)
    or drop(lane, "heads", seq) then save(lane) end
end

-- The first so many that wait, none of which is parked.
function M.admit_front(lane, count)
  local admitted, seqs = lane.admitted, U.ordered.shift(lane, "blocked", blocked_key(lane), count)
  for _, seq in ipairs(seqs) do admitted[#admitted + 1] = seq end
  save(lane)
end

-- Admitted members that ended. What is left of the lane is looked at when the verb ends.
function M.leave_many(lane, seqs)
  local gone, kept = {}, {}
  for _, seq in ipairs(seqs) do gone[seq] = true end
  for _, seq in ipairs(lane.admitted) do
    if not gone[seq] then kept[#kept + 1] = seq end
  end
  lane.admitted = kept
  save(lane)
end

function M.admit(lane, job)
  M.leave(lane, job)
  lane.admitted[#lane.admitted + 1] = job.seq
  save(lane)
end

function M.block(lane, job)
  M.leave(lane, job)
  push_blocked(lane, job.seq)
  save(lane)
end

function M.park(lane, job)
  M.leave(lane, job)
  push_parked(lane, job.seq)
  save(lane)
end

-- It died, and holds its lane until it is redriven or cancelled.
function M.hold(lane, job)
  M.leave(lane, job)
  lane.heads = lane.heads or {}
  lane.heads[#lane.heads + 1] = job.seq
  save(lane)
end

function M.is_held_by(lane, job)
  for _, seq in ipairs(lane.heads or {}) do
    if seq == job.seq then return true end
  end
  return false
end

function M.first_blocked(lane)
  return lane.blocked and U.job.by_seq(lane.blocked.items[1])
end

function M.first_parked(lane)
  return lane.parked and U.job.by_seq(lane.parked.items[1])
end

-- At most its width.
function M.admitted_waiting(lane)
  local waiting = {}
  U.job.load(lane.admitted)
  for _, seq in ipairs(lane.admitted) do
    local job = U.job.by_seq(seq)
    if job.state ~= "running" and job.state ~= "away" then waiting[#waiting + 1] = job end
  end
  return waiting
end

-- By the death of a job. One that is closed stays so as it is.
function M.close(lane, job)
  if lane.closed then return end
  lane.closed = { by = job.id, at = S.now }
  call("ZADD", K .. ":lanes_closed", 0, lane.key)
  save(lane)
end

function M.open(lane)
  if lane.closed == nil then return end
  lane.closed = nil
  call("ZREM", K .. ":lanes_closed", lane.key)
  save(lane)
end
`,
);

/** All lanes that have members. Marks: "toAdmit", lanes that may have room; "toSort", closed ones with blocked members, and opened ones with parked members. */
export const lanesFragment: Fragment = fragment(
  "lanes",
  String.raw`
function M.find(key)
  return U.rows.get("lane", key)
end

-- Made if it is missing.
function M.of(key)
  local lane = M.find(key)
  if lane == nil then
    lane = { key = key, admitted = {} }
    U.rows.put("lane", key, lane)
  end
  return lane
end

-- The lane of a live job.
function M.lane_of(job)
  return job.lane and M.find(job.lane.key)
end

local function forget(lane)
  U.lane.open(lane)
  U.rows.remove("lane", lane.key)
  U.marks.remove("toAdmit", lane.key)
  U.marks.remove("toSort", lane.key)
end

function M.leave(job)
  local lane = M.lane_of(job)
  if lane == nil then return end
  U.lane.leave(lane, job)
  if U.lane.is_empty(lane) then forget(lane) else U.marks.add("toAdmit", lane.key) end
end

function M.leave_many(key, seqs)
  local lane = M.find(key)
  U.lane.leave_many(lane, seqs)
  if U.lane.is_empty(lane) then forget(lane) else U.marks.add("toAdmit", key) end
end

-- Closed lanes by key, those behind a key: each as where it stands, and its row.
function M.closed_after(after, limit)
  local found = {}
  for _, key in ipairs(call("ZRANGEBYLEX", K .. ":lanes_closed", after and "(" .. after or "-", "+", "LIMIT", 0, limit)) do
    local closed = M.find(key).closed
    found[#found + 1] = { key, { lane = key, closedBy = closed.by, closedAt = closed.at } }
  end
  return found
end
`,
);
