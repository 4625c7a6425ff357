/** What an atom names that is not there, or takes no more: nothing of it can be stored then. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** Told in facts: the words are made in refused.ts. */
export const unknownFragment: Fragment = fragment(
  "unknown",
  String.raw`
-- What stands earlier in the atom: by kind, by id; of joins with the join around each, false where there is none.

local function is_plain(work)
  return work.kind == 'event' or (work.kind == 'job' and work.join == nil and work.after == nil)
end

local function name_of(work)
  return work.kind .. ' ' .. work.id
end

-- What stands in another home is known there.
local function is_elsewhere(home)
  return home ~= nil and home ~= S.meta.home
end

local function unknown_join(work, earlier)
  if work.join == nil or is_elsewhere(work.joinHome) or U.joins.find(work.join) or earlier.join[work.join] ~= nil then return nil end
  return { refusal = 'after-unknown', id = work.join, by = name_of(work) }
end

local function closed_join(work)
  local join = work.join and U.joins.find(work.join)
  if not join or U.joins.is_taking(join) then return nil end
  return { refusal = 'join-closed', id = join.id }
end

local function unknown_after(work, earlier)
  for _, before in ipairs(work.after or {}) do
    local id = before.id
    local isKnown = is_elsewhere(before.home) or earlier.job[id] or earlier.join[id] ~= nil
    if not isKnown and not U.job.standing(id) and not U.joins.find(id) then
      return { refusal = 'after-unknown', id = id, by = name_of(work) }
    end
  end
end

local function comes_after(work, id)
  for _, before in ipairs(work.after) do
    if before.id == id then return true end
  end
  return false
end

-- A member that comes after its own join, or after one around it, would wait for itself.
local function circle(work, earlier)
  if work.after == nil then return nil end
  local around = work.join
  while around do
    if comes_after(work, around) then return { refusal = 'graph-cycle', id = around, by = name_of(work) } end
    local stored = U.joins.find(around)
    if stored then
      local parent = U.joins.parent_of(stored)
      around = parent and parent.id
    else
      around = earlier.join[around]
    end
  end
end

-- The same again is the same, whatever became of what it named. But a job may be given to a join that it was never given to: that must be known.
local function refusal_of_one(work, earlier)
  if work.kind == 'job' and U.job.standing(work.id) then return unknown_join(work, earlier) end
  if work.kind == 'join' and U.joins.find(work.id) then return nil end
  return unknown_join(work, earlier) or closed_join(work) or unknown_after(work, earlier) or circle(work, earlier)
end

-- How often each join is named.
local function members_in(works)
  local members = {}
  for _, work in ipairs(works) do
    if work.kind ~= 'event' and work.join then members[work.join] = (members[work.join] or 0) + 1 end
  end
  return members
end

-- Duplicates count: they were given too.
local function size_refusal(work, members)
  if not work.isSealed or work.size == nil or (S.meta.homes > 1 and is_elsewhere(U.route.first_home(work))) then return nil end
  local known = U.joins.find(work.id)
  if known and (known.isSealed or not U.joins.is_taking(known)) then return nil end
  local given = (known and known.given or 0) + (members[work.id] or 0)
  if given < work.size then return { refusal = 'join-incomplete', id = work.id, given = given, size = work.size } end
end

-- Looks through the works in their order: what stands earlier may be named.
function M.naming_refusal(works)
  local isPlain = true
  for _, work in ipairs(works) do isPlain = isPlain and is_plain(work) end
  if isPlain then return nil end
  local earlier, repeats, members = { job = {}, join = {} }, U.repeats.repeats_in(works), members_in(works)
  for _, work in ipairs(works) do
    if work.kind ~= 'event' then
      local refusal = not repeats[work] and refusal_of_one(work, earlier) or nil
      if work.kind == 'job' then earlier.job[work.id] = true else earlier.join[work.id] = work.join or false end
      if refusal == nil and work.kind == 'join' then refusal = size_refusal(work, members) end
      if refusal then return refusal end
    end
  end
end
`,
);
