/** What is to be looked at before a verb ends, in the order it was marked; what is left is kept for tidy. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const marksFragment: Fragment = fragment(
  "marks",
  String.raw`
-- By name: what is kept comes before what is new. new: members in order, holes where one was removed.
local sets = {}

local function of(name)
  local set = sets[name]
  if set == nil then
    set = { key = K .. ':mark:' .. name, kept = 0, new = {}, place = {}, first = 1, last = 0, size = 0 }
    if S.meta.marks > 0 then set.kept = call('ZCARD', set.key) end
    sets[name] = set
  end
  return set
end

function M.add(name, member)
  member = tostring(member)
  local set = of(name)
  if set.place[member] or (set.kept > 0 and call('ZSCORE', set.key, member)) then return end
  set.last = set.last + 1
  set.new[set.last], set.place[member] = member, set.last
  set.size = set.size + 1
end

function M.remove(name, member)
  member = tostring(member)
  local set = of(name)
  local place = set.place[member]
  if place then
    set.new[place], set.place[member] = nil, nil
    set.size = set.size - 1
  elseif set.kept > 0 and call('ZREM', set.key, member) == 1 then
    set.kept = set.kept - 1
    U.meta.add('marks', -1)
  end
end

function M.first(name)
  local set = of(name)
  if set.kept > 0 then return call('ZRANGE', set.key, 0, 0)[1] end
  if set.size == 0 then return nil end
  while set.new[set.first] == nil do set.first = set.first + 1 end
  return set.new[set.first]
end

function M.size(name)
  local set = of(name)
  return set.kept + set.size
end

function M.list(name, limit)
  local set = of(name)
  local list = {}
  if set.kept > 0 then list = call('ZRANGE', set.key, 0, limit - 1) end
  for place = set.first, set.last do
    if #list >= limit then return list end
    if set.new[place] then list[#list + 1] = set.new[place] end
  end
  return list
end

function M.flush()
  for _, set in pairs(sets) do
    for place = set.first, set.last do
      local member = set.new[place]
      if member then
        U.meta.add('markSeq', 1)
        U.meta.add('marks', 1)
        call('ZADD', set.key, U.meta.get('markSeq'), member)
      end
    end
  end
  sets = {}
end
`,
);
