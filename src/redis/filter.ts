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

local function is_of_several() return S.meta.homes > 1 end

-- What stands under an id; where there are several homes, after it what stands in for it here since it went on from here.
function M.jobs_of(id)
  local jobs = { U.job.by_id(id) }
  if is_of_several() then jobs[#jobs + 1] = U.standIn.by_id(id) end
  return jobs
end

-- Jobs first, else a join.
local function held_of(id)
  local jobs = M.jobs_of(id)
  return jobs[1] and jobs or { U.joins.find(id) }
end

local function has(list, value)
  for _, other in ipairs(list or {}) do
    if other == value then return true end
  end
  return false
end

-- Whether it came after that very job or join. What it comes after in another home it knows by id.
local function is_after(job, id, befores)
  for _, list in ipairs({ job.asMember and job.asMember.after or {}, job.onward and job.onward.after or {} }) do
    for _, before in ipairs(list) do
      if before.id == id then return true end
    end
  end
  for _, before in ipairs(job.after or {}) do
    for _, held in ipairs(befores) do
      if before.held == held.seq then return true end
    end
  end
  return false
end

-- Of these ids, what is here.
local function standing_here(ids)
  local all = {}
  for _, id in ipairs(ids) do
    local held = U.job.by_id(id) or U.joins.find(id)
    if held then all[#all + 1] = { id = id, held = held.seq, kind = held.kind } end
  end
  return all
end

-- What the job or join that is meant came after. Of several homes none knows all of that: they are told the ids.
local function came_after(where)
  if where.predecessors then return standing_here(where.predecessors) end
  local all, later = {}, held_of(where.before)[1]
  for _, before in ipairs(later and later.after or {}) do
    if before.held then all[#all + 1] = before end
  end
  return all
end

-- Their ids.
function M.predecessors_of(where)
  local ids = {}
  for at, before in ipairs(came_after(where)) do ids[at] = before.id end
  return ids
end

-- Whether it is among those, or a member of a join that is.
local function is_before(job, predecessors)
  for _, before in ipairs(predecessors) do
    if before.held == job.seq or (before.kind == 'join' and has(job.joins, before.held)) then return true end
  end
  return false
end

local function has_keys(job, where)
  local asked = U.jobRow.asked_of(job)
  return (where.lane == nil or (asked.lane ~= nil and where.lane == asked.lane.key)) and (where.unique == nil or where.unique == asked.unique)
end

-- A function that tells whether a job is among those; nil where none can be. Of several homes one has the members of a join: there a stand-in is one of those as well,
-- whatever else is asked, which the job itself tells; and before is not asked of the members of a join.
function M.matcher(where)
  local isMeant, join, befores, predecessors
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
    befores = held_of(where.after)
    if befores[1] == nil and not is_of_several() then return nil end
  end
  if where.before and not (join and is_of_several()) then
    predecessors = came_after(where)
    if predecessors[1] == nil then return nil end
  end
  local function is_near(job)
    return (join == nil or has(job.joins, join)) and (predecessors == nil or is_before(job, predecessors))
  end
  return function(job)
    if job.awayTo then return (join or predecessors) and is_near(job) end
    if isMeant and not isMeant[job.state] then return false end
    local line = U.line.get(job.line)
    if (where.queue and where.queue ~= line.queue) or (where.task and where.task ~= line.task) then return false end
    return (not (where.lane or where.unique) or has_keys(job, where)) and (befores == nil or is_after(job, where.after, befores)) and is_near(job)
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
local function before_that(predecessors, from, newestFirst)
  local sources, isKnown = {}, {}
  for _, before in ipairs(predecessors) do
    local held = before.held
    if not isKnown[held] then
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

-- Who waits for a join, what it comes after or a limit is blocked outside its lane; who has ended has left it; and who went on to another home stands in it here alone.
local inLane = { running = true, ready = true, scheduled = true, parked = true }

local function in_lane(where, from, newestFirst)
  if is_of_several() then return nil end
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

-- Which jobs belong together several homes know by joins and by what came before.
function M.candidates(where, from, newestFirst)
  if where.unique and not (is_of_several() and (where.join or where.before)) then return in_set(K .. ':uk:' .. where.unique, from, newestFirst) end
  if where.join then return of_join(U.joins.find(where.join), from, newestFirst) end
  if where.before then return before_that(came_after(where), from, newestFirst) end
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
