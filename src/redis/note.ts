/** Notes: small versioned documents; and the subscriptions among them, ready for fan-out. */
import { subscriptionPrefix } from "../core/notes.ts";
import { fragment, script } from "./fragment.ts";
import type { Fragment, Main } from "./fragment.ts";

/** How many subscriptions of one event are read at once. */
const subscriptionsAtOnce = 1_000;

/** K:notes: rows by key, without it. K:notekeys: all keys in order. K:ns:<event>: keys of the subscriptions to an event, in order. */
export const notesFragment: Fragment = fragment(
  "notes",
  String.raw`
local keys, prefix = K .. ':notekeys', '${subscriptionPrefix}'
-- By event; forgotten when a subscription is written.
local subscriptions = {}

function M.read(key)
  local row = U.rows.get('notes', key)
  return row and { key = key, version = row.version, value = row.value, writtenAt = row.writtenAt }
end

-- Grows with every note written or deleted.
function M.version()
  return U.meta.get('notes')
end

function M.parse_subscription(value)
  return U.keys.decode(value)
end

local function starts_with(text, start)
  return string.sub(text, 1, #start) == start
end
M.is_starting_with = starts_with

local function subscribe(key, old, value)
  subscriptions = {}
  if old then call('ZREM', K .. ':ns:' .. M.parse_subscription(old.value).event, key) end
  if value then call('ZADD', K .. ':ns:' .. M.parse_subscription(value).event, 0, key) end
end

-- Without a value it is deleted. given: version and writtenAt, by another home.
function M.write(key, value, given)
  local old = U.rows.get('notes', key)
  U.meta.add('notes', 1)
  if value == nil then
    U.rows.remove('notes', key)
    if old then call('ZREM', keys, key) end
  else
    given = given or { version = (old and old.version or 0) + 1, writtenAt = S.now }
    U.rows.put('notes', key, { version = given.version, value = value, writtenAt = given.writtenAt })
    if old == nil then call('ZADD', keys, 0, key) end
  end
  if starts_with(key, prefix) then subscribe(key, old, value) end
  if S.meta.homes > 1 and U.loans.is_of(key) then U.loans.noted(key, old and old.value, value) end
end

-- By name, so that every engine fans out in the same order.
function M.subscriptions_to(event)
  if subscriptions[event] then return subscriptions[event] end
  local found, set, last = {}, K .. ':ns:' .. event, '-'
  repeat
    local some = call('ZRANGEBYLEX', set, last, '+', 'LIMIT', 0, ${subscriptionsAtOnce})
    for _, key in ipairs(some) do found[#found + 1] = M.parse_subscription(M.read(key).value) end
    last = some[1] and '(' .. some[#some]
  until #some < ${subscriptionsAtOnce}
  subscriptions[event] = found
  return found
end

-- Whether the bytes of one text come before those of another; comparing texts themselves goes by the server's locale.
function M.is_before(one, other)
  for at = 1, math.min(#one, #other) do
    local a, b = string.byte(one, at), string.byte(other, at)
    if a ~= b then return a < b end
  end
  return #one < #other
end

-- By key; those behind one, at most so many.
function M.starting_with(start, after, limit)
  local from = '[' .. start
  if after and not M.is_before(after, start) then from = '(' .. after end
  local found = {}
  -- No key holds such a byte.
  for _, key in ipairs(call('ZRANGEBYLEX', keys, from, '(' .. start .. '\255', 'LIMIT', 0, limit)) do found[#found + 1] = M.read(key) end
  return found
end

-- Why these writes cannot stand, if so: a note is not in the version that its writer believes in. Each write sees those before it.
function M.conflict_of(writes)
  local versions = {}
  for _, write in ipairs(writes) do
    local note = versions[write.key] == nil and U.rows.get('notes', write.key)
    local version = versions[write.key] or (note and note.version) or 0
    if write.ifVersion and write.ifVersion ~= version then
      return { refusal = 'note-conflict', key = write.key, version = version, ifVersion = write.ifVersion }
    end
    versions[write.key] = write.value == nil and 0 or version + 1
  end
  return nil
end
`,
);

/** Answers the note, or null. */
export const readNoteScript: Main = script(
  "readNote",
  String.raw`
return finish(U.notes.read(cjson.decode(ARGV[2]).key) or cjson.null)
`,
);
