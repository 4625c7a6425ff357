/** How far a claim has come in the ready jobs of a line: read some at a time, each set of them and each kind by itself. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/**
 * While jobs are handed out nothing comes to a line, and only what is handed out leaves it: so what was read stays true, and what is read next stands first again.
 * kind: "any", or "fresh" and "stale", those whose urgency is at or after an instant, and those before it. A job stands in one cursor of its claim.
 */
export const readyCursorFragment: Fragment = fragment(
  "readyCursor",
  String.raw`
local sets = { together = { 'u', 't' }, untried = { 'u' }, alone = { 'a' } }
local readFirst, readMost = 4, 256

local function read(cursor, size)
  if cursor.kind == 'any' then cursor.found = call('ZRANGE', cursor.key, 0, size - 1, 'WITHSCORES')
  elseif cursor.kind == 'fresh' then cursor.found = call('ZRANGEBYSCORE', cursor.key, cursor.from, '+inf', 'WITHSCORES', 'LIMIT', 0, size)
  else cursor.found = call('ZRANGEBYSCORE', cursor.key, '-inf', '(' .. string.format('%.17g', cursor.from), 'WITHSCORES', 'LIMIT', 0, size) end
  cursor.size, cursor.at, cursor.isLoaded = size, -1, false
end

-- Of a span that jobs went from as they stood, the rest stays.
local function leave_span(cursor)
  local to = cursor.takenTo
  if to == nil then return end
  local member, score = cursor.found[cursor.at], cursor.found[cursor.at + 1]
  call('ZREM', cursor.key, member)
  if to < cursor.last then call('ZADD', cursor.key, score, U.spans.name(to + 1, cursor.last - to, cursor.template, cursor.since)) end
  cursor.takenTo = nil
end

-- To the next member that was read: a job, or a span of jobs, which has a template.
local function step(cursor)
  leave_span(cursor)
  cursor.at = cursor.at + 2
  local member = cursor.found[cursor.at]
  if member == nil then
    cursor.first = nil
    return
  end
  local seq, count, template, since = U.spans.parse(member)
  cursor.first = { seq = seq, urgency = tonumber(cursor.found[cursor.at + 1]), cursor = cursor }
  cursor.last, cursor.template, cursor.since = seq + (count or 1) - 1, template, since
end

local function cursor_of(cursors, line, set, kind, from)
  local key = U.ready.key(line, set)
  local cursor = cursors[kind .. key]
  if cursor == nil then
    cursor = { key = key, kind = kind, from = from }
    cursors[kind .. key] = cursor
    read(cursor, readFirst)
    step(cursor)
  elseif cursor.first == nil and #cursor.found == cursor.size * 2 then
    -- All that was read has left the line by now.
    read(cursor, math.min(cursor.size * 8, readMost))
    step(cursor)
  end
  return cursor
end

-- The most urgent that was not handed out: seq, urgency and its cursor.
function M.first(cursors, line, which, kind, from)
  local best
  for _, set in ipairs(sets[which]) do
    local first = cursor_of(cursors, line, set, kind, from).first
    if first and (best == nil or first.urgency < best.urgency or (first.urgency == best.urgency and first.seq < best.seq)) then best = first end
  end
  return best
end

-- Where one is handed out, more of them may be.
local function load(cursor)
  cursor.isLoaded = true
  local seqs = {}
  for at = cursor.at + 2, #cursor.found, 2 do
    local seq, count = U.spans.parse(cursor.found[at])
    if count == nil then seqs[#seqs + 1] = seq end
  end
  if #seqs > 0 then U.job.load(seqs) end
end

-- The first of it is handed out; isSlim: it goes from its span as it stands.
function M.advance(cursor, isSlim)
  if not cursor.isLoaded then load(cursor) end
  local first = cursor.first
  if isSlim then cursor.takenTo = first.seq end
  if first.seq < cursor.last then cursor.first = { seq = first.seq + 1, urgency = first.urgency, cursor = cursor }
  else step(cursor) end
end

function M.close(cursors)
  for _, cursor in pairs(cursors) do leave_span(cursor) end
end
`,
);
