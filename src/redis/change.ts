/** Changes jobs that a person or a program selected. */
import { changeMax, tidyMax } from "../core/defaults.ts";
import type { Change, Changed, ChangedJob, JobFilter, Selection } from "../core/engine.ts";
import { endedStates, jobStates, liveStates } from "../core/states.ts";
import type { JobState } from "../core/states.ts";
import { fragment, script } from "./fragment.ts";
import type { Fragment, Main } from "./fragment.ts";

/** How many scripts look for the jobs of one change. */
const looksMax = 1_000;

export const changeFragment: Fragment = fragment(
  "change",
  String.raw`
local is_ended = U.store.is_ended_state

-- Still parked, but its lane was opened: tidy sorts it back.
local function is_opening(job)
  local lane = U.lanes.lane_of(job)
  return lane ~= nil and lane.closed == nil and not U.lane.is_held_by(lane, job)
end

local function retry_of(job)
  if job.state == 'running' then return 'running' end
  if job.state == 'ready' or job.state == 'blocked' or job.state == 'away' then return 'waiting' end
  if job.state == 'scheduled' then return 'retried' end
  if job.asMember and U.standIn.is_asked(job) then return 'waiting' end
  if job.state == 'parked' then return is_opening(job) and 'waiting' or 'retried' end
  if job.state ~= 'dead' then return 'ended' end
  return job.uniqueKey and U.uniques.is_held(job.uniqueKey) and 'taken' or 'retried'
end

local function is_waiting(job)
  return not is_ended[job.state] and job.state ~= 'running'
end

-- Only then is a job selected, so that calling again goes on and comes to an end.
local does_something = {
  cancel = function(job) return not is_ended[job.state] and not (job.lease and job.lease.isCancelling) and not (job.onward and job.onward.isCancelling) end,
  retry = function(job) return retry_of(job) == 'retried' end,
  prioritise = function(job, asked) return is_waiting(job) and (job.headStartMs ~= asked.headStartMs or job.urgency ~= job.dueAt - asked.headStartMs) end,
  delete = function(job) return is_ended[job.state] == true end,
}

-- One that died in a row, behind another that lives, goes back behind it.
local function redrive_head(lane, job)
  if U.lane.is_following(lane, job) then
    U.lane.block(lane, job)
    U.store.move(job, 'blocked')
    return
  end
  U.lane.admit(lane, job)
  U.life.wait(job)
end

-- One that held its lane runs first. One of a closed lane opens it, and all members run in their order.
local function redrive_parked(job, limit)
  local lane = U.lanes.lane_of(job)
  if lane == nil then U.life.wait(job) end
  if lane and U.lane.is_held_by(lane, job) then
    redrive_head(lane, job)
    U.marks.add('toAdmit', lane.key)
  end
  if lane == nil or lane.closed == nil then return end
  U.lane.open(lane)
  U.marks.add('toAdmit', lane.key)
  U.marks.add('toSort', lane.key)
  U.lanePasses.admit_next(${tidyMax})
  U.lanePasses.sort_lane(lane, limit)
end

-- It takes its old place in its lane again.
local function redrive_dead(job)
  local place = job.lane and U.lane.arrive(U.lanes.of(job.lane.key), job) or 'admitted'
  if place == 'admitted' then U.life.wait(job) else U.store.move(job, place) end
end

local function hasten(job)
  job.dueAt = S.now
  U.life.come_due(job)
end

local change = {}

function change.cancel(job, asked)
  if not is_ended[job.state] then return U.life.cancel(job, asked.reason) end
  return job.asMember and U.standIn.call_back(job, asked) and 'cancelling' or 'ended'
end

function M.redrive(job, limit)
  U.life.begin_anew(job)
  if job.asMember then job.asMember.askedAt = nil end
  if job.state == 'parked' then redrive_parked(job, limit)
  elseif job.state == 'dead' then redrive_dead(job)
  else hasten(job) end
end

-- One that came from another home is redriven from there on, where it began.
function change.retry(job, asked, limit)
  local answer = retry_of(job)
  if answer ~= 'retried' then return answer end
  if job.reports == nil or job.state == 'scheduled' or not U.standIn.pass_back(job, asked) then M.redrive(job, limit) end
  return answer
end

local function set_urgency(job, headStartMs)
  U.job.touch(job)
  job.headStartMs = headStartMs
  job.urgency = job.dueAt - headStartMs
end

function change.prioritise(job, asked)
  if is_ended[job.state] then return 'ended' end
  if job.state == 'running' then return 'running' end
  local limit = job.limitedBy
  if limit then U.limits.leave(job) end
  set_urgency(job, asked.headStartMs)
  if limit then U.limits.move_to(job, limit) end
  if job.state == 'ready' then U.store.move(job, 'ready') end
  if job.awayTo then U.standIn.pass_on(job, asked) end
  return 'prioritised'
end

-- way: from which side another home passed it on.
function change.delete(job, asked)
  if not is_ended[job.state] or (asked.way == nil and job.asMember and U.standIn.is_asked(job)) then return 'live' end
  if job.awayTo and asked.way ~= 'back' then U.standIn.pass_on(job, { ['do'] = 'delete', way = 'on' }) end
  if job.reports and asked.way ~= 'on' then U.standIn.pass_back(job, { ['do'] = 'delete', way = 'back' }) end
  U.store.remove(job)
  return 'deleted'
end

-- As another home asks.
function M.change_one(job, asked)
  change[asked['do']](job, asked, ${tidyMax})
end

-- Jobs that a selection means and the change does something to, behind those that were looked at before. Answers them, and where to go on if there may be more.
local function select(request, most)
  local asked, from = request.asked, request.from
  local does = does_something[asked['do']]
  local function is_wanted(job) return does(job, asked) end
  if request.jobs then return U.filter.walk(request.jobs, from, false, most, is_wanted) end
  local found, last, join = U.filter.some_of(U.joinTree.members_of(request.join, from), most, is_wanted)
  return found, last and { join = join, seq = last.seq }
end

-- What was found before may have changed since.
local function is_wanted_still(request, id)
  local job, asked = U.job.standing(id), request.asked
  if job == nil or not does_something[asked['do']](job, asked) then return false end
  if request.jobs == nil then return true end
  local is_meant = U.filter.matcher(request.jobs)
  return is_meant ~= nil and is_meant(job)
end

-- Jobs with ids, in the order of asking. Of several homes: isHere, not those that went on to another; with jobs as well, those alone that are meant still.
local function change_all(ids, request)
  local jobs, asked, limit = {}, request.asked, request.limit
  U.job.load_ids(ids)
  for at = 1, math.min(limit, #ids) do
    local job = U.job.standing(ids[at])
    local isStandIn = job and job.awayTo and true
    if (isStandIn and request.isHere) or (request.ids and request.jobs and not is_wanted_still(request, ids[at])) then job = nil end
    jobs[at] = { id = ids[at], is = job and change[asked['do']](job, asked, limit) or 'unknown', cameFrom = job and job.reports and true }
  end
  return jobs
end

local function selected(request)
  local ids = {}
  U.job.load_ids(request.found)
  for _, id in ipairs(request.found) do
    if is_wanted_still(request, id) then ids[#ids + 1] = id end
  end
  local found, goOn = select(request, request.limit + 1 - #ids)
  for _, job in ipairs(found) do ids[#ids + 1] = job.id end
  return ids, goOn
end

-- Of several homes: that of a join begins to cancel it, and leaves its members to whoever asks, or to tidy. isDone: they were cancelled.
local function cancel_join(request)
  if not request.isDone then U.joinTree.cancel_joins(request.join, request.asked.reason) end
  U.joinTree.leave_to_cancel(request.join, not request.isDone)
  U.aftermath.run()
  return { jobs = {}, hasMore = false }
end

-- limit: how many at most. found: ids of jobs that were looked for before. Answers what became of them; or what was found so far, and where to go on.
function M.change(request)
  if request.isDone ~= nil then return cancel_join(request) end
  local ids, limit, goOn = request.ids, request.limit, nil
  local isJoinCancelled = request.join and request.asked['do'] == 'cancel'
  if isJoinCancelled then U.joinTree.cancel_joins(request.join, request.asked.reason) end
  if ids == nil then ids, goOn = selected(request) end
  if goOn and #ids <= limit and not request.isLast then
    -- Also if the caller does not come back.
    if isJoinCancelled then U.joinTree.leave_to_cancel(request.join, true) end
    return { found = ids, goOn = goOn }
  end
  local hasMore = #ids > limit or goOn ~= nil
  local jobs = change_all(ids, request)
  if isJoinCancelled then U.joinTree.leave_to_cancel(request.join, hasMore) end
  U.aftermath.run()
  return { jobs = jobs, hasMore = hasMore }
end
`,
);

