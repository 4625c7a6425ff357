/** Joins: jobs that belong together (G11). Endings are counted as they come; what they let happen is done at the end of the verb (aftermath.ts). */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/**
 * A join: { kind, id, seq, content, name, storedAt, rememberUntil, parent, after, state, isSealed, given, touchedAt, closedAt, live, succeeded, failed, releasedTo,
 * endedTo, cancelled, fate, isAbandoned }. parent is a number; given counts works that named it before it was sealed; releasedTo and endedTo say up to which of
 * its own members it has let go, or has ended; cancelled says why it was; fate ({ is, reason }) how its members end.
 *
 * Of each: in `jo:<number>` the members that were stored into it, in `jc:<number>` the joins among them, in `ja:<number>` jobs that stood already when they were
 * given to it again, in `jk:<number>` ended members whose keep counts from its closing, in the order of their ending. Of all: `jid` numbers by id, `jorder`
 * those within none, `jstaged` by when they were touched, `jforget` by when they may go.
 */
export const joinsFragment: Fragment = fragment(
  "joins",
  String.raw`
local numbers = {}

local function key_of(name, join)
  return K .. ':' .. name .. ':' .. join.seq
end
M.key_of = key_of

-- Of those that come at one instant, the first stored goes first.
local function place_of(join)
  return string.format('%016d', join.seq)
end

function M.by_seq(seq)
  return U.rows.get('join', seq)
end

function M.seq_of(id)
  if numbers[id] == nil then numbers[id] = tonumber(call('HGET', K .. ':jid', id) or nil) or false end
  return numbers[id] or nil
end

function M.find(id)
  local seq = M.seq_of(id)
  return seq and M.by_seq(seq)
end

function M.parent_of(join)
  return join.parent and M.by_seq(join.parent)
end

-- It was changed in place.
function M.save(join)
  U.rows.dirty('join', join.seq)
end

function M.new(work, parent, after)
  return { kind = 'join', id = work.id, seq = U.meta.next_seq(), content = work.content, name = work.name, storedAt = S.now, rememberUntil = S.now + work.rememberMs,
    parent = parent and parent.seq, after = after, state = 'staged', given = 0, touchedAt = S.now, live = 0, succeeded = 0, failed = 0, releasedTo = 0, endedTo = 0 }
end

function M.add(join)
  U.rows.put('join', join.seq, join)
  numbers[join.id] = join.seq
  call('HSET', K .. ':jid', join.id, join.seq)
  call('ZADD', K .. ':jstaged', join.touchedAt, place_of(join))
  local parent = M.parent_of(join)
  if parent == nil then
    call('ZADD', K .. ':jorder', join.seq, join.seq)
  else
    M.add_member(parent, join)
    call('ZADD', key_of('jc', parent), join.seq, join.seq)
  end
end

-- It is sealed, or takes nothing more.
function M.unstage(join)
  if not join.isSealed then call('ZREM', K .. ':jstaged', place_of(join)) end
end

-- Nothing names it any more.
function M.remove(join)
  numbers[join.id] = false
  call('HDEL', K .. ':jid', join.id)
  M.unstage(join)
  call('ZREM', K .. ':jforget', place_of(join))
  for _, pending in ipairs({ 'toClose', 'toRelease', 'toEnd', 'toCancel', 'toRetain' }) do U.marks.remove(pending, join.seq) end
  if join.parent == nil then
    call('ZREM', K .. ':jorder', join.seq)
  else
    call('ZREM', K .. ':jo:' .. join.parent, 'j' .. join.seq)
    call('ZREM', K .. ':jc:' .. join.parent, join.seq)
  end
  U.rows.remove('join', join.seq)
end

-- How it stands to those that come after it, and to its parent.
function M.ended_join(join)
  if join.state ~= 'closed' then return nil end
  if join.fate then return join.fate.is == 'skipped' and 'well' or 'badly' end
  return (join.cancelled or join.failed > 0) and 'badly' or 'well'
end

-- Whether it takes new members.
function M.is_taking(join)
  return join.state ~= 'closed' and not join.cancelled and not join.fate and not join.isAbandoned
end

function M.is_empty(join)
  return call('ZCARD', key_of('jo', join)) + call('ZCARD', key_of('ja', join)) == 0
end

local function counter_of(ended)
  if ended == nil then return 'live' end
  return ended == 'well' and 'succeeded' or 'failed'
end

-- isNew: it was not counted before.
function M.count(join, before, after, isNew)
  local from, to = counter_of(before), counter_of(after)
  if not isNew then join[from] = join[from] - 1 end
  join[to] = join[to] + 1
  M.save(join)
  if join.live == 0 then U.marks.add('toClose', join.seq) end
end

-- One that another stands for.
function M.uncount(join, ended)
  local counter = counter_of(ended)
  join[counter] = join[counter] - 1
  M.save(join)
  if join.live == 0 then U.marks.add('toClose', join.seq) end
end

function M.add_member(join, member)
  call('ZADD', key_of('jo', join), member.seq, U.afters.text_of(member))
  M.count(join, nil, member.kind == 'job' and U.store.ended_as(member.state) or M.ended_join(member), true)
end

function M.is_member(job, join)
  for _, seq in ipairs(job.joins or {}) do
    if seq == join.seq then return true end
  end
  return false
end

function M.adopt(join, job)
  U.job.touch(job)
  local joins = {}
  for at, seq in ipairs(job.joins or {}) do joins[at] = seq end
  joins[#joins + 1] = join.seq
  job.joins = joins
  call('ZADD', key_of('ja', join), job.seq, job.seq)
  M.count(join, nil, U.store.ended_as(job.state), true)
end

-- It may be forgotten then, if nothing needs it.
function M.forget_at(join, at)
  call('ZADD', K .. ':jforget', at, place_of(join))
end

-- One whose time has come.
function M.take_forgettable()
  local place = call('ZRANGEBYSCORE', K .. ':jforget', '-inf', S.now, 'LIMIT', 0, 1)[1]
  if place == nil then return nil end
  call('ZREM', K .. ':jforget', place)
  return M.by_seq(tonumber(place))
end

-- The longest untouched of those that are not sealed, if it was not touched since.
function M.first_staged(since)
  local place = call('ZRANGEBYSCORE', K .. ':jstaged', '-inf', since, 'LIMIT', 0, 1)[1]
  return place and M.by_seq(tonumber(place))
end

-- A member ended, or lives again. A closed join is not touched any more.
function M.recount(join, before, after)
  if join.state ~= 'closed' then M.count(join, before, after) end
end

-- Something was added to it, which for those around it is an addition too.
function M.touch(join)
  while join do
    if join.touchedAt ~= S.now then
      join.touchedAt = S.now
      M.save(join)
      if not join.isSealed then call('ZADD', K .. ':jstaged', 'XX', S.now, place_of(join)) end
    end
    join = M.parent_of(join)
  end
end

-- Members stored into it, numbered above that: a function that answers one after the other, read some at a time.
function M.own_after(join, from, most)
  local texts, at = {}, 0
  return function()
    while true do
      if at == #texts then
        texts, at = call('ZRANGEBYSCORE', key_of('jo', join), '(' .. from, '+inf', 'LIMIT', 0, most), 0
        if #texts == 0 then return nil end
        from = U.afters.seq_of(texts[#texts])
        M.load_jobs(texts)
      end
      at = at + 1
      local member = U.afters.held_of(texts[at])
      if member then return member end
    end
  end
end

function M.load_jobs(texts)
  local seqs = {}
  for _, text in ipairs(texts) do
    if string.sub(text, 1, 1) ~= 'j' then seqs[#seqs + 1] = tonumber(text) end
  end
  if #seqs > 1 then U.job.load(seqs) end
end
`,
);
