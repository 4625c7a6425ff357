/** Lines: one queue and one task each, with how many jobs there are in each state. */
import { jobStates } from "../core/states.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const lineFragment: Fragment = fragment(
  "line",
  String.raw`
local byName, byNumber = {}, {}
local states = { '${jobStates.join("', '")}', 'away' }

function M.name(queue, task)
  return queue .. '\31' .. task
end

function M.find(queue, task)
  local name = M.name(queue, task)
  if byName[name] == nil then byName[name] = tonumber(call('HGET', K .. ':lines', name)) or false end
  return byName[name] or nil
end

-- Made if it is missing.
function M.of(queue, task)
  local number = M.find(queue, task)
  if number then return number end
  U.meta.add('lines', 1)
  number = U.meta.get('lines')
  local name = M.name(queue, task)
  byName[name] = number
  call('HSET', K .. ':lines', name, number)
  call('HSET', K .. ':line', number, name)
  return number
end

local function split(name)
  local queue, task = string.match(name, '^(.-)\31(.*)$')
  return { queue = queue, task = task }
end

function M.get(number)
  if byNumber[number] == nil then byNumber[number] = split(call('HGET', K .. ':line', number)) end
  return byNumber[number]
end

-- Of each queue and task that has jobs: its number.
function M.all()
  local all, flat = {}, call('HGETALL', K .. ':lines')
  for at = 1, #flat, 2 do
    local line = split(flat[at])
    line.no = tonumber(flat[at + 1])
    all[#all + 1] = line
  end
  return all
end

function M.count(number, state, by)
  local field = number .. ':' .. state
  S.counts[field] = (S.counts[field] or 0) + by
end

-- How many jobs of a line are in a state, what this script did included.
function M.counted(number, state)
  local field = number .. ':' .. state
  return (tonumber(call('HGET', K .. ':c', field)) or 0) + (S.counts[field] or 0)
end

-- Of entries with the name of a line those that have ready jobs, with its number as their line, and how many were to run alone when the script began.
function M.with_ready(asked)
  local names, found, fields = {}, {}, {}
  for at, one in ipairs(asked) do names[at] = one.name end
  for from = 1, #names, 1000 do
    local to = math.min(from + 999, #names)
    local numbers = call('HMGET', K .. ':lines', unpack(names, from, to))
    for at = from, to do
      local number = numbers[at - from + 1]
      if number then
        asked[at].line = tonumber(number)
        found[#found + 1] = asked[at]
        fields[#fields + 1] = number .. ':ready'
        fields[#fields + 1] = number .. ':alone'
        if byNumber[asked[at].line] == nil then byNumber[asked[at].line] = split(asked[at].name) end
      end
    end
  end
  local ready = {}
  for from = 1, #fields, 1000 do
    local counts = call('HMGET', K .. ':c', unpack(fields, from, math.min(from + 999, #fields)))
    for at = 1, #counts, 2 do
      local place = from + at - 1
      local one = found[(place + 1) / 2]
      one.alone = tonumber(counts[at + 1]) or 0
      if (tonumber(counts[at]) or 0) + (S.counts[fields[place]] or 0) > 0 then ready[#ready + 1] = one end
    end
  end
  return ready
end

local function write_counts()
  local empty = {}
  for field, by in pairs(S.counts) do
    if by ~= 0 and call('HINCRBY', K .. ':c', field, by) == 0 then
      call('HDEL', K .. ':c', field)
      empty[string.match(field, '^%d+')] = true
    end
  end
  S.counts = {}
  return empty
end

-- Flat: field and number in turn.
function M.counts()
  write_counts()
  return call('HGETALL', K .. ':c')
end

local function is_empty(number)
  local fields = {}
  for at, state in ipairs(states) do fields[at] = number .. ':' .. state end
  for _, count in ipairs(call('HMGET', K .. ':c', unpack(fields))) do
    if count then return false end
  end
  return true
end

local function forget(number)
  call('HDEL', K .. ':lines', call('HGET', K .. ':line', number))
  call('HDEL', K .. ':line', number)
  U.template.forget(number)
end

-- Only where jobs were removed a line may be without any.
function M.flush()
  for number in pairs(write_counts()) do
    if S.hasRemoved and is_empty(number) then forget(number) end
  end
end
`,
);