export const changeScript: Main = script("change", String.raw`return finish(U.change.change(cjson.decode(ARGV[2])))`);

/** All other jobs are left alone: they need not be looked at. */
const changeable: Readonly<Record<Change["do"], readonly JobState[]>> = {
  cancel: liveStates,
  retry: ["scheduled", "parked", "dead"],
  prioritise: ["scheduled", "blocked", "ready", "parked"],
  delete: endedStates,
};

/**
 * What {@link changeScript} is asked. `isLast`: what was found by then is changed, though there may be more. `isHere`, `jobs` beside ids and `isDone`: of one home of
 * several (spread/changes.ts).
 */
export type ChangeRequest = { readonly asked: Change; readonly limit: number; readonly isLast?: boolean } & (
  | { readonly ids: readonly string[]; readonly isHere?: boolean; readonly jobs?: JobFilter }
  | { readonly join: string; readonly isDone: boolean }
  | (Exclude<Selection, { readonly ids: readonly string[] }> & { readonly found: unknown; readonly from?: unknown })
);

/** An empty list of Lua is an object. */
export type ToldChange = { readonly found: unknown; readonly goOn: unknown } | { readonly jobs: readonly ToldChangedJob[] | object; readonly hasMore: boolean };

/** cameFrom: from another home. */
export type ToldChangedJob = ChangedJob & { readonly cameFrom?: true };

