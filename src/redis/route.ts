/** Which homes a work passes, in which order; what one of them is given of it, and what lies before it still. Only where a store has several homes. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** Of one message, which is taken in one script. */
const worksMost = 100;
const bytesMost = 1_024 * 1_024;

/**
 * A job passes the homes of what it is concerned with: its join, what it comes after, its unique key, its lane, its limits by key. Those next to each other in one
 * home are one stage. `onward`, of a job that has more before it than what its home decides: after, unique, lane and keyLimits; delayMs and startWithinMs, where they
 * count from what it is let go of later; `waits`, where it stays until it is due, since it may be changed until then.
 */
export const routeFragment: Fragment = fragment(
  "route",
  String.raw`
local rewriting = { replace = true, debounce = true, gather = true }

-- As homeOfText in spread/homes.ts.
function M.home_of(text)
  return tonumber(string.sub(redis.sha1hex(text), 1, 8), 16) % S.meta.homes
end

-- Of a lane, a unique key or a limit: what differs by scope alone has one home.
function M.home_of_name(name)
  return M.home_of(string.sub(name, string.find(name, '[', 1, true) or 1))
end

local function by_key(a, b)
  return a.key < b.key
end

-- In their order: each with its home and, of several of its kind, which.
local function concerns_of(work)
  local list, here = {}, S.meta.home
  local function add(home, kind, one) list[#list + 1] = { home = home, kind = kind, one = one } end
  if work.join then add(work.joinHome or here, 'join') end
  local isSeen = {}
  for _, first in ipairs(work.after or {}) do
    local home = first.home or here
    for _, before in ipairs(isSeen[home] and {} or work.after) do
      if (before.home or here) == home then add(home, 'after', before) end
    end
    isSeen[home] = true
  end
  if work.unique then add(M.home_of_name(work.unique.key), 'unique') end
  if work.lane then add(M.home_of_name(work.lane.key), 'lane') end
  local limits = { unpack(work.keyLimits or {}) }
  table.sort(limits, by_key)
  for _, limit in ipairs(limits) do add(M.home_of_name(limit.key), 'keyLimits', limit) end
  return list
end

-- Where a work begins. What came by mail was sent to where it belongs.
function M.first_home(work)
  local here = S.meta.home
  if work.isMailed then return here end
  if work.kind == 'event' then return M.home_of(work.id) end
  if work.kind == 'join' then
    if U.joins.find(work.id) then return here end
    if work.join then return work.joinHome or here end
    return M.home_of(work.id)
  end
  local first = concerns_of(work)[1]
  if first then return first.home end
  return work.rememberMs > 0 and M.home_of(work.id) or here
end

-- The stages of a work: where each is, and what it decides; nil where all is decided here.
function M.way_of(work)
  if S.meta.homes == 1 then return nil end
  local stages, isHere = {}, true
  for _, concern in ipairs(concerns_of(work)) do
    local last = stages[#stages]
    if last == nil or last.home ~= concern.home then
      last = { home = concern.home }
      stages[#stages + 1] = last
    end
    isHere = isHere and concern.home == S.meta.home
    if concern.one then
      last[concern.kind] = last[concern.kind] or {}
      table.insert(last[concern.kind], concern.one)
    else last[concern.kind] = work[concern.kind] end
  end
  return not isHere and stages or nil
end

-- Another home reads where it is, and who won a unique key here.
local function with_homes(after, winners)
  if after == nil then return nil end
  local located = {}
  for at, before in ipairs(after) do
    local home = before.home or S.meta.home
    local winner = winners and home == S.meta.home and winners[before.id]
    located[at] = { id = winner or before.id, when = before.when, home = home }
  end
  return located
end

local function add_all(list, more)
  for _, one in ipairs(more or {}) do
    list = list or {}
    list[#list + 1] = one
  end
  return list
end

local function copy_of(work)
  local copy = {}
  for name, value in pairs(work) do copy[name] = value end
  return copy
end

-- What this home is given of a work that begins here: the work itself where that is all.
function M.here(work, winners)
  local stages = M.way_of(work)
  if stages == nil then return work end
  local first = stages[1].home == S.meta.home and table.remove(stages, 1) or {}
  local given, onward = copy_of(work), {}
  for _, name in ipairs({ 'join', 'after', 'unique', 'lane', 'keyLimits' }) do given[name] = first[name] end
  for _, stage in ipairs(stages) do
    onward.after = add_all(onward.after, with_homes(stage.after, winners))
    onward.unique, onward.lane = onward.unique or stage.unique, onward.lane or stage.lane
    onward.keyLimits = add_all(onward.keyLimits, stage.keyLimits)
  end
  onward.waits = given.unique and rewriting[given.unique.mode.is] or nil
  if onward.after and work.dueAt == nil then
    -- They count from when all of that let it go; its urgency is as of now.
    onward.delayMs, given.delayMs = work.delayMs, nil
    given.urgency = work.urgency or S.now + (work.delayMs or 0) - work.headStartMs
  end
  if onward.after then onward.startWithinMs, given.startWithinMs = work.startWithinMs, nil end
  onward.ends = work.ends
  given.onward = onward
  return given
end

-- Of the first of what lies before it.
function M.next_home(onward)
  return concerns_of(onward)[1].home
end

-- What goes to other homes, by home, in its order; and what is told of endings, which counts only when all of that is stored.
local posts, reports, bytes = {}, {}, {}

function M.post(home, message)
  S.hasPosts = true
  posts[home] = posts[home] or {}
  table.insert(posts[home], message)
end

-- from: as in U.enqueue.accept_works.
function M.post_work(home, work, from)
  local last = posts[home] and posts[home][#posts[home]]
  if last == nil or last.is ~= 'works' or last.from ~= from or #last.works >= ${worksMost} or bytes[last] > ${bytesMost} then
    last = { is = 'works', from = from, works = {} }
    bytes[last] = 0
    M.post(home, last)
  end
  table.insert(last.works, work)
  bytes[last] = bytes[last] + #(work.payload or '')
end

function M.report(home, message)
  S.hasPosts = true
  reports[#reports + 1] = { home, message }
end

-- A work that begins elsewhere.
function M.forward(home, work, winners, from)
  local sent = copy_of(work)
  sent.lease = nil
  if work.join then sent.joinHome = work.joinHome or S.meta.home end
  sent.after = with_homes(work.after, winners)
  M.post_work(home, sent, from)
  return { id = work.id, isDuplicate = false, forwarded = home }
end

-- One that a script made.
function M.accept_job(work, winners)
  local home = M.first_home(work)
  if home ~= S.meta.home then return M.forward(home, work, winners, 'run') end
  return U.accept.accept_job(work, winners)
end

function M.flush()
  for home, messages in pairs(posts) do
    for _, message in ipairs(messages) do U.mail.send(home, message) end
  end
  for _, report in ipairs(reports) do U.mail.send(report[1], report[2]) end
  posts, reports, bytes, S.hasPosts = {}, {}, {}, nil
end
`,
);
