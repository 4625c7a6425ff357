/** Stores atoms: each is all or nothing, and stands apart from the others. */
import { limitPrefix, resourcePrefix, subscriptionPrefix } from "../core/notes.ts";
import { fragment, script } from "./fragment.ts";
import type { Fragment, Main } from "./fragment.ts";

export const enqueueFragment: Fragment = fragment(
  "enqueue",
  String.raw`
local function content_of(kind, id)
  local stored
  if kind == 'job' then stored = U.job.standing(id)
  elseif kind == 'join' then stored = U.joins.find(id)
  else stored = U.events.find(id) end
  return stored and stored.content
end

-- An id that is known with other content, in the store or earlier in the same atom.
local function id_conflict(works)
  local contents = { job = {}, event = {}, join = {} }
  for _, work in ipairs(works) do
    local earlier = contents[work.kind]
    local known = earlier[work.id] or content_of(work.kind, work.id)
    if known and known ~= work.content then return { refusal = 'id-conflict', kind = work.kind, id = work.id } end
    earlier[work.id] = work.content
  end
  return nil
end

M.id_conflict = id_conflict

-- Names a join or a predecessor, or is a join itself.
local function is_composed(works)
  for _, work in ipairs(works) do
    if work.kind == 'join' or (work.kind == 'job' and (work.join or work.after)) then return true end
  end
  return false
end

-- Why nothing of the atom can be stored, if so. Looked for first, so that what is stored needs no undoing.
function M.refusal_of(atom)
  local works, notes = atom.works, atom.notes
  return id_conflict(works) or (is_composed(works) and U.unknown.naming_refusal(works) or nil)
    or (notes and #notes > 0 and U.notes.conflict_of(notes) or nil)
end

local function give(id, from)
  local join = U.joins.find(id)
  if join == nil then return end
  if not join.isSealed and from == 'outside' then
    join.given = join.given + 1
    U.joins.save(join)
  end
  U.joins.touch(join)
end

local function accept_work(work, winners, from)
  local home = S.meta.homes > 1 and U.route.first_home(work)
  if home and home ~= S.meta.home then return U.route.forward(home, work, winners, from) end
  if work.kind == 'event' then return U.fanOut.accept_event(work) end
  if work.join then give(work.join, from) end
  if work.kind == 'job' then return U.accept.accept_job(work, winners) end
  return { id = work.id, isDuplicate = U.acceptJoin.accept_join(work, winners) }
end

-- Stores what refusal_of let pass. from outside: not by a run, whose members do not count for the size of a join.
function M.accept_works(works, from)
  local winners, accepted = {}, {}
  local repeats = is_composed(works) and U.repeats.repeats_in(works) or nil
  for i, work in ipairs(works) do
    if repeats and repeats[work] then accepted[i] = { id = work.id, isDuplicate = true }
    else accepted[i] = accept_work(work, winners, from) end
  end
  return accepted
end

local function begins_with(text, prefix)
  return string.sub(text, 1, #prefix) == prefix
end

-- given: version and writtenAt, by another home.
local function write_note(note, given)
  local key, value = note.key, note.value
  local isFirst = U.notes.read(key) == nil
  U.notes.write(key, value, given)
  if value and isFirst and begins_with(key, '${subscriptionPrefix}') then U.replay.start_replay(U.notes.parse_subscription(value)) end
  -- It may have been a pause that ended, or a limit that gives more room.
  if value == nil or begins_with(key, '${limitPrefix}') or begins_with(key, '${resourcePrefix}') then U.store.wake() end
end

-- Home 0 decides; the others follow.
local function tell_note(key)
  local note = U.notes.read(key) or {}
  U.mail.send_all({ is = 'note', key = key, value = note.value, version = note.version, writtenAt = note.writtenAt })
end

function M.take_note(message)
  write_note(message, message)
end

-- What became of each, in place of the job. forwarded: the home that tells it.
function M.told(accepted)
  for _, one in ipairs(accepted) do
    local job = one.job
    one.job = nil
    if job and job.state == 'away' then one.forwarded = job.awayTo else one.state = job and job.state end
  end
  return accepted
end

local function is_leasing(works)
  for _, work in ipairs(works) do
    if work.lease then return true end
  end
  return false
end

-- Notes first: a subscription hears the events of its own atom. What became of its jobs is told when all of it is stored.
function M.store_atom(atom, leased)
  for _, note in ipairs(atom.notes or {}) do
    write_note(note)
    if S.meta.homes > 1 then tell_note(note.key) end
  end
  local accepted = M.accept_works(atom.works, 'outside')
  U.aftermath.run()
  local fences = is_leasing(atom.works) and U.bornLease.lease_born(atom.works, accepted, leased) or {}
  M.told(accepted)
  for i, one in ipairs(accepted) do
    local fence = fences[i]
    if fence then one.leased = { fence = string.format('%.0f', fence), now = S.now } end
  end
  return accepted
end
`,
);

export const enqueueScript: Main = script(
  "enqueue",
  String.raw`
local request = cjson.decode(ARGV[2])
local leased, answers = {}, {}
local first = request.atoms[1]
if #request.atoms > 1 or (first and #first.works > 1) then U.prefetch.works(request.atoms) end
for i, atom in ipairs(request.atoms) do answers[i] = U.enqueue.refusal_of(atom) or U.enqueue.store_atom(atom, leased) end
local told = finish(answers)
if S.subscribers then told[3] = cjson.encode(U.fanOut.subscribers()) end
return told
`,
);
