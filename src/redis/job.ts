/**
 * One stored job, as the store keeps it. Only `store.move` changes its state. A slim job is the text of what it was stored with, "P" and its template; where it
 * stands tells its state. What else may happen to a job gives it a record of its own: a full job is "F" and its fields, packed one after the other.
 */
import { endedStates } from "../core/states.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** Of a full job, in the order in which they are packed: without their names, which cost the server a third. New ones go behind the others. */
const always =
  "id seq line enqueuedAt rememberUntil state since content payload headStartMs urgency readyAt dueAt delayedBy attempts starts suspects deathsAlone purgeAt".split(
    " ",
  );
const sometimes = [
  ..."readyIn lease endedAt version lane uniqueKey from slotAt keyLimits join joins after expecting startBy hasDied hold limitedBy".split(" "),
  ..."gathering reason isPoison history checkpoint result isNamed onward reports asMember awayTo arrivedAt".split(" "),
];
const packed = [...endedStates.map((state) => `job.keep.${state}`), ...[...always, ...sometimes].map((field) => `job.${field}`)].join(", ");
const unpacked = [...endedStates, ...always, ...sometimes].join(", ");
const restored = [`keep = { ${endedStates.map((state) => `${state} = ${state}`).join(", ")} }`, ...always.map((field) => `${field} = ${field}`)].join(", ");
/** A field without a value takes its place in a table all the same. */
const restoredSometimes = sometimes.map((field) => `if ${field} ~= nil then job.${field} = ${field} end`).join("\n  ");

