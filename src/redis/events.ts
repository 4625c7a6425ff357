/** Stored events, in the order of their publishing. */
import { eventsKeptMs } from "../core/defaults.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** Payloads are large. */
const atOnceMax = 100;

/**
 * An event: { id, seq, name, payload, content, orderedBy, publishedAt }. K:event: by id, written once. K:ev and K:ev:<name>: ids by number, of all and of one name.
 * K:evp: names and ids by when they may go.
 */
export const eventsFragment: Fragment = fragment(
  "events",
  String.raw`
local events, inOrder, purges = K .. ':event', K .. ':ev', K .. ':evp'

local function named(name)
  return K .. ':ev:' .. name
end

-- By id; false: there is none.
local known = {}

-- Reads many at once.
function M.load(ids)
  for from = 1, #ids, ${atOnceMax} do
    local to = math.min(from + ${atOnceMax - 1}, #ids)
    for at, text in ipairs(call('HMGET', events, unpack(ids, from, to))) do known[ids[from + at - 1]] = text and cmsgpack.unpack(text) end
  end
end

function M.find(id)
  if known[id] == nil then M.load({ id }) end
  return known[id] or nil
end

-- A name of any letters, and an id.
local function place_of(name, id)
  return #name .. ':' .. name .. id
end

local function parted(place)
  local length, at = string.match(place, '^(%d+):()')
  return string.sub(place, at, at + length - 1), string.sub(place, at + length)
end

function M.add(work, seq)
  local event = { id = work.id, seq = seq, name = work.name, payload = work.payload, content = work.content, orderedBy = work.orderedBy, publishedAt = S.now }
  known[work.id] = event
  call('HSET', events, work.id, cmsgpack.pack(event))
  call('ZADD', inOrder, seq, work.id)
  call('ZADD', named(work.name), seq, work.id)
  call('ZADD', purges, S.now + math.max(${eventsKeptMs}, work.rememberMs), place_of(work.name, work.id))
end

-- Oldest first, at most so many: numbered above seq and not above upTo (nil: whatever), of one name or of all.
function M.after(seq, name, limit, upTo)
  local ids = call('ZRANGEBYSCORE', name and named(name) or inOrder, '(' .. seq, upTo or '+inf', 'LIMIT', 0, limit)
  local found = {}
  for from = 1, #ids, ${atOnceMax} do
    for _, text in ipairs(call('HMGET', events, unpack(ids, from, math.min(from + ${atOnceMax - 1}, #ids)))) do found[#found + 1] = cmsgpack.unpack(text) end
  end
  return found
end

-- Removes what retention no longer keeps. Answers how many.
function M.purge(limit)
  local places = call('ZRANGEBYSCORE', purges, '-inf', S.now, 'LIMIT', 0, limit)
  for _, place in ipairs(places) do
    local name, id = parted(place)
    call('ZREM', purges, place)
    call('ZREM', inOrder, id)
    call('ZREM', named(name), id)
    call('HDEL', events, id)
    known[id] = false
  end
  return #places
end
`,
);
