/** Predecessors: who comes after what, who is to be looked at because something ended, and how it is judged. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/**
 * What comes after what is named by number: `after` is a list of { id, when, held, kind }, held being the number of the very job or join that stood then, never
 * of a later one with its id; without held it was gone already. A held one is a job or a join; hold, of a job, is what keeps it from going on:
 * isByJoin (its own join is not open, or has not let it go yet), and the times that count from its being let go.
 *
 * Kept: `named` by number of the predecessor { live, waiting, goneAs }; who waits for it in `nw:<number>`; in `looks` predecessors that ended, scored by the
 * number from which on those that wait are looked at; in `direct` those that are to be looked at themselves.
 */
export const aftersFragment: Fragment = fragment(
  "afters",
  String.raw`
local looksKey, directKey = K .. ':looks', K .. ':direct'

local function waiting_key(seq)
  return K .. ':nw:' .. seq
end

-- In ordered sets a join is told from a job.
function M.text_of(held)
  return held.kind == 'join' and 'j' .. held.seq or tostring(held.seq)
end

function M.seq_of(text)
  return tonumber((string.gsub(text, '^j', '')))
end

function M.held_of(text)
  local seq = M.seq_of(text)
  if string.sub(text, 1, 1) == 'j' then return U.joins.by_seq(seq) end
  return U.job.by_seq(seq)
end

-- By kind and number; nil: it is not stored any more.
local function stored(kind, seq)
  if kind == 'join' then return U.joins.by_seq(seq) end
  return U.job.by_seq(seq)
end

-- Each once, though it may be named for several endings.
local function predecessors(held)
  local all, isSeen = {}, {}
  for _, before in ipairs(held.after or {}) do
    if before.held and not isSeen[before.held] then
      isSeen[before.held] = true
      all[#all + 1] = before
    end
  end
  return all
end

local function find(seq)
  if U.meta.get('named') == 0 then return nil end
  return U.rows.get('named', seq)
end

local function of(before)
  local seq = before.held
  local named = find(seq)
  if named then
    U.rows.dirty('named', seq)
    return named
  end
  named = { live = 0, waiting = 0 }
  U.rows.put('named', seq, named)
  U.meta.add('named', 1)
  -- From now on its ending is told, and it is kept: it needs a record of its own.
  local job = before.kind == 'job' and U.job.by_seq(seq)
  if job then
    U.job.touch(job)
    job.isNamed = true
  end
  return named
end

local function forget_look(seq)
  if U.meta.get('looks') > 0 then U.meta.add('looks', -call('ZREM', looksKey, seq)) end
end

local function forget_if_unused(seq, named)
  if named.live > 0 or named.waiting > 0 then return end
  U.rows.remove('named', seq)
  U.meta.add('named', -1)
  forget_look(seq)
end

-- A new one waits, and names its predecessors.
function M.add(held)
  for _, before in ipairs(predecessors(held)) do
    local named = of(before)
    named.waiting = named.waiting + call('ZADD', waiting_key(before.held), held.seq, M.text_of(held))
  end
  M.name(held)
end

-- It has not ended (any more): its predecessors are kept.
function M.name(held)
  for _, before in ipairs(predecessors(held)) do
    local named = of(before)
    named.live = named.live + 1
  end
end

-- It ended. Answers which predecessors nobody needs any more, of those that are stored.
function M.unname(held)
  local free = {}
  for _, before in ipairs(predecessors(held)) do
    local named = of(before)
    named.live = named.live - 1
    forget_if_unused(before.held, named)
    if named.live == 0 then free[#free + 1] = stored(before.kind, before.held) end
  end
  return free
end

-- It waits no longer.
function M.leave(held)
  if U.meta.get('direct') > 0 then U.meta.add('direct', -call('ZREM', directKey, M.text_of(held))) end
  for _, before in ipairs(predecessors(held)) do
    local named = find(before.held)
    if named then
      named.waiting = named.waiting - call('ZREM', waiting_key(before.held), M.text_of(held))
      U.rows.dirty('named', before.held)
      forget_if_unused(before.held, named)
    end
  end
end

function M.is_named(held)
  local named = find(held.seq)
  return named ~= nil and named.live > 0
end

-- It ended: those that wait for it are to be looked at.
function M.mark(held)
  local named = find(held.seq)
  if named == nil or named.waiting == 0 then return end
  U.meta.add('looks', call('ZADD', looksKey, 0, held.seq))
end

-- It is removed before it ended. Who waits for it is told what it was.
function M.mark_gone(held)
  local named = find(held.seq)
  if named then
    local joining = U.joining
    named.goneAs = held.kind == 'job' and joining.job_before(held.id, held.state) or joining.join_before(held.name, held.id, 'badly')
    U.rows.dirty('named', held.seq)
  end
  M.mark(held)
end

function M.look_at(held)
  U.meta.add('direct', call('ZADD', directKey, held.seq, M.text_of(held)))
end

function M.has_looks()
  return U.meta.get('looks') + U.meta.get('direct') > 0
end

-- Without a number: there is nobody left to look at.
local function advance(seq, from)
  if from then call('ZADD', looksKey, from, seq) else forget_look(seq) end
end

local function next_look()
  while U.meta.get('looks') > 0 do
    local first = call('ZRANGE', looksKey, 0, 0, 'WITHSCORES')
    local seq, from = first[1], tonumber(first[2])
    local text = call('ZRANGEBYSCORE', waiting_key(seq), from, '+inf', 'LIMIT', 0, 1)[1]
    local at = text and M.seq_of(text)
    if at and at == from then return { of = seq, at = at, text = text } end
    advance(seq, at)
  end
  return nil
end

-- The first in the order of storing that is to be looked at.
function M.take()
  local look = next_look()
  local direct = U.meta.get('direct') > 0 and call('ZRANGE', directKey, 0, 0)[1]
  if direct and (look == nil or M.seq_of(direct) <= look.at) then
    U.meta.add('direct', -call('ZREM', directKey, direct))
    return M.held_of(direct)
  end
  if look == nil then return nil end
  advance(look.of, look.at + 1)
  return M.held_of(look.text)
end

-- How a predecessor ended, and what it was then. Neither: it is not stored any more, and in nobody's way unless it was removed before it ended.
local function ending_of(before)
  local held, joining = stored(before.kind, before.held), U.joining
  if held == nil then
    local named = find(before.held)
    if named and named.goneAs then return 'badly', named.goneAs end
    return 'gone'
  end
  if held.kind == 'job' then return U.store.ended_as(held.state), joining.job_before(held.id, held.state) end
  local ended = U.joins.ended_join(held)
  return ended, joining.join_before(held.name, held.id, ended)
end

local function prefetch(after)
  local seqs = {}
  for _, before in ipairs(after) do
    if before.held and before.kind == 'job' then seqs[#seqs + 1] = before.held end
  end
  if #seqs > 1 then U.job.load(seqs) end
end

-- By the states of now. The first that has ended otherwise than asked decides, also while others are open.
function M.judge(after)
  if after == nil then return { is = 'met' } end
  prefetch(after)
  local open
  for _, before in ipairs(after) do
    local ended, what = 'gone', nil
    if before.held then ended, what = ending_of(before) end
    if ended == nil then
      open = open or before.id
    elseif before.isWatch then
      local fate = U.watch.fate(before)
      if fate then return { is = 'unmet', fate = fate } end
    elseif ended ~= 'gone' then
      local answer = U.joining.answer_to(before.when, ended)
      if answer ~= 'met' then return { is = 'unmet', fate = { is = answer, reason = U.joining.unmet_reason(answer, what) } } end
    end
  end
  if open then return { is = 'open', on = open } end
  return { is = 'met' }
end
`,
);