/** Runs {@link changeScript}: many times where what is meant is far between, the last of which changes all that was found, in one atom. */
export async function changeJobs(run: (request: ChangeRequest) => Promise<ToldChange>, which: Selection, change: Change, limit: number): Promise<Changed> {
  const asked = wellFormed(change);
  const most = Math.min(limit, changeMax);
  if ("ids" in which) return changedBy(await run({ asked, limit: most, ids: which.ids.slice(0, most + 1) }));
  const meant = "join" in which ? which : { jobs: { ...which.jobs, states: changeableOf(which.jobs, asked) } };
  let request: ChangeRequest = { asked, limit: most, ...meant, found: [] };
  for (let looks = 1; ; looks += 1) {
    const told = await run(request);
    if ("jobs" in told) return changedBy(told);
    request = { ...request, found: told.found, from: told.goOn, isLast: looks === looksMax };
  }
}

/** Lua reads no halves of surrogate pairs. */
export function wellFormed(change: Change): Change {
  return change.do === "cancel" ? { ...change, reason: change.reason.toWellFormed() } : change;
}

export function changeableOf({ states }: JobFilter, change: Change): readonly JobState[] {
  return (states ?? jobStates).filter((state) => changeable[change.do].includes(state));
}

function changedBy(told: ToldChange): Changed {
  if (!("jobs" in told)) return { jobs: [], hasMore: true };
  return { jobs: Array.isArray(told.jobs) ? (told.jobs as readonly ChangedJob[]) : [], hasMore: told.hasMore };
}
