/** Bounded passes over joins: closing them, letting their members go, ending their members, and removing those whose storing was given up. */
import { stagedKeptMs, tidyMax } from "../core/defaults.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** Members that have ended already cost a pass nothing but the look: so many of them are passed over at most. */
const looksMax = 5 * tidyMax;

export const joinPassesFragment: Fragment = fragment(
  "joinPasses",
  String.raw`
local readMost = 100

local function first_of(pending)
  local seq = U.marks.first(pending)
  return seq and U.joins.by_seq(seq)
end

local function is_closable(join)
  return join.state ~= 'closed' and join.live == 0 and (join.state == 'open' or join.cancelled ~= nil or join.fate ~= nil)
end

local function close(join)
  local joins, afters, marks = U.joins, U.afters, U.marks
  afters.leave(join)
  joins.unstage(join)
  join.state = 'closed'
  join.closedAt = S.now
  joins.save(join)
  marks.remove('toRelease', join.seq)
  marks.remove('toEnd', join.seq)
  if call('ZCARD', joins.key_of('jk', join)) > 0 then marks.add('toRetain', join.seq) end
  local parent = joins.parent_of(join)
  if parent then joins.recount(parent, nil, joins.ended_join(join)) end
  afters.mark(join)
  U.store.unname(join)
  U.store.retain_join(join)
end

-- Answers how many closed.
function M.close_joins(limit)
  local closed = 0
  while closed < limit do
    local join = first_of('toClose')
    if join == nil then break end
    U.marks.remove('toClose', join.seq)
    if is_closable(join) then
      close(join)
      closed = closed + 1
    end
  end
  return closed
end

-- A join whose own predecessor ended, that was sealed, or whose parent opened.
function M.look_at_join(join)
  if join.state ~= 'waiting' or join.cancelled or join.fate then return end
  local verdict = U.afters.judge(join.after)
  local parent = U.joins.parent_of(join)
  if verdict.is == 'unmet' then
    join.fate = verdict.fate
    U.marks.add('toEnd', join.seq)
  elseif verdict.is == 'met' and (parent == nil or parent.state == 'open') then
    U.afters.leave(join)
    join.state = 'open'
    U.marks.add('toRelease', join.seq)
  end
  U.joins.save(join)
  if join.live == 0 then U.marks.add('toClose', join.seq) end
end

-- Does its work with the members that it has not come to. Answers how often that was done, and whether it came to the end.
local function walk(join, cursor, limit, lookMost, work)
  local done, looks = 0, 0
  local next_member = U.joins.own_after(join, join[cursor], math.max(1, math.min(readMost, limit)))
  U.joins.save(join)
  for member in next_member do
    if done >= limit or looks >= lookMost then return done, false end
    join[cursor] = member.seq
    done, looks = done + work(member, join), looks + 1
  end
  return done, true
end

local function walk_all(pending, cursor, limit, work)
  local done = 0
  while true do
    local join = first_of(pending)
    if join == nil then return done end
    local more, isAtEnd = walk(join, cursor, limit - done, math.huge, work)
    done = done + more
    if not isAtEnd then return done end
    U.marks.remove(pending, join.seq)
  end
end

local function release(member)
  if member.kind == 'join' then
    U.afters.look_at(member)
    return 1
  end
  if member.hold == nil or not member.hold.isByJoin then return 0 end
  U.job.touch(member)
  member.hold.isByJoin = nil
  U.letGo.look_at_job(member)
  return 1
end

-- Answers how many members of open joins were let go.
function M.release_members(limit)
  return walk_all('toRelease', 'releasedTo', limit, release)
end

local function end_as(member, join)
  if join.fate == nil then return 0 end
  if member.kind == 'join' then
    if member.state == 'closed' then return 0 end
    member.fate = member.fate or join.fate
    U.joins.save(member)
    U.marks.add('toEnd', member.seq)
    if member.live == 0 then U.marks.add('toClose', member.seq) end
    return 0
  end
  if member.hold == nil then return 0 end
  U.life.end_as(member, join.fate.is, { reason = join.fate.reason })
  return 1
end

-- Ends what joins held whose own predecessor ended otherwise than asked. Answers how many jobs.
function M.end_members(limit)
  return walk_all('toEnd', 'endedTo', limit, end_as)
end

local function cancel(member, join)
  if member.kind == 'join' or U.store.is_ended_state[member.state] or (member.lease and member.lease.isCancelling)
    or (member.onward and member.onward.isCancelling) then return 0 end
  U.life.cancel(member, join.cancelled or '')
  return 1
end

-- Of the jobs that it adopted, some at a time whatever the limit.
local function cancel_adopted(join)
  local cancelled = 0
  local seqs = call('ZRANGEBYSCORE', U.joins.key_of('ja', join), '(' .. (join.adoptedTo or 0), '+inf', 'LIMIT', 0, ${tidyMax})
  U.joins.load_jobs(seqs)
  for _, seq in ipairs(seqs) do
    join.adoptedTo = tonumber(seq)
    cancelled = cancelled + cancel(U.job.by_seq(join.adoptedTo), join)
  end
  return cancelled, #seqs < ${tidyMax}
end

-- Goes on with joins that were cancelled and have members left. Answers how many jobs were cancelled, or told so.
function M.cancel_members(limit)
  local cancelled, isAtEnd, more = 0, true, 0
  while isAtEnd do
    local join = first_of('toCancel')
    if join == nil then break end
    more, isAtEnd = walk(join, 'endedTo', limit - cancelled, ${looksMax}, cancel)
    cancelled = cancelled + more
    if isAtEnd then
      more, isAtEnd = cancel_adopted(join)
      cancelled = cancelled + more
    end
    if isAtEnd then U.marks.remove('toCancel', join.seq) end
  end
  return cancelled
end

local function remove_member(job, join)
  if not U.store.is_ended_state[job.state] then
    U.life.end_as(job, 'cancelled', { reason = 'not started: the rest of ' .. join.name .. ' ' .. join.id .. ' was never stored' })
    U.afters.mark_gone(job)
  end
  U.store.remove(job)
  return 1
end

-- Answers whether none is left.
local function leave_adopted(join)
  local seqs = call('ZRANGE', U.joins.key_of('ja', join), 0, ${tidyMax} - 1)
  U.joins.load_jobs(seqs)
  for _, seq in ipairs(seqs) do
    local job = U.job.by_seq(tonumber(seq))
    U.store.leave_join(job, join)
    U.store.retain(job)
  end
  return #seqs < ${tidyMax}
end

-- Members first, depth first; the join itself when none is left. Answers how many jobs and joins that were, and whether it came to the end.
local function remove_join(join, limit)
  local removed = 0
  for member in U.joins.own_after(join, 0, math.max(1, math.min(readMost, limit))) do
    if removed >= limit then return removed, false end
    local more, isAtEnd = 1, true
    if member.kind == 'join' then more, isAtEnd = remove_join(member, limit - removed) else remove_member(member, join) end
    removed = removed + more
    if not isAtEnd then return removed, false end
  end
  if not leave_adopted(join) then return removed, false end
  if join.state ~= 'closed' then
    U.afters.leave(join)
    U.store.unname(join)
    local parent = U.joins.parent_of(join)
    if parent then U.joins.recount(parent, nil, 'badly') end
    U.afters.mark_gone(join)
  end
  U.joins.remove(join)
  return removed + 1, true
end

-- Removes joins that nobody went on storing, with their members. Answers how many jobs and joins that were.
function M.remove_staged(limit)
  local removed = 0
  while removed < limit do
    local join = U.joins.first_staged(S.now - ${stagedKeptMs})
    if join == nil then break end
    -- From here on it takes nothing more, though its removal may need several passes.
    join.isAbandoned = true
    U.joins.save(join)
    local more, isAtEnd = remove_join(join, limit - removed)
    removed = removed + more
    if not isAtEnd then break end
  end
  return removed
end

-- Members of closed joins are kept as long as they say, from the closing on.
function M.retain_members(limit)
  local retained = 0
  while true do
    local join = first_of('toRetain')
    if join == nil then return retained end
    local key, most = U.joins.key_of('jk', join), limit - retained
    local seqs = call('ZRANGE', key, 0, most)
    U.joins.load_jobs(seqs)
    for at = 1, math.min(#seqs, most) do
      call('ZREM', key, seqs[at])
      U.store.retain(U.job.by_seq(tonumber(seqs[at])))
    end
    retained = retained + math.min(#seqs, most)
    if #seqs > most then return retained end
    U.marks.remove('toRetain', join.seq)
  end
end
`,
);
