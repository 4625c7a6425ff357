/** Things kept in order: added, removed, and found from any place on. The first few stand in their row, the rest in a sorted set. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/**
 * A list is the field `name` of a row, absent while it is empty; `key` names its sorted set. Items are numbers or texts, each inside once, in the order of
 * their scores where they have some, else of themselves. Whoever changes one marks its row.
 */
export const orderedFragment: Fragment = fragment(
  "ordered",
  String.raw`
-- A lane or a limit has few that wait, most often: then it has no sorted set.
local frontMost = 32

local function member(list, item)
  return list.scores and type(item) == "number" and string.format("%016d", item) or item
end

local function stands_before(a, scoreOfA, b, scoreOfB)
  if scoreOfA ~= scoreOfB then return scoreOfA < scoreOfB end
  return a < b
end

local function spill(list, key, item, score)
  call("ZADD", key, score or item, member(list, item))
  list.more = list.more + 1
end

local function refill(list, key)
  local found = call("ZPOPMIN", key, frontMost)
  for at = 1, #found, 2 do
    list.items[#list.items + 1] = tonumber(found[at]) or found[at]
    if list.scores then list.scores[#list.scores + 1] = tonumber(found[at + 1]) end
  end
  list.more = list.more - #found / 2
end

function M.first(row, name)
  local list = row[name]
  if list then return list.items[1], list.scores and list.scores[1] end
end

function M.size(row, name)
  local list = row[name]
  return list and #list.items + list.more or 0
end

-- The first few, at most so many.
function M.front(row, name, limit)
  local list = row[name]
  return list and { unpack(list.items, 1, math.min(limit, #list.items)) } or {}
end

-- The score of the one in this place.
function M.score_at(row, name, key, place)
  local list = row[name]
  if place <= #list.items then return list.scores[place] end
  local rank = place - #list.items - 1
  return tonumber(call("ZRANGE", key, rank, rank, "WITHSCORES")[2])
end

function M.add(row, name, key, item, score)
  local list = row[name]
  if list == nil then
    list = { items = {}, scores = score and {} or nil, more = 0 }
    row[name] = list
  end
  local items, scores = list.items, list.scores
  local at = #items + 1
  while at > 1 and stands_before(item, score, items[at - 1], scores and scores[at - 1]) do at = at - 1 end
  if at > #items and (list.more > 0 or #items == frontMost) then
    spill(list, key, item, score)
    return
  end
  table.insert(items, at, item)
  if scores then table.insert(scores, at, score) end
  if #items > frontMost then spill(list, key, table.remove(items), scores and table.remove(scores)) end
end

local function take_out(row, name, key, at)
  local list = row[name]
  table.remove(list.items, at)
  if list.scores then table.remove(list.scores, at) end
  if #list.items > 0 then return end
  if list.more > 0 then refill(list, key) else row[name] = nil end
end

-- Takes the first so many, of those that stand in the row.
function M.shift(row, name, key, count)
  local list = row[name]
  local taken = { unpack(list.items, 1, count) }
  list.items = { unpack(list.items, count + 1) }
  if #list.items > 0 then return taken end
  if list.more > 0 then refill(list, key) else row[name] = nil end
  return taken
end

-- Answers whether it was inside.
function M.remove(row, name, key, item)
  local list = row[name]
  if list == nil then return false end
  for at, other in ipairs(list.items) do
    if other == item then
      take_out(row, name, key, at)
      return true
    end
  end
  if list.more == 0 or call("ZREM", key, member(list, item)) == 0 then return false end
  list.more = list.more - 1
  return true
end

-- Drops what has at most this score. Answers how many that were.
function M.drop_until(row, name, key, score)
  local dropped = 0
  while row[name] and row[name].scores[1] <= score do
    take_out(row, name, key, 1)
    dropped = dropped + 1
  end
  return dropped
end
`,
);
