/** All that the engine keeps. `add`, `move` and `remove` are the only ways in, through and out for a job, and keep every index in step. */
import { endedStates, transitions } from "../core/states.ts";
import { joinsKeptMs } from "../core/defaults.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** Of a job that is elsewhere: where a store has several homes (standIn.ts). */
const elsewhere = [
  ...["scheduled", "blocked", "ready", "parked", "dead"].map((from) => ({ from, to: "away" })),
  ...[...endedStates, "parked"].map((to) => ({ from: "away", to })),
  ...["completed", "dead"].map((to) => ({ from: "parked", to })),
  { from: "blocked", to: "completed" },
];
const legal = [...transitions, ...elsewhere].map(({ from, to }) => `['${from} ${to}'] = true`).join(", ");

export const storeFragment: Fragment = fragment(
  "store",
  String.raw`
local legal = { ${legal} }
local ended = { completed = true, skipped = true, cancelled = true, dead = true }
-- States with an index by number: what is rare among all jobs.
local indexed = { parked = true, skipped = true, cancelled = true, dead = true }
M.is_ended_state = ended
M.is_indexed = indexed

-- 'ready': only work became ready, which those who work need not hear of while they find more than they can do.
function M.wake(why)
  if S.woken ~= true then S.woken = why or true end
end

local function has_limits(job)
  return job.keyLimits and #job.keyLimits > 0
end

local function make_ready(job)
  U.ready.push(job)
  if has_limits(job) then U.limits.take(job) end
end

local function run(job)
  if job.lease == nil then return end
  call('ZADD', K .. ':run:' .. job.lease.process, job.seq, job.seq)
  if has_limits(job) then U.limits.start(job) end
  if job.lease.gates or job.lease.needs then U.gates.take(job.lease) end
end

local function stop(job)
  local lease = job.lease
  if lease == nil then return end
  call('ZREM', K .. ':run:' .. lease.process, job.seq)
  if lease.isCancelling then U.processes.unmark(job) end
  if has_limits(job) then U.limits.stop(job) end
  if lease.gates or lease.needs then
    U.gates.give_back(lease)
    -- Others may have been passed over for what it held.
    M.wake()
  end
  job.lease = nil
end

-- Of stand-ins nobody sees what they are.
local function counted_as(job)
  return job.awayTo and 'away' or job.state
end

local function enter(job)
  local state = job.state
  U.line.count(job.line, counted_as(job), 1)
  if indexed[state] and not job.awayTo then call('ZADD', K .. ':s:' .. state, job.seq, job.seq)
  elseif state == 'parked' then U.standIn.list(job) end
  if state == 'ready' then make_ready(job)
  elseif state == 'scheduled' then
    U.scheduled.push(job)
    -- One that is due before all others moves the instant that workers sleep until.
    local _, first = U.scheduled.first()
    if first == U.spans.single(job.seq) then M.wake('ready') end
  elseif state == 'running' then run(job)
  elseif state == 'away' then U.standIn.enter(job)
  elseif ended[state] then
    job.endedAt = S.now
    M.retain(job, true)
  end
  if job.startBy and (job.starts or 0) == 0 and (state == 'ready' or state == 'scheduled') then
    call('ZADD', K .. ':late', job.startBy, U.spans.single(job.seq))
  end
  if state == 'ready' then M.wake('ready') end
end

local function leave(job, to)
  local state = job.state
  U.line.count(job.line, counted_as(job), -1)
  if indexed[state] and not job.awayTo then call('ZREM', K .. ':s:' .. state, job.seq)
  elseif state == 'parked' then U.standIn.unlist(job) end
  if job.startBy and (state == 'ready' or state == 'scheduled') then call('ZREM', K .. ':late', U.spans.single(job.seq)) end
  if state == 'ready' then
    U.ready.remove(job)
    if to ~= 'running' and has_limits(job) then U.limits.give_back(job) end
  elseif state == 'scheduled' then U.scheduled.remove(job)
  elseif state == 'running' then stop(job)
  elseif state == 'blocked' then
    if has_limits(job) then U.limits.leave(job) end
  elseif state == 'away' then U.standIn.leave(job)
  else U.ended.remove(job) end
end

local function end_job(job)
  if job.uniqueKey then U.uniques.release(job) end
  if job.hold then U.afters.leave(job) end
  job.hold = nil
  if job.after then M.unname(job) end
end

local function revive(job)
  if job.uniqueKey then U.uniques.hold(job) end
  if job.after then U.afters.name(job) end
  for _, join in ipairs(job.joins or {}) do call('ZREM', K .. ':jk:' .. join, job.seq) end
end

-- Well, badly, or not at all.
local function ended_as(state)
  if state == 'completed' or state == 'skipped' then return 'well' end
  if state == 'cancelled' or state == 'dead' or state == 'parked' then return 'badly' end
end
M.ended_as = ended_as

-- Its joins count it, and those that come after it are to be looked at.
local function tell(job, from)
  local before, after = ended_as(from), ended_as(job.state)
  if before == after then return end
  for _, join in ipairs(job.joins or {}) do U.joins.recount(U.joins.by_seq(join), before, after) end
  if after and job.isNamed then U.afters.mark(job) end
end

-- All of a unique key, those included that were given it elsewhere, or are to be.
local function key_of(job)
  local behind = job.onward and job.onward.unique
  return job.uniqueKey or (job.asMember and job.asMember.unique) or (behind and behind.key)
end

function M.add(job)
  U.job.put(job)
  local key = key_of(job)
  if key then
    call('ZADD', K .. ':uk:' .. key, job.seq, job.seq)
    U.uniques.hold(job)
  end
  if job.join then U.joins.add_member(U.joins.by_seq(job.join), job) end
  if job.after then
    if job.hold then U.afters.add(job) else U.afters.name(job) end
  end
  enter(job)
  if job.reports then U.standIn.add(job) end
end

function M.add_join(join)
  U.joins.add(join)
  U.afters.add(join)
end

-- What decides its place in the new state (due time, urgency, suspicion) is set before.
function M.move(job, to)
  local from = job.state
  if not legal[from .. ' ' .. to] then error('job ' .. job.id .. ' cannot go from ' .. from .. ' to ' .. to) end
  U.job.touch(job)
  leave(job, to)
  job.state, job.since = to, S.now
  if to == 'away' and not job.awayTo then U.standIn.hide(job) end
  if ended[to] and not ended[from] then end_job(job)
  elseif ended[from] and not ended[to] then revive(job) end
  enter(job)
  tell(job, from)
  if job.reports then U.standIn.tell(job, from) end
end

-- An ended job.
function M.remove(job)
  U.job.touch(job)
  leave(job)
  local key = key_of(job)
  if key then call('ZREM', K .. ':uk:' .. key, job.seq) end
  local joins = job.joins or {}
  U.job.remove(job)
  for _, join in ipairs(joins) do M.leave_join(job, U.joins.by_seq(join)) end
end

-- A live one that another stands for.
function M.drop(job)
  for _, join in ipairs(job.joins or {}) do U.joins.uncount(U.joins.by_seq(join), ended_as(job.state)) end
  end_job(job)
  M.remove(job)
end

function M.leave_join(job, join)
  call('ZREM', K .. ':jo:' .. join.seq, job.seq)
  call('ZREM', K .. ':ja:' .. join.seq, job.seq)
  call('ZREM', K .. ':jk:' .. join.seq, job.seq)
  if U.job.is_stored(job.seq) then
    U.job.touch(job)
    local kept = {}
    for _, other in ipairs(job.joins or {}) do if other ~= join.seq then kept[#kept + 1] = other end end
    job.joins = kept[1] and kept or nil
  end
  M.retain_join(join)
end

-- A live one whose place in its joins another has taken: what comes after it needs it still.
function M.leave_joins(job)
  for _, seq in ipairs({ unpack(job.joins or {}) }) do
    local join = U.joins.by_seq(seq)
    U.joins.uncount(join, ended_as(job.state))
    M.leave_join(job, join)
  end
end

-- A join that nothing needs any more, and that may be forgotten.
function M.remove_join(join)
  U.joins.remove(join)
  local parent = join.parent and U.joins.by_seq(join.parent)
  if parent then M.retain_join(parent) end
end

-- It ended: what it came after need not be kept for it any longer.
function M.unname(held)
  for _, before in ipairs(U.afters.unname(held)) do
    if before.kind == 'join' then M.retain_join(before) else M.retain(before) end
  end
end

-- How long an ended job stays: counted from its ending and from the closing of its joins, and not while a live one names it.
function M.retain(job, isNew)
  if not ended[job.state] then return end
  U.job.touch(job)
  if not isNew then U.ended.remove(job) end
  local from = job.endedAt or 0
  for _, seq in ipairs(job.joins or {}) do
    local join = U.joins.by_seq(seq)
    if join.closedAt == nil then
      call('ZADD', K .. ':jk:' .. seq, job.seq, job.seq)
      return
    end
    from = math.max(from, join.closedAt)
  end
  if job.isNamed and U.afters.is_named(job) then return end
  job.purgeAt = math.max(from + job.keep[job.state], job.rememberUntil)
  U.ended.push(job)
end

-- A closed join stays while it has members, is named or remembered.
function M.retain_join(join)
  if join.closedAt == nil or not U.joins.is_empty(join) or U.afters.is_named(join) then return end
  U.joins.forget_at(join, math.max(join.closedAt + ${joinsKeptMs}, join.rememberUntil))
end
`,
);
