/** A job that is somewhere else, as the homes keep it that it has passed. Only where a store has several homes. */
import { tidyMax } from "../core/defaults.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** One that is redriven from where it began may wait there, for its lane: so long it is not redriven once more. */
const askedMs = 60_000;

/**
 * A job that has more before it (onward, see route.ts) goes away when nothing holds it here: its record stays as a stand-in, in the state "away", which holds what it was
 * given here. When it ends where it is, that is reported back, and its stand-in ends the same way. Nobody sees it: it is in no count, no claim, no list but those of
 * joins and of what came before.
 *
 * Fields of a job: awayTo, of a stand-in, the home that it was sent to. reports, of a job that came: lists of { home, seq, id, isOwn }, the stand-ins that are told of
 * its end; isOwn: its own, which it came from, while others are of jobs that lost their unique key to it. asMember: what it was concerned with before it came (join, an id;
 * isAfter; after, unique, lane, keyLimits); askedAt: when those it came from were asked to redrive it.
 *
 * K:aid: numbers of stand-ins by id, of several the first. K:rp: numbers of jobs by whom they report to. K:away:<home>: numbers of what is away there, or parked.
 */
export const standInFragment: Fragment = fragment(
  "standIn",
  String.raw`
local aids, reporting = K .. ':aid', K .. ':rp'

local function away_key(home)
  return K .. ':away:' .. home
end

function M.seq_of(id)
  return tonumber(call('HGET', aids, id) or nil)
end

function M.by_id(id)
  local seq = M.seq_of(id)
  return seq and U.job.by_seq(seq)
end

local function place_of(report)
  return report.home .. ':' .. string.format('%.0f', report.seq)
end

local function is_same(report, other)
  return report.home == other.home and report.seq == other.seq and report.id == other.id
end

-- Who reports there. A home that was emptied begins its numbers anew.
local function reporter(report)
  local seq = tonumber(call('HGET', reporting, place_of(report)) or nil)
  local job = seq and U.job.by_seq(seq)
  for _, other in ipairs(job and job.reports or {}) do
    if is_same(other, report) then return job end
  end
end

local function forget_field(key, field, seq)
  if tonumber(call('HGET', key, field) or nil) == seq then call('HDEL', key, field) end
end

-- It came by mail.
function M.add(job)
  for _, report in ipairs(job.reports) do call('HSET', reporting, place_of(report), job.seq) end
  M.tell(job, 'new')
end

-- It goes for the first time: under its id there may soon be another here, which it is itself.
function M.hide(job)
  job.awayTo = U.route.next_home(job.onward)
  U.job.hide_id(job)
  if M.seq_of(job.id) == nil then call('HSET', aids, job.id, job.seq) end
end

-- While what it stands for may come to live there: so also while it is parked.
function M.list(job)
  call('ZADD', away_key(job.awayTo), job.seq, job.seq)
end

function M.unlist(job)
  call('ZREM', away_key(job.awayTo), job.seq)
end

function M.enter(job)
  M.list(job)
  if job.keyLimits then U.limits.take(job) end
end

function M.leave(job)
  M.unlist(job)
  if job.keyLimits then U.limits.give_back(job) end
end

function M.remove(job)
  for _, report in ipairs(job.reports or {}) do forget_field(reporting, place_of(report), job.seq) end
  if job.awayTo == nil then return end
  forget_field(aids, job.id, job.seq)
  if job.onward and job.onward.winner then forget_field(aids, job.onward.winner, job.seq) end
end

local function joined(list, more)
  local all = {}
  for _, one in ipairs(list or {}) do all[#all + 1] = one end
  for _, one in ipairs(more or {}) do all[#all + 1] = one end
  return all[1] and all
end

local function named(after)
  local told = {}
  for at, before in ipairs(after or {}) do told[at] = { id = before.id, when = before.when } end
  return told
end

-- What it was concerned with so far.
local function passed(job)
  local before = job.asMember or {}
  return {
    join = job.join and U.joins.by_seq(job.join).id or before.join, isAfter = job.after and #job.after > 0 or before.isAfter,
    after = joined(before.after, named(job.after)), unique = job.uniqueKey or before.unique, lane = job.lane or before.lane,
    keyLimits = joined(before.keyLimits, job.keyLimits),
  }
end

local function send(job, isRedrive)
  local line, onward = U.line.get(job.line), job.onward
  U.route.post_work(job.awayTo, {
    kind = 'job', id = job.id, content = job.content, rememberMs = 0, rememberUntil = job.rememberUntil, task = line.task, queue = line.queue, payload = job.payload,
    headStartMs = job.headStartMs, urgency = job.urgency, keep = job.keep, enqueuedAt = job.enqueuedAt, startBy = job.startBy,
    dueAt = onward.delayMs == nil and job.dueAt or nil, delayMs = onward.delayMs, startWithinMs = onward.startWithinMs, version = job.version,
    expecting = job.expecting, from = job.from, slot = job.slotAt and { at = job.slotAt }, after = onward.after, unique = onward.unique, lane = onward.lane,
    keyLimits = onward.keyLimits, report = { home = S.meta.home, seq = job.seq, id = job.id, isOwn = true }, asMember = passed(job),
    isRedrive = isRedrive or nil, isWatch = onward.isWatch, ends = onward.ends,
  }, 'run')
end

-- Whether it goes before it is due: where it may still be changed, or would hold room, it waits here.
function M.goes_early(job)
  return not job.onward.waits and job.keyLimits == nil
end

-- Nothing holds it here. One that was away before has ended there, or was parked.
function M.away(job)
  local isRedrive = job.awayTo ~= nil
  job.onward.isCancelling = nil
  U.store.move(job, 'away')
  send(job, isRedrive)
end

local function message_of(job, report, is)
  return { is = is, seq = report.seq, id = report.id, state = job.state, reason = job.reason, result = job.result, isPoison = job.isPoison,
    attempts = job.attempts, starts = job.starts, hasDied = job.hasDied }
end

local function kind_of_report(from, to)
  local isEnded = U.store.is_ended_state
  if isEnded[to] then return not isEnded[from] and 'ended' or nil end
  if to == 'parked' then return from ~= 'parked' and 'parked' or nil end
  return (from == 'parked' or isEnded[from]) and 'live' or nil
end

-- Its stand-ins hear what became of it.
function M.tell(job, from)
  local is = kind_of_report(from, job.state)
  if is == nil then return end
  for _, report in ipairs(job.reports) do U.route.report(report.home, message_of(job, report, is)) end
end

local function tell_again(job, report)
  local is = kind_of_report('new', job.state)
  if is then U.route.report(report.home, message_of(job, report, is)) end
end

local function own_report(job)
  for _, report in ipairs(job.reports or {}) do
    if report.isOwn then return report end
  end
end

-- A job that came by mail is there already, or lost its unique key to that: who sent it hears of the one that stands.
function M.stand(job, work)
  local report = work.report
  if reporter(report) ~= job then
    U.job.touch(job)
    job.reports = joined(job.reports, { { home = report.home, seq = report.seq, id = report.id, isOwn = report.isOwn and job.id == work.id or nil } })
    call('HSET', reporting, place_of(report), job.seq)
    if job.id ~= work.id then U.route.report(report.home, { is = 'lost', seq = report.seq, id = report.id, winner = job.id }) end
  end
  if work.isRedrive and (job.state == 'dead' or job.state == 'parked') then M.redrive(job, report) else tell_again(job, report) end
end

-- As it was sent, or sent again: the one that it became; nil: it never came.
function M.come(work)
  return reporter(work.report) or U.job.by_id(work.id)
end

function M.redrive(job, report)
  if job.state == 'dead' and job.uniqueKey and U.uniques.is_held(job.uniqueKey) then tell_again(job, report)
  else U.change.redrive(job, ${tidyMax}) end
end

-- Nobody stands under that id any more, whose window of a throttled key lasts.
function M.end_lost(work, winner)
  local report = work.report
  U.route.report(report.home, { is = 'ended', seq = report.seq, id = report.id, state = 'skipped', reason = 'not needed: job ' .. winner .. ' was there', starts = 0 })
end

-- Its join takes no members any more.
function M.is_closed_to(work)
  local join = work.join and U.joins.find(work.join)
  return work.join ~= nil and (join == nil or not U.joins.is_taking(join))
end

function M.works(message)
  for _, work in ipairs(message.works) do work.isMailed = true end
  local accepted = U.enqueue.accept_works(message.works, message.from)
  return function()
    local told = U.enqueue.told(accepted)
    for at, one in ipairs(told) do one.asked = message.works[at].id end
    return { is = 'works', works = told }
  end
end

-- The stand-in that a message is for.
local function of(message)
  local job = U.job.by_seq(message.seq)
  return job and job.awayTo and job.id == message.id and job or nil
end

local function learn(job, message)
  U.job.touch(job)
  job.isPoison, job.attempts, job.starts = message.isPoison, message.attempts or job.attempts, message.starts or job.starts
  -- Whoever it was that started, it counts from its end on.
  if job.state == 'away' and job.keyLimits and job.starts > 0 then U.limits.start_elsewhere(job) end
end

function M.ended(message)
  local job = of(message)
  if job == nil or (job.state ~= 'away' and job.state ~= 'parked') then return end
  learn(job, message)
  job.result = message.result
  U.life.finish(job, message.state, { reason = message.reason })
  if not (job.joins or job.isNamed) then job.result = nil end
end

-- It died, or another of its lane did.
function M.parked(message)
  local job = of(message)
  if job == nil or job.state ~= 'away' then return end
  learn(job, message)
  job.hasDied = message.hasDied
  if message.hasDied and job.lane then U.life.fall(job, { reason = message.reason })
  else
    job.reason = message.reason
    U.store.move(job, 'parked')
  end
end

function M.live(message)
  local job = of(message)
  if job == nil or (job.state ~= 'parked' and job.state ~= 'dead') or job.lane then return end
  U.job.touch(job)
  job.hasDied, job.reason = nil, nil
  U.store.move(job, 'away')
end

-- It lost its unique key, and stands for the winner from here on; where that stands here already, it is not needed.
function M.lost(message)
  local job = of(message)
  if job == nil then return end
  for _, report in ipairs(job.reports or {}) do
    if report.isOwn then U.route.report(report.home, { is = 'lost', seq = report.seq, id = report.id, winner = message.winner }) end
  end
  local winner = U.job.by_id(message.winner) or M.by_id(message.winner)
  forget_field(aids, job.id, job.seq)
  U.job.touch(job)
  job.onward.winner = message.winner
  if winner == nil then
    call('HSET', aids, message.winner, job.seq)
    return
  end
  if winner == job or U.store.is_ended_state[job.state] then return end
  for _, seq in ipairs(job.joins or {}) do U.adopt.adopt_again(winner, U.joins.by_seq(seq).id) end
  if job.reports or job.isNamed then U.store.leave_joins(job) else U.store.drop(job) end
end

-- A running one's worker hears of it; whatever it is there, it ends here when that is told.
function M.cancel(job, reason)
  U.job.touch(job)
  M.pass_on(job, { ['do'] = 'cancel', reason = reason })
  if job.state == 'away' or job.state == 'parked' then
    job.onward.isCancelling, job.onward.reason = true, reason
    return 'cancelling'
  end
  U.life.end_as(job, 'cancelled', { reason = reason })
  return 'cancelled'
end

-- To where it went.
function M.pass_on(job, asked)
  U.route.post(job.awayTo, { is = 'change', asked = asked, isOnward = true, report = { home = S.meta.home, seq = job.seq, id = job.id } })
end

function M.is_asked(job)
  return job.asMember.askedAt ~= nil and S.now - job.asMember.askedAt < ${askedMs}
end

-- It ended here, and waits where it came from to be redriven: it does so no longer. Answers whether it was to be.
function M.call_back(job, asked)
  if job.asMember.askedAt == nil then return false end
  U.job.touch(job)
  job.asMember.askedAt = nil
  return M.pass_back(job, asked)
end

-- To where it came from. Answers whether it came from anywhere.
function M.pass_back(job, asked)
  local report = own_report(job)
  if report == nil then return false end
  if asked['do'] == 'retry' then
    U.job.touch(job)
    job.asMember.askedAt = S.now
  end
  U.route.post(report.home, { is = 'change', asked = asked, seq = report.seq, id = report.id })
  return true
end

-- Where it came from nobody knows it any more: it is its own from now on.
function M.orphan(message)
  local job, kept = reporter(message.report), {}
  if job == nil then return end
  U.job.touch(job)
  for _, report in ipairs(job.reports) do
    if not is_same(report, message.report) then kept[#kept + 1] = report end
  end
  job.reports, job.asMember.askedAt = kept[1] and kept, nil
  forget_field(reporting, place_of(message.report), job.seq)
  U.change.change_one(job, message.asked)
end

function M.change(message, from)
  local asked = message.asked
  if not message.isOnward then
    local job = of(message)
    if job then U.change.change_one(job, asked)
    else U.route.post(from, { is = 'orphan', asked = asked, report = { home = S.meta.home, seq = message.seq, id = message.id } }) end
    return
  end
  local job = reporter(message.report)
  if job == nil then return end
  U.change.change_one(job, asked)
  if asked['do'] == 'cancel' then tell_again(job, message.report) end
end

-- Other homes gave it room for one start at a time.
function M.space(job)
  for _, limit in ipairs(job.asMember.keyLimits or {}) do
    if limit.is.starts then job.dueAt = math.max(job.dueAt, job.lease.startedAt + limit.is.everyMs) end
  end
end

-- What others were told may be lost: all that is away is sent once more, in passes.
function M.begin_resending()
  U.meta.set('resendHome', 1)
  U.meta.set('resendSeq', 0)
end

-- Answers how many were.
function M.resend(limit)
  local sent, home = 0, U.meta.get('resendHome')
  while home > 0 and sent < limit do
    local seqs = call('ZRANGEBYSCORE', away_key(home - 1), '(' .. string.format('%.0f', U.meta.get('resendSeq')), '+inf', 'LIMIT', 0, limit - sent)
    for at, seq in ipairs(seqs) do seqs[at] = tonumber(seq) end
    U.job.load(seqs)
    for _, seq in ipairs(seqs) do
      local job = U.job.by_seq(seq)
      -- One that was redriven, and parked again by its lane before it went, goes when its turn comes.
      if job.state == 'away' or job.hasDied or job.lane == nil then send(job) end
      if job.onward.isCancelling then M.pass_on(job, { ['do'] = 'cancel', reason = job.onward.reason }) end
    end
    sent = sent + #seqs
    if #seqs > 0 then U.meta.set('resendSeq', seqs[#seqs])
    else
      home = home < S.meta.homes and home + 1 or 0
      U.meta.set('resendHome', home)
      U.meta.set('resendSeq', 0)
    end
  end
  return sent
end
`,
);