/** K:j: texts by number. K:i: numbers by id. */
export const jobFragment: Fragment = fragment(
  "job",
  String.raw`
local texts, jobs, changed = {}, {}, {}

-- Reads many at once.
function M.load(seqs)
  local asked = {}
  for _, seq in ipairs(seqs) do
    if texts[seq] == nil then asked[#asked + 1] = seq end
  end
  for from = 1, #asked, 1000 do
    local to = math.min(from + 999, #asked)
    local found = call('HMGET', K .. ':j', unpack(asked, from, to))
    for at = from, to do texts[asked[at]] = found[at - from + 1] end
  end
end

-- As they stand in the store.
function M.texts(seqs)
  M.load(seqs)
  local found = {}
  for at, seq in ipairs(seqs) do found[at] = texts[seq] end
  return found
end

local function text_of(seq)
  if texts[seq] == nil then texts[seq] = call('HGET', K .. ':j', seq) end
  return texts[seq]
end

function M.is_stored(seq)
  return jobs[seq] or (jobs[seq] == nil and text_of(seq))
end

-- What it was stored with: its template, when it was stored, when it is due, id, content, payload, and its lane where its template says that it has one.
local function parts(text)
  local number, enqueuedAt, due, rest = string.match(text, '^P(%d+) (%d+) (%d*)()')
  local id, content, payload = string.match(text, '^\30([^\31]*)\31([^\31]*)\31()', rest)
  local template = tonumber(number)
  local lane
  if U.template.get(template).ifDead then lane, payload = string.match(text, '^([^\31]*)\31()', payload) end
  return template, tonumber(enqueuedAt), tonumber(due), id, content, string.sub(text, payload), lane
end

-- Of a slim job with a lane: the number of its template, the template, and when it was stored; nil for others.
function M.slim_laned(seq)
  if jobs[seq] and not jobs[seq].slim then return nil end
  local number, enqueuedAt = string.match(text_of(seq) or '', '^P(%d+) (%d+)')
  number = tonumber(number)
  local template = number and U.template.get(number)
  if template and template.ifDead then return number, template, tonumber(enqueuedAt) end
end

-- How the texts of a template's jobs begin.
function M.head_of(template)
  return 'P' .. template .. ' '
end

function M.begins_with(seq, head)
  if jobs[seq] and not jobs[seq].slim then return false end
  return string.sub(text_of(seq) or '', 1, #head) == head
end

function M.slim_lane_key(seq)
  return string.match(text_of(seq), '^[^\31]*\31[^\31]*\31([^\31]*)\31')
end

-- Where a slim job stands: its state, since when, and the span or claim that it is in.
local function standing(job, seq)
  local fence, row = U.claims.find_near(seq)
  local span = not fence and U.ended.find(seq)
  if span then return 'completed', span.since, span end
  -- All claims are read for it, so last.
  if not fence then fence, row = U.claims.find(seq) end
  if fence then return 'running', row.startedAt, { fence = fence, row = row } end
  if job.lane then
    if U.lane.is_blocked(U.lanes.find(job.lane.key), seq) then return 'blocked', job.enqueuedAt end
    return 'ready', U.ready.find(job.line, job.urgency, seq).since or job.enqueuedAt
  end
  if job.dueAt > job.enqueuedAt then
    if U.scheduled.is_waiting(job.dueAt, seq) then return 'scheduled', job.enqueuedAt end
    return 'ready', U.ready.find(job.line, job.urgency, seq).since
  end
  return 'ready', job.enqueuedAt
end

local function expand(seq, text)
  local template, enqueuedAt, due, id, content, payload, lane = parts(text)
  local t = U.template.get(template)
  local dueAt = due or enqueuedAt
  local job = {
    kind = 'job', slim = template, id = id, seq = seq, line = t.line, keep = t.keep, enqueuedAt = enqueuedAt, rememberUntil = enqueuedAt,
    content = content, payload = payload, version = t.version, headStartMs = t.headStartMs, urgency = dueAt - t.headStartMs,
    readyAt = dueAt - t.headStartMs, readyIn = 'u', dueAt = dueAt, delayedBy = 'time', attempts = 0, starts = 0, suspects = 0, deathsAlone = 0, purgeAt = 0,
  }
  if lane then job.lane = { key = lane, width = 1, ifDead = t.ifDead } end
  local stands
  job.state, job.since, stands = standing(job, seq)
  if job.state == 'running' then
    job.starts = 1
    job.lease = { process = stands.row.process, claim = stands.row.claim, fence = tonumber(stands.fence), startedAt = stands.row.startedAt }
    if lane then job.lease.isFollower = U.lane.has_earlier(U.lanes.find(lane), seq) or nil end
  elseif job.state == 'completed' then
    job.starts, job.attempts, job.endedAt = 1, 1, job.since
    job.purgeAt = job.since + job.keep.completed
  end
  return job
end

-- The "F" is a number to the packer.
local function restore(text)
  local _, ${unpacked} = cmsgpack.unpack(text)
  local job = { kind = 'job', ${restored} }
  ${restoredSometimes}
  return job
end

function M.by_seq(seq)
  seq = tonumber(seq)
  local job = jobs[seq]
  if job ~= nil then return job or nil end
  local text = text_of(seq)
  if not text then job = false
  elseif string.byte(text) == 80 then job = expand(seq, text)
  else job = restore(text) end
  jobs[seq] = job
  return job or nil
end

local ids = {}

function M.seq_of(id)
  if ids[id] == nil then ids[id] = tonumber(call('HGET', K .. ':i', id)) or false end
  return ids[id] or nil
end

function M.load_ids(list)
  for from = 1, #list, 1000 do
    local to = math.min(from + 999, #list)
    local found = call('HMGET', K .. ':i', unpack(list, from, to))
    for at = from, to do ids[list[at]] = tonumber(found[at - from + 1]) or false end
  end
end

function M.by_id(id)
  local seq = M.seq_of(id)
  return seq and M.by_seq(seq)
end

-- Also one that went to another home.
function M.standing(id)
  return M.by_id(id) or (S.meta.homes > 1 and U.standIn.by_id(id)) or nil
end

-- A slim job gets a record of its own, and stands by itself where it stood in a span.
local function own(job)
  local seq = job.seq
  if job.state == 'running' then
    U.claims.cut(string.format('%.0f', job.lease.fence), seq)
    call('ZADD', K .. ':run:' .. job.lease.process, seq, seq)
  elseif job.state == 'completed' then
    U.ended.cut(seq)
    U.ended.push(job)
  elseif job.state == 'scheduled' then
    U.scheduled.cut(job.dueAt, seq)
    U.scheduled.push(job)
  elseif job.state == 'ready' then
    U.ready.cut(job.line, job.urgency, seq)
    call('ZADD', U.ready.key(job.line, 'u'), job.urgency, U.spans.single(seq))
  end
  job.slim = nil
end

-- Before a field is written.
function M.touch(job)
  if job.slim then own(job) end
  changed[job.seq] = true
end

-- Numbers of new ones by their ids.
local named = {}

-- Not written yet.
function M.is_new(id)
  return named[id] ~= nil
end

-- Ids and numbers in turn, of slim ones that were stored just now.
function M.learn(all)
  for at = 1, #all, 2 do ids[all[at]] = tonumber(all[at + 1]) end
end

-- A new one, whose fields are set.
function M.put(job)
  job.kind = 'job'
  jobs[job.seq], ids[job.id] = job, job.seq
  named[job.id] = job.seq
  U.blocks.count_one(job.seq, 1)
  changed[job.seq] = true
end

local function forget_id(id)
  ids[id] = false
  if named[id] then named[id] = nil else call('HDEL', K .. ':i', id) end
end

function M.remove(job)
  S.hasRemoved = true
  if job.slim then own(job) end
  jobs[job.seq], texts[job.seq] = false, false
  changed[job.seq] = nil
  call('HDEL', K .. ':j', job.seq)
  if not job.awayTo then forget_id(job.id) end
  if job.awayTo or job.reports then U.standIn.remove(job) end
  U.blocks.count_one(job.seq, -1)
end

-- It goes away: see standIn.
function M.hide_id(job)
  forget_id(job.id)
end

-- Slim ones that stand nowhere any more.
function M.forget_slim(from, count)
  S.hasRemoved = true
  local seqs, gone = {}, {}
  for seq = from, from + count - 1 do seqs[#seqs + 1] = seq end
  M.load(seqs)
  for _, seq in ipairs(seqs) do
    gone[#gone + 1] = string.match(texts[seq], '^[^\30]*\30([^\31]*)\31')
    jobs[seq], texts[seq], ids[gone[#gone]] = false, false, false
  end
  U.rows.write('HDEL', K .. ':j', seqs)
  U.rows.write('HDEL', K .. ':i', gone)
  U.blocks.count(from, count, -1)
end

-- Numbers that have jobs, after a number: see blocks.
function M.after_seq(seq, limit, newestFirst)
  return U.blocks.after(seq, limit, newestFirst)
end

function M.flush()
  local kept = {}
  for seq in pairs(changed) do
    local job = jobs[seq]
    kept[#kept + 1] = seq
    kept[#kept + 1] = cmsgpack.pack(70, ${packed})
  end
  changed = {}
  U.rows.write('HSET', K .. ':j', kept)
  local new = {}
  for id, seq in pairs(named) do new[#new + 1], new[#new + 2] = id, seq end
  named = {}
  U.rows.write('HSET', K .. ':i', new)
  if rawget(U, 'blocks') then U.blocks.flush() end
end
`,
);
