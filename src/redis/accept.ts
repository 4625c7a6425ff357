/** Takes one job in: known by its id, lost to the holder of its unique key, or stored where it may go on from. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** What is answered: id, isDuplicate and job, the one that stands; no job where a throttled key outlived it. */
export const acceptFragment: Fragment = fragment(
  "accept",
  String.raw`
-- What stands under these ids now: a job first, else a join. winners: by the id of each work of an atom that lost its unique key, who won it.
-- by: whose they are; of a join's some may be in other homes.
function M.resolved(after, winners, by)
  if after == nil or #after == 0 then return nil end
  local resolved = {}
  for i, before in ipairs(after) do
    local id = winners and winners[before.id] or before.id
    if before.home and before.home ~= S.meta.home then resolved[i] = U.watch.begin(before, by)
    else
      local held = U.job.standing(id) or U.joins.find(id)
      resolved[i] = { id = id, when = before.when, held = held and held.seq, kind = held and held.kind }
    end
  end
  return resolved
end

-- It is there already: where it was given to a join, it is a member of that too.
local function stand(job, work)
  if work.join then U.adopt.adopt_again(job, work.join) end
  if work.report then U.standIn.stand(job, work) end
  return { id = job.id, isDuplicate = true, job = job }
end

-- A gathering job that the newcomer does not fit into is full from here on.
local function winner_of(work)
  local unique = work.unique
  while true do
    local winner = U.uniques.winner(unique, work.ends)
    if unique.mode.is ~= 'gather' or type(winner) ~= 'table' then return winner end
    if winner.gathering == nil or U.gathering.payload_with(winner, work) then return winner end
    U.job.touch(winner)
    winner.gathering.isFull = true
  end
end

-- When it is due, and when it must have started. firstEnqueuedAt is what a debounce's deadline counts from.
local function terms_of(work, firstEnqueuedAt, elements)
  local now = S.now
  local startBy = work.startBy or (work.startWithinMs and now + work.startWithinMs)
  local mode = work.unique and work.unique.mode
  local is = mode and mode.is
  if is == 'gather' and elements >= mode.most then return now, startBy end
  if is == 'debounce' or is == 'gather' then return math.min(now + mode.quietMs, firstEnqueuedAt + mode.atMostMs), startBy end
  local dueAt = work.dueAt or now + (work.delayMs or 0)
  -- What was due where it came from is not due later here.
  return work.report and dueAt or math.max(now, dueAt), startBy
end

-- What counts from its being let go. An instant that was stated stands, and so does the time of a debounce.
local function count_down(hold, work)
  local is = work.unique and work.unique.mode.is
  local stands = work.dueAt ~= nil or is == 'debounce' or is == 'gather'
  hold.delayMs = not stands and work.delayMs or nil
  hold.startWithinMs = work.startBy == nil and work.startWithinMs or nil
end

-- Outside its lane and its limits until it is let go.
local function hold(job, work, isByJoin)
  job.hold = { isByJoin = isByJoin or nil }
  count_down(job.hold, work)
  job.startBy = work.startBy
  job.state = 'blocked'
  U.store.add(job)
end

local function place(job)
  local place = job.lane and U.lane.arrive(U.lanes.of(job.lane.key), job) or 'admitted'
  local isLimited = place == 'admitted' and job.state == 'ready' and job.keyLimits ~= nil
  local isGoing = place == 'admitted' and job.onward and job.keyLimits == nil and (job.state == 'ready' or U.standIn.goes_early(job))
  if place ~= 'admitted' then job.state = place
  elseif isLimited or isGoing then job.state = 'blocked' end
  U.store.add(job)
  if isLimited then U.limits.queue_up(job) elseif isGoing then U.life.wait(job) end
end

local function store_job(work, winners)
  local join = work.join and U.joins.find(work.join)
  local after = M.resolved(work.after, winners, work.id)
  local dueAt, startBy = terms_of(work, S.now, 1)
  local job = U.newJob.new_job(work, dueAt, startBy, join and join.seq, after)
  if work.isWatch then U.watch.take(job) end
  local unique = work.unique
  if unique then
    if unique.mode.is == 'gather' then U.gathering.gather(job, work) end
    if unique.mode.is == 'throttle' then U.uniques.keep_until(unique.key, job.id, job.enqueuedAt + unique.mode.windowMs) end
  end
  local verdict = after and U.afters.judge(after)
  local isByJoin = join ~= nil and join.state ~= 'open'
  if isByJoin or work.isWatch or verdict and verdict.is ~= 'met' then hold(job, work, isByJoin) else place(job) end
  if verdict and verdict.is == 'unmet' then U.life.end_as(job, verdict.fate.is, { reason = verdict.fate.reason }) end
  if work.isWatch then U.watch.look(job, verdict) end
  return job
end

local rewriting = { replace = true, debounce = true, gather = true }

-- A ready one keeps the room that it holds.
local function resume(job)
  if job.dueAt > S.now then U.store.move(job, 'scheduled')
  elseif job.state == 'ready' then U.store.move(job, 'ready')
  else U.life.come_due(job) end
end

-- The waiting job keeps its id and its place in lane and enqueue order; what it is to do, and when, becomes the new one's.
local function yield_to(job, work)
  local is = work.unique.mode.is
  if not rewriting[is] or job.state == 'running' or job.state == 'parked' or job.state == 'away' then return end
  U.job.touch(job)
  -- It stands there by what it is told now.
  if job.startBy then call('ZREM', K .. ':late', U.spans.single(job.seq)) end
  if is == 'gather' then
    job.payload = U.gathering.payload_with(job, work) or work.payload
  else
    job.content = work.content
    job.checkpoint = nil
    job.payload = work.payload
  end
  if is == 'gather' or job.gathering then U.gathering.gather(job, work) end
  local dueAt, startBy = terms_of(work, job.enqueuedAt, job.gathering and job.gathering.elements or 1)
  local limit = job.limitedBy
  if limit then U.limits.leave(job) end
  job.version = work.version
  job.expecting = work.expecting
  job.headStartMs = work.headStartMs
  if job.hold then job.startBy = work.startBy else job.startBy = startBy end
  job.dueAt = dueAt
  job.urgency = dueAt - work.headStartMs
  job.delayedBy = 'time'
  if job.hold then count_down(job.hold, work)
  elseif limit and job.dueAt <= S.now then U.limits.move_to(job, limit)
  elseif limit or job.state ~= 'blocked' then resume(job) end
end

-- Its join took no members any more when it came.
local function drop(work, winners)
  -- It goes nowhere: there it would run.
  work.join, work.onward = nil, nil
  local job = store_job(work, winners)
  if not U.store.is_ended_state[job.state] then U.life.end_as(job, 'cancelled', { reason = 'not started: its join was closed before it came' }) end
  return { id = work.id, isDuplicate = false, job = job }
end

-- One that comes from another home may have a stand-in here, which is no other.
local function known_of(work)
  if work.report then return U.standIn.come(work) end
  return U.job.standing(work.id)
end

function M.accept_job(work, winners)
  if S.meta.homes > 1 then work = U.route.here(work, winners) end
  local known = known_of(work)
  if known then return stand(known, work) end
  if work.isMailed and U.standIn.is_closed_to(work) then return drop(work, winners) end
  local winner = work.unique and winner_of(work)
  if not winner then return { id = work.id, isDuplicate = false, job = store_job(work, winners) } end
  local isJob = type(winner) == 'table'
  if winners then winners[work.id] = isJob and winner.id or winner end
  if not isJob then
    local ended = U.job.standing(winner)
    if ended then return stand(ended, work) end
    if work.report then U.standIn.end_lost(work, winner) end
    return { id = winner, isDuplicate = true }
  end
  yield_to(winner, work)
  return stand(winner, work)
end
`,
);
