/** The era of a store of several homes: one for all of them. A home that lost something has begun one by itself; then all begin another, so that all who hear of it hear the same. */
import { replayPrefix } from "../core/notes.ts";
import { fragment, script } from "./fragment.ts";
import type { Fragment, Main } from "./fragment.ts";

/** Of one message, and of one pass. */
const notesMost = 100;

/**
 * K:m has number, how many eras of the whole there were, and whole, the last of them. A home whose own era is another has lost something since, or is new. K:mail has by
 * "lost" and home the era that a home had begun by itself when it was last heard of.
 */
export const rebirthFragment: Fragment = fragment(
  "rebirth",
  String.raw`
local meta, mail = K .. ':m', K .. ':mail'

function M.standing()
  local era = U.era.is()
  local found = call('HMGET', meta, 'whole', 'rebirth')
  return { era = era, whole = found[1] or '', number = U.meta.get('number'), rebirth = found[2] and cjson.decode(found[2]) or nil }
end

-- It may have forgotten how many it had sent: what it sends from now on is new.
local function forget_taken(home, era)
  if call('HGET', mail, 'lost' .. home) == era then return end
  call('HSET', mail, 'lost' .. home, era, 'in' .. home, 0)
end

-- lost: homes, with the eras that they began by themselves. What came by mail before is known by its numbers; what is still to be sent is sent.
function M.begin(asked)
  if asked.number <= U.meta.get('number') then return end
  -- Not with the time of opening, which a virtual clock may be behind.
  S.meta.number = asked.number
  call('HSET', meta, 'number', asked.number, 'era', asked.era, 'whole', asked.era, 'rebirth', cjson.encode(asked))
  for _, lost in ipairs(asked.lost) do
    if lost.home ~= S.meta.home then forget_taken(lost.home, lost.era) end
  end
  -- What the homes know of each other is made the same again; of the first era there is nothing.
  if asked.number == 1 then return end
  U.standIn.begin_resending()
  U.loans.begin_anew()
  if S.meta.home == 0 then
    U.meta.set('tellNotes', 1)
    call('HDEL', mail, 'notesTo')
  end
end

local function is_local(key)
  return U.notes.is_starting_with(key, '${replayPrefix}')
end

-- Those behind a key, up to one: of one home alone are left out.
local function notes_after(after, limit)
  local notes = U.notes.starting_with('', after, limit)
  local last = #notes == limit and notes[#notes].key or nil
  local shared = {}
  for _, note in ipairs(notes) do
    if not is_local(note.key) then shared[#shared + 1] = note end
  end
  return shared, last
end

-- Home 0 tells all notes again, so many in a pass. Answers whether there are more.
function M.tell_notes()
  if U.meta.get('tellNotes') == 0 then return false end
  local after = call('HGET', mail, 'notesTo') or nil
  local notes, last = notes_after(after, ${notesMost})
  U.mail.send_all({ is = 'notes', after = after, upTo = last, notes = notes })
  if last then call('HSET', mail, 'notesTo', last)
  else
    call('HDEL', mail, 'notesTo')
    U.meta.set('tellNotes', 0)
  end
  return last ~= nil
end

local function own_notes(after, upTo)
  local own = {}
  repeat
    local some = U.notes.starting_with('', after, ${notesMost})
    for _, note in ipairs(some) do
      if upTo and U.notes.is_before(upTo, note.key) then return own end
      if not is_local(note.key) then own[#own + 1] = note end
    end
    after = some[1] and some[#some].key
  until #some < ${notesMost}
  return own
end

-- Between two keys these are all.
function M.take_notes(message)
  local isThere = {}
  for _, note in ipairs(message.notes) do
    isThere[note.key] = true
    local own = U.notes.read(note.key)
    if own == nil or own.version ~= note.version or own.value ~= note.value then U.enqueue.take_note(note) end
  end
  for _, own in ipairs(own_notes(message.after, message.upTo)) do
    if not isThere[own.key] then U.enqueue.take_note({ key = own.key }) end
  end
end
`,
);

export const standingScript: Main = script(
  "standing",
  String.raw`
return finish(U.rebirth.standing())
`,
);

/** Answers where it stands then. */
export const rebirthScript: Main = script(
  "rebirth",
  String.raw`
U.rebirth.begin(cjson.decode(ARGV[2]))
return finish(U.rebirth.standing())
`,
);
