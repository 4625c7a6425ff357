/** Which jobs a filter means, found by the index that fits it best. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** How many jobs, and how many bytes of them, are looked at in one script. */
const looksMax = 2_000;
const bytesMax = 16 * 1_024 * 1_024;
const readAtOnce = 100;

/**
 * Candidates come from an iterator of numbers, ascending, or descending for the newest first; a job that a filter means is always among them.
 * K:uk:<key>: all jobs of a unique key. K:lp:<key>: parked members of a lane, beside those in its row.
 */
export const filterFragment: Fragment = fragment(
  "filter",
  String.raw`
local function nothing() return nil end

-- What stands under an id: a job first, else a join.
local function held_of(id)
  return U.job.by_id(id) or U.joins.find(id)
end

local function has(list, value)
  for _, other in ipairs(list or {}) do
    if other == value then return true end
  end
  return false
end

-- Whether it came after that very job or join.
local function is_after(job, seq)
  for _, before in ipairs(job.after or {}) do
    if before.held == seq then return true end
  end
  return false
end

-- What later came after: the job itself, or a join that it is a member of.
local function is_before(job, later)
  for _, before in ipairs(later.after or {}) do
    if before.held == job.seq or (before.kind == 'join' and has(job.joins, before.held)) then return true end
  end
  return false
end

-- A function that tells whether a job is among those; nil where none can be.
function M.matcher(where)
  local isMeant, join, before, later
  if where.states then
    isMeant = {}
    for _, state in ipairs(where.states) do isMeant[state] = true end
    if next(isMeant) == nil then return nil end
  end
  if where.join then
    join = U.joins.seq_of(where.join)
    if join == nil then return nil end
  end
  if where.after then
    before = held_of(where.after)
    if before == nil then return nil end
  end
  if where.before then
    later = held_of(where.before)
    if later == nil or later.after == nil then return nil end
  end
  return function(job)
    if isMeant and not isMeant[job.state] then return false end
    local line = U.line.get(job.line)
    return (where.queue == nil or where.queue == line.queue) and (where.task == nil or where.task == line.task)
      and (where.lane == nil or (job.lane ~= nil and where.lane == job.lane.key)) and (where.unique == nil or where.unique == job.uniqueKey)
      and (join == nil or has(job.joins, join)) and (before == nil or is_after(job, before.seq)) and (later == nil or is_before(job, later))
  end
end

-- Numbers in pages: read answers the next page behind a number, and where it ends if there may be more.
local function paged(read, from)
  local page, at = {}, 0
  local isOver = false
  return function()
    while at == #page do
      if isOver then return nil end
      local last
      page, last = read(from)
      at, from, isOver = 0, last, last == nil
      U.job.load(page)
    end
    at = at + 1
    return page[at]
  end
end

-- Those of a set whose scores are numbers of jobs.
local function in_set(key, from, newestFirst)
  local verb, last = 'ZRANGEBYSCORE', '+inf'
  if newestFirst then verb, last = 'ZREVRANGEBYSCORE', '-inf' end
  return paged(function(behind)
    local texts, seqs = call(verb, key, behind and '(' .. behind or (newestFirst and '+inf' or '-inf'), last, 'LIMIT', 0, ${readAtOnce}), {}
    for at, text in ipairs(texts) do seqs[at] = tonumber(text) end
    return seqs, #seqs == ${readAtOnce} and seqs[#seqs] or nil
  end, from)
end

local function in_order(from, newestFirst)
  return paged(function(behind) return U.job.after_seq(behind, ${readAtOnce}, newestFirst) end, from)
end

local function of_join(join, from, newestFirst)
  local next_member = U.joinTree.members_in_order(join, from, newestFirst)
  return function()
    local job = next_member()
    return job and job.seq
  end
end

local function only(seq)
  local isOver = false
  return function()
    if isOver then return nil end
    isOver = true
    return seq
  end
end

-- The next of several, each once.
local function merged(sources, newestFirst)
  local heads, sign = {}, newestFirst and -1 or 1
  for at, source in ipairs(sources) do heads[at] = source() or false end
  return function()
    local first
    for _, head in ipairs(heads) do
      if head and (first == nil or head * sign < first * sign) then first = head end
    end
    for at, head in ipairs(heads) do
      if head and head == first then heads[at] = sources[at]() or false end
    end
    return first
  end
end

-- Jobs that something came after, and the members of the joins.
local function before_that(later, from, newestFirst)
  local sources, isKnown = {}, {}
  for _, before in ipairs(later.after) do
    local held = before.held
    if held and not isKnown[held] then
      isKnown[held] = true
      local join = before.kind == 'join' and U.joins.by_seq(held)
      local isBehind = from == nil or (held > from) == not newestFirst and held ~= from
      if join then sources[#sources + 1] = of_join(join, from, newestFirst)
      elseif before.kind == 'job' and isBehind and U.job.by_seq(held) then sources[#sources + 1] = only(held) end
    end
  end
  return merged(sources, newestFirst)
end

-- Numbers in any order.
local function in_list(seqs, from, newestFirst)
  local behind, first = {}, 1
  for _, seq in ipairs(seqs) do
    if from == nil or (newestFirst and seq < from) or (not newestFirst and seq > from) then behind[#behind + 1] = seq end
  end
  table.sort(behind, function(a, b)
    if newestFirst then return a > b end
    return a < b
  end)
  return paged(function()
    local last = math.min(first + ${readAtOnce - 1}, #behind)
    local page = { unpack(behind, first, last) }
    first = last + 1
    return page, last < #behind and page[#page] or nil
  end, from)
end

local function in_states(where, from, newestFirst)
  local keys, seqs = U.inState.found(where)
  if keys == nil then return nil end
  local sources = { in_list(seqs, from, newestFirst) }
  for _, key in ipairs(keys) do sources[#sources + 1] = in_set(key, from, newestFirst) end
  return merged(sources, newestFirst)
end

-- Who waits for a join, what it comes after or a limit is blocked outside its lane; who has ended has left it.
local inLane = { running = true, ready = true, scheduled = true, parked = true }

local function in_lane(where, from, newestFirst)
  for _, state in ipairs(where.states or { 'blocked' }) do
    if not inLane[state] then return nil end
  end
  local lane, seqs = U.lanes.find(where.lane), {}
  if lane == nil then return nothing end
  for _, list in ipairs({ lane.admitted, lane.heads or {}, lane.parked and lane.parked.items or {} }) do
    for _, seq in ipairs(list) do seqs[#seqs + 1] = seq end
  end
  return merged({ in_list(seqs, from, newestFirst), in_set(K .. ':lp:' .. where.lane, from, newestFirst) }, newestFirst)
end

function M.candidates(where, from, newestFirst)
  if where.unique then return in_set(K .. ':uk:' .. where.unique, from, newestFirst) end
  if where.join then return of_join(U.joins.find(where.join), from, newestFirst) end
  if where.before then return before_that(held_of(where.before), from, newestFirst) end
  return where.lane and in_lane(where, from, newestFirst) or in_states(where, from, newestFirst) or in_order(from, newestFirst)
end

-- Of jobs that come one after the other those that are wanted, at most so many. Answers them; and the one looked at last, and what came with it, where there
-- may be more.
function M.some_of(next_job, most, is_wanted)
  local found, looks, bytes = {}, 0, 0
  for job, with in next_job do
    looks = looks + 1
    bytes = bytes + #job.payload + #(job.checkpoint or '')
    if is_wanted(job) then found[#found + 1] = job end
    if #found == most or looks == ${looksMax} or bytes > ${bytesMax} then return found, job, with end
  end
  return found
end

-- Goes on from a number. Answers the jobs that are meant and wanted (nil: all), at most so many, and where to go on if there may be more.
function M.walk(where, from, newestFirst, most, is_wanted)
  local is_meant = M.matcher(where)
  local next_seq = is_meant and M.candidates(where, from, newestFirst) or nothing
  local found, last = M.some_of(function()
    local seq = next_seq()
    return seq and U.job.by_seq(seq)
  end, most, function(job) return is_meant(job) and (is_wanted == nil or is_wanted(job)) end)
  return found, last and last.seq
end
`,
);
