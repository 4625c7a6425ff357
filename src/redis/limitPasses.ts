/** Gives room of limits by key: always to the most urgent of those that are first in their lines (G9). */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const limitPassesFragment: Fragment = fragment(
  "limitPasses",
  String.raw`
local function goes_first(a, b)
  if a.urgency ~= b.urgency then return a.urgency < b.urgency end
  return a.seq < b.seq
end

-- Those that ask, as a binary heap.
local function push(heap, item)
  local at = #heap + 1
  while at > 1 do
    local parent = math.floor(at / 2)
    if not goes_first(item, heap[parent]) then break end
    heap[at] = heap[parent]
    at = parent
  end
  heap[at] = item
end

local function pop(heap)
  local first, last = heap[1], table.remove(heap)
  local size = #heap
  if size == 0 then return first end
  local at = 1
  while 2 * at <= size do
    local child = 2 * at
    if child < size and goes_first(heap[child + 1], heap[child]) then child = child + 1 end
    if not goes_first(heap[child], last) then break end
    heap[at] = heap[child]
    at = child
  end
  heap[at] = last
  return first
end

-- The first of a line, and its urgency.
local function first_of(key)
  local limit = U.limits.find(key)
  if limit and limit.line and U.limits.may_have_room(limit) then return U.ordered.first(limit, "line") end
end

local function ask(asking, key)
  local seq, urgency = first_of(key)
  if seq then push(asking, { seq = seq, urgency = urgency, key = key }) end
end

-- Lines that may move, unmarked; and their rows and first jobs, read at once.
local function take_marked()
  local marked, firsts = {}, {}
  local key = U.marks.first("limits.marked")
  while key do
    U.marks.remove("limits.marked", key)
    marked[#marked + 1] = key
    key = U.marks.first("limits.marked")
  end
  if #marked > 1 then U.rows.load("limit", marked) end
  for _, line in ipairs(marked) do firsts[#firsts + 1] = first_of(line) end
  if #firsts > 1 then U.job.load(firsts) end
  return marked
end

-- To the line of the first limit that has no room, or through. Either way both lines are looked at again.
local function pass(job)
  for _, is in ipairs(job.keyLimits) do
    if not U.limits.has_room(is.key, job) then
      U.limits.move_to(job, is.key)
      return 0
    end
  end
  if U.jobRules.is_late(job) then U.life.skip_late(job)
  else
    U.job.touch(job)
    -- One that had to wait takes its place among the ready ones as of now, so that many keys take turns.
    if job.since < S.now then job.urgency = S.now - job.headStartMs end
    U.life.go_on(job)
  end
  return 1
end

local function consider(asking, next)
  if first_of(next.key) ~= next.seq then
    ask(asking, next.key)
    return 0
  end
  local job = U.job.by_seq(next.seq)
  return U.limits.has_room_for(U.limits.find(next.key), job) and pass(job) or 0
end

-- Answers how many were given room; those beyond the limit are left to tidy.
function M.give_room(limit)
  local asking, given = {}, 0
  while true do
    local seen = take_marked()
    for _, key in ipairs(seen) do ask(asking, key) end
    for _, key in ipairs(seen) do U.limits.settle(key) end
    if asking[1] == nil then return given end
    if given >= limit then
      for _, left in ipairs(asking) do U.marks.add("limits.marked", left.key) end
      return given
    end
    given = given + consider(asking, pop(asking))
  end
end
`,
);
