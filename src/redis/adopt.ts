/** A job that stands already, given to a join again: it becomes a member, unless the join would wait for itself. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** How many things are looked at before it is left out all the same. */
const searchMax = 1_000;

export const adoptFragment: Fragment = fragment(
  "adopt",
  String.raw`
local searchMax, readMost = ${searchMax}, 100

-- By number, which jobs and joins have in one sequence.
local function wait_for(search, held)
  search.looks = search.looks + 1
  if held == nil or search.isSeen[held.seq] then return end
  -- What runs, or waits for a worker, ends by itself.
  if held.kind == 'job' and held.hold == nil or held.kind == 'join' and held.state == 'closed' then return end
  search.isSeen[held.seq] = true
  search.todo[#search.todo + 1] = held
end

-- What must end before it may go on. A join that holds it must open for that, not close.
local function expand(search, waiting)
  while waiting do
    if waiting.kind == 'join' and waiting.state == 'open' then return end
    for _, before in ipairs(waiting.after or {}) do
      wait_for(search, before.held and (before.kind == 'join' and U.joins.by_seq(before.held) or U.job.by_seq(before.held)))
    end
    local around = waiting.kind == 'job' and waiting.join or waiting.parent
    waiting = around and U.joins.by_seq(around)
  end
end

local function wait_for_members(search, join)
  for member in U.joins.own_after(join, 0, readMost) do
    if search.looks > searchMax then return end
    wait_for(search, member)
  end
  for _, seq in ipairs(call('ZRANGE', U.joins.key_of('ja', join), 0, searchMax)) do wait_for(search, U.job.by_seq(tonumber(seq))) end
end

-- Over whatever one thing waits for: predecessors, the opening of its joins, and the ends of those it comes after.
local function is_reached(from, join)
  -- The join, and those around it: they close after it.
  local isTarget, around = {}, join
  while around do
    isTarget[around.seq] = true
    around = U.joins.parent_of(around)
  end
  local search = { isSeen = {}, todo = {}, looks = 0 }
  wait_for(search, from)
  while #search.todo > 0 do
    local held = table.remove(search.todo)
    if isTarget[held.seq] then return true end
    expand(search, held)
    if held.kind == 'join' then wait_for_members(search, held) end
    if search.looks > searchMax then return true end
  end
  return false
end

-- One that went to another home and came back stands here twice: the first of both is what joins know.
local function known_as(job)
  local standIn = S.meta.homes > 1 and U.standIn.by_id(job.id)
  return standIn and not U.store.is_ended_state[standIn.state] and standIn or job
end

function M.adopt_again(job, joinId)
  local join, member = joinId and U.joins.find(joinId), known_as(job)
  if not join or not U.joins.is_taking(join) or U.joins.is_member(member, join) or U.joins.is_member(job, join) then return end
  if job.hold and is_reached(job, join) then return end
  U.joins.adopt(join, member)
  -- One that has ended is kept for the join as well.
  U.store.retain(member)
end
`,
);
