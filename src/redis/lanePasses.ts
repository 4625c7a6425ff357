/** Bounded passes over lanes: admitting, parking those behind a death, sorting back those that were parked. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const lanePassesFragment: Fragment = fragment(
  "lanePasses",
  String.raw`
-- Its turn has come: it waits for its time or a worker, or was not started in time.
local function admit(lane, job)
  U.lane.admit(lane, job)
  if job.hasDied then U.life.begin_anew(job) end
  U.life.wait(job)
end

local function unpark(lane, job)
  U.lane.block(lane, job)
  if job.hasDied then U.life.begin_anew(job) end
  U.store.move(job, "blocked")
end

-- A slim one, of a lane that nobody is admitted in, is ready as it stands. Answers whether it is one.
local function admit_slim(lane)
  local first = U.lane.candidate(lane)
  if first == nil or #lane.admitted > 0 or (lane.parked and lane.parked.items[1] == first) then return false end
  local number, template, enqueuedAt = U.job.slim_laned(first)
  if number == nil then return false end
  U.lane.admit_front(lane, 1)
  U.line.count(template.line, "blocked", -1)
  U.line.count(template.line, "ready", 1)
  U.ready.push_span(template.line, enqueuedAt - template.headStartMs, first, 1, number, S.now)
  U.store.wake("ready")
  return true
end

-- Reads the first of each lane at once.
local function load_first(limit)
  local lanes, firsts = U.marks.list("toAdmit", limit), {}
  if #lanes < 2 then return end
  U.rows.load("lane", lanes)
  for _, key in ipairs(lanes) do
    local lane = U.lanes.find(key)
    firsts[#firsts + 1] = lane and U.lane.candidate(lane)
  end
  U.job.load(firsts)
end

-- Admits the next members of lanes that may have room, so many at most; the rest is left to tidy. Answers how many.
function M.admit_next(limit)
  local admitted = 0
  load_first(limit)
  -- A member that is admitted too late ends at once and puts its lane back into the set, behind the others.
  local key = U.marks.first("toAdmit")
  while key do
    U.marks.remove("toAdmit", key)
    local lane = U.lanes.find(key)
    local isSlim = lane and admitted < limit and admit_slim(lane)
    if isSlim then admitted = admitted + 1 end
    local next = lane and not isSlim and U.lane.next(lane)
    while next do
      if admitted >= limit then
        U.marks.add("toAdmit", key)
        return admitted
      end
      admit(lane, next)
      admitted = admitted + 1
      next = U.lane.next(lane)
    end
    key = U.marks.first("toAdmit")
  end
  return admitted
end

local function unsorted(lane)
  if lane.closed then return U.lane.first_blocked(lane) end
  return U.lane.first_parked(lane)
end

function M.sort_lane(lane, limit)
  local sorted = 0
  local member = unsorted(lane)
  while member and sorted < limit do
    if lane.closed then U.life.park(lane, member) else unpark(lane, member) end
    sorted = sorted + 1
    member = unsorted(lane)
  end
  if member == nil then U.marks.remove("toSort", lane.key) end
  return sorted
end

-- Parks blocked members of closed lanes, and blocks parked members of opened ones, so many at most. Answers how many were parked, and whether there are more.
function M.sort_members(limit)
  local parked, budget = 0, limit
  local key = U.marks.first("toSort")
  while key do
    local lane = U.lanes.find(key)
    local sorted = M.sort_lane(lane, budget)
    if lane.closed then parked = parked + sorted end
    budget = budget - sorted
    if budget == 0 then return parked, U.marks.size("toSort") > 0 end
    key = U.marks.first("toSort")
  end
  return parked, false
end
`,
);
