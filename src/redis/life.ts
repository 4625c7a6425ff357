/** A job's life: each change of state with all that follows from it. Every verb changes jobs through these. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** An ending: reason, error, ranMs and isPoison, each absent where nothing is to be said. */
export const lifeFragment: Fragment = fragment(
  "life",
  String.raw`
local function reason_of(ending)
  return ending.reason or (ending.error and ending.error.message)
end

-- It ends, and leaves its lane.
local function finish(job, state, ending)
  job.reason = reason_of(ending)
  U.store.move(job, state)
  if job.lane then U.lanes.leave(job) end
end
M.finish = finish

function M.attempt_row(job, is, ending)
  return { start = job.starts, is = is, at = S.now, ranMs = ending.ranMs, reason = ending.reason, error = ending.error }
end

-- It ends, leaves its lane and frees its unique key. An ending that was not clean is recorded.
function M.end_as(job, state, ending)
  U.job.touch(job)
  if state ~= 'completed' then U.jobRules.remember(job, M.attempt_row(job, state, ending)) end
  finish(job, state, ending)
end

function M.park(lane, job)
  U.lane.park(lane, job)
  U.store.move(job, 'parked')
end

local function hold(lane, job, ending)
  job.reason = reason_of(ending)
  U.lane.hold(lane, job)
  U.store.move(job, 'parked')
end

-- The lane closes. Its admitted members, at most its width, are parked at once; the blocked ones by tidy.
local function close(lane, job, ending)
  U.lane.close(lane, job)
  job.reason = reason_of(ending)
  M.park(lane, job)
  for _, member in ipairs(U.lane.admitted_waiting(lane)) do M.park(lane, member) end
  U.marks.add('toSort', lane.key)
end

-- What its death makes of it: dead, or parked where its lane says so, which may be in another home.
function M.fall(job, ending)
  local lane = job.lane and U.lanes.lane_of(job)
  local elsewhere = job.lane == nil and job.asMember and job.asMember.lane
  if lane and job.lane.ifDead == 'park' then close(lane, job, ending)
  elseif lane and job.lane.ifDead == 'block' then hold(lane, job, ending)
  elseif elsewhere and elsewhere.ifDead ~= 'continue' then
    job.reason = reason_of(ending)
    U.store.move(job, 'parked')
  else finish(job, 'dead', ending) end
end

-- It dies, and its death is published.
function M.die(job, ending)
  U.job.touch(job)
  U.jobRules.remember(job, M.attempt_row(job, 'dead', ending))
  job.isPoison = ending.isPoison or nil
  job.hasDied = true
  -- Read before it is moved: the fence of its last claim makes each death an event of its own, also of a job that was redriven.
  local fence = job.lease and job.lease.fence or 0
  M.fall(job, ending)
  U.fanOut.publish_death(job, fence)
end

-- Waiting: it ends. Running: its worker hears of it with its next beat; whatever it settles, the job ends cancelled.
function M.cancel(job, reason)
  if job.awayTo then return U.standIn.cancel(job, reason) end
  if job.lease == nil then
    M.end_as(job, 'cancelled', { reason = reason })
    return 'cancelled'
  end
  U.job.touch(job)
  if not job.lease.isCancelling then U.processes.mark_cancelling(job) end
  job.lease.isCancelling = true
  job.reason = job.reason or reason
  return 'cancelling'
end

local function block(lane, job)
  U.lane.block(lane, job)
  -- The earlier one may be waiting to be admitted itself.
  U.marks.add('toAdmit', lane.key)
  U.store.move(job, 'blocked')
end

-- It waits again: for its time, for room under its limits, or for a worker; unless its lane was closed meanwhile, it comes back though one before it
-- in its row lives, or it is too late to start.
function M.wait(job)
  local lane = job.lane and U.lanes.lane_of(job)
  if lane and lane.closed then M.park(lane, job)
  elseif lane and job.lease and job.lease.isFollower and U.lane.is_behind(lane, job) then block(lane, job)
  elseif job.startBy and U.jobRules.is_late(job) then M.skip_late(job)
  elseif job.onward and U.standIn.goes_early(job) then U.standIn.away(job)
  elseif job.dueAt > S.now then U.store.move(job, 'scheduled')
  else M.come_due(job) end
end

-- Nothing holds it here any more.
function M.go_on(job)
  if job.onward then U.standIn.away(job) else U.store.move(job, 'ready') end
end

-- Ready, or first to be given room by its limits: that is seen at the end of the verb.
function M.come_due(job)
  if job.keyLimits == nil then
    M.go_on(job)
    return
  end
  U.store.move(job, 'blocked')
  U.limits.queue_up(job)
end

-- Days since 1970 as year, month and day (Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days).
local function date_of(days)
  local z = days + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local month = mp < 10 and mp + 3 or mp - 9
  return yoe + era * 400 + (month <= 2 and 1 or 0), month, doy - math.floor((153 * mp + 2) / 5) + 1
end

-- As Date.toISOString writes it.
local function iso_of(at)
  local ms = math.floor(at)
  local days = math.floor(ms / 86400000)
  local rest = ms - days * 86400000
  local year, month, day = date_of(days)
  local years = year >= 0 and year <= 9999 and string.format('%04d', year) or string.format(year < 0 and '-%06d' or '+%06d', math.abs(year))
  return string.format('%s-%02d-%02dT%02d:%02d:%02d.%03dZ', years, month, day, math.floor(rest / 3600000), math.floor(rest / 60000) % 60,
    math.floor(rest / 1000) % 60, rest % 1000)
end

-- It was not started in time.
function M.skip_late(job)
  S.skippedLate = (S.skippedLate or 0) + 1
  M.end_as(job, 'skipped', { reason = 'too late: not started by ' .. iso_of(job.startBy or S.now) })
end

-- A new start: attempts, starts and suspicion begin anew; the history stays. One that had started in time need not do so again.
function M.begin_anew(job)
  U.job.touch(job)
  if job.starts > 0 then job.startBy = nil end
  job.attempts = 0
  job.starts = 0
  job.suspects = 0
  job.deathsAlone = 0
  job.hasDied = nil
  job.isPoison = nil
  job.reason = nil
  job.endedAt = nil
end
`,
);
