/** How slim jobs are stored: those of a call, and those that another home sent. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/**
 * given: groups (see slim.ts), how many (count), and by their places, which begin behind idsAt, bodiesAt and lanesAt, their ids, bodies and lanes; no lanesAt where none has a
 * lane. A message "slim" of the mail has groups, bodies, and lanes: all of it has lanes, since nothing else leads a slim job elsewhere.
 */
export const slimFragment: Fragment = fragment(
  "slim",
  String.raw`
local function is_known(given)
  local isNew = rawget(U, 'job') and U.job.is_new
  for from = given.idsAt + 1, given.idsAt + given.count, 1000 do
    local to = math.min(from + 999, given.idsAt + given.count)
    local known = call('HMGET', K .. ':i', unpack(given.ids, from, to))
    for at = from, to do
      if known[at - from + 1] or isNew and isNew(given.ids[at]) then return true end
    end
  end
  return false
end

local function has_closed(given)
  local keys = {}
  for index = given.lanesAt + 1, given.lanesAt + given.count do
    if given.lanes[index] ~= '' then keys[#keys + 1] = given.lanes[index] end
  end
  U.rows.load('lane', keys)
  for _, key in ipairs(keys) do
    local lane = U.lanes.find(key)
    if lane and lane.closed then return true end
  end
  return false
end

-- An id is known, a lane is closed, or there are too many templates: then none of it is stored like this.
function M.is_refused(given)
  if is_known(given) or given.lanesAt and has_closed(given) then return true end
  for _, group in ipairs(given.groups) do
    if not U.template.is_taking(group[1]) then return true end
  end
  return false
end

local function tell_state(states, code, number)
  if states[#states] == code then states[#states - 1] = states[#states - 1] + number
  else states[#states + 1], states[#states + 2] = number, code end
end

-- Each takes its place in its lane: ready, or behind others.
local function arrive(given, from, seq, group, number, template, states)
  local added, blocked = {}, 0
  for index = 0, group[2] - 1 do
    local place = U.lane.arrive(U.lanes.of(given.lanes[given.lanesAt + from + index]), { seq = seq + index, lane = { width = 1 } })
    tell_state(states, place == 'admitted' and 0 or 2, 1)
    if place == 'admitted' then
      added[#added + 1], added[#added + 2] = S.now - template.headStartMs, U.spans.name(seq + index, 1, number)
    else blocked = blocked + 1 end
  end
  U.rows.write('ZADD', U.ready.key(template.line, 'u'), added)
  if #added > 0 then S.woken = S.woken or 'ready' end
  U.line.count(template.line, 'ready', #added / 2)
  U.line.count(template.line, 'blocked', blocked)
end

local function wait(due, seq, group, number, template)
  local first = U.scheduled.first()
  U.scheduled.push_span(due, seq, group[2], number)
  if first == nil or due < first then S.woken = S.woken or 'ready' end
  U.line.count(template.line, 'scheduled', group[2])
end

local function make_ready(due, seq, group, number, template)
  U.ready.push_span(template.line, due - template.headStartMs, seq, group[2], number)
  S.woken = S.woken or 'ready'
  U.line.count(template.line, 'ready', group[2])
end

local function due_of(group)
  if group[4] ~= cjson.null then return math.max(S.now, group[4]) end
  return group[3] ~= cjson.null and math.max(S.now, S.now + group[3]) or S.now
end

local function write(texts, ids)
  for from = 1, #ids, 2000 do
    local to = math.min(from + 1999, #ids)
    call('HSET', K .. ':i', unpack(ids, from, to))
    call('HSET', K .. ':j', unpack(texts, from, to))
  end
end

-- Answers how many are ready (0), scheduled (1) or blocked (2), in turn.
function M.store(given)
  local first, count, at = U.meta.take_seqs(given.count), given.count, 0
  local ids, texts, states = {}, {}, {}
  U.blocks.count(first, count, 1)
  for _, group in ipairs(given.groups) do
    local number, template = U.template.of(group[1])
    local due = due_of(group)
    local isWaiting = due > S.now
    local head = string.format(isWaiting and 'P%d %.0f %.0f\30' or 'P%d %.0f \30', number, S.now, due)
    if template.ifDead then arrive(given, at + 1, first + at, group, number, template, states)
    else
      local place = isWaiting and wait or make_ready
      place(due, first + at, group, number, template)
      tell_state(states, isWaiting and 1 or 0, group[2])
    end
    for index = at + 1, at + group[2] do
      local name = tostring(first + index - 1)
      ids[index * 2 - 1], ids[index * 2] = given.ids[given.idsAt + index], name
      texts[index * 2 - 1], texts[index * 2] = name, head .. given.bodies[given.bodiesAt + index]
    end
    at = at + group[2]
  end
  write(texts, ids)
  if rawget(U, 'job') then U.job.learn(ids) end
  return states
end

local function work_of(group, template, body, lane)
  local id, content, rest = string.match(body, '^([^\31]*)\31([^\31]*)\31()')
  return {
    kind = 'job', id = id, content = content, payload = string.sub(body, rest + #lane + 1), queue = template.queue, task = template.task, keep = template.keep,
    headStartMs = template.headStartMs, version = template.version, rememberMs = 0, lane = { key = lane, width = 1, ifDead = template.ifDead },
  }
end

-- As those are sent that are not slim.
local function works_of(message)
  local works = {}
  for _, group in ipairs(message.groups) do
    local template = cjson.decode(group[1])
    for index = #works + 1, #works + group[2] do works[index] = work_of(group, template, message.bodies[index], message.lanes[index]) end
  end
  return works
end

-- They came by mail.
function M.take(message)
  local ids = {}
  for at, body in ipairs(message.bodies) do ids[at] = string.match(body, '^[^\31]*') end
  local given = { groups = message.groups, count = #ids, ids = ids, idsAt = 0, bodies = message.bodies, bodiesAt = 0, lanes = message.lanes, lanesAt = 0 }
  if M.is_refused(given) then return U.standIn.works({ works = works_of(message), from = 'outside' }) end
  return { is = 'slim', first = ids[1], states = M.store(given) }
end
`,
);
