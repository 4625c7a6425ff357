/** Jobs that wait for their time, by when they are due. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const scheduledFragment: Fragment = fragment(
  "scheduled",
  String.raw`
local key = K .. ':sch'
M.key = key

function M.push(job)
  call('ZADD', key, job.dueAt, U.spans.single(job.seq))
end

function M.remove(job)
  call('ZREM', key, U.spans.single(job.seq))
end

function M.push_span(due, from, count, template)
  call('ZADD', key, due, U.spans.name(from, count, template))
end

function M.cut(due, seq)
  return U.spans.cut(key, due, seq)
end

-- When the first is due, and its member.
function M.first()
  local first = call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if first[1] == nil then return nil end
  return tonumber(first[2]), first[1]
end

-- Whether a slim job that is due then, later than it was stored, waits still: they come due in order.
function M.is_waiting(due, seq)
  local to = U.meta.get('dueTo')
  return due > to or (due == to and seq > U.meta.get('dueSeq'))
end

-- Slim jobs that are due move to their lines as they stand, many at once.
local function flush(moving)
  if #moving.gone == 0 then return end
  U.rows.write('ZREM', key, moving.gone)
  for line, added in pairs(moving.added) do U.rows.write('ZADD', U.ready.key(line, 'u'), added) end
  for line, count in pairs(moving.counts) do
    U.line.count(line, 'scheduled', -count)
    U.line.count(line, 'ready', count)
  end
  U.store.wake('ready')
end

local function move_span(moving, due, member, from, count, template, taken)
  local t = U.template.get(template)
  local added = moving.added[t.line] or {}
  moving.added[t.line] = added
  added[#added + 1], added[#added + 2] = due - t.headStartMs, U.spans.name(from, taken, template, S.now)
  moving.gone[#moving.gone + 1] = member
  moving.counts[t.line] = (moving.counts[t.line] or 0) + taken
  if taken < count then M.push_span(due, from + taken, count - taken, template) end
end

-- What is due, at most so many jobs, that stand at most in so many places. Answers how many.
function M.promote(limit, places)
  local due = call('ZRANGEBYSCORE', key, '-inf', S.now, 'WITHSCORES', 'LIMIT', 0, places or limit)
  local promoted, last, lastDue = 0, nil, nil
  local moving, full = { gone = {}, added = {}, counts = {} }, {}
  for at = 1, #due, 2 do
    if promoted >= limit then break end
    local from, count, template = U.spans.parse(due[at])
    lastDue, last = tonumber(due[at + 1]), from
    if count == nil then
      full[#full + 1] = from
      promoted = promoted + 1
    else
      local taken = math.min(count, limit - promoted)
      move_span(moving, lastDue, due[at], from, count, template, taken)
      promoted = promoted + taken
      last = from + taken - 1
    end
  end
  if last == nil then return 0 end
  U.meta.set('dueTo', lastDue)
  U.meta.set('dueSeq', last)
  flush(moving)
  U.job.load(full)
  for _, seq in ipairs(full) do U.life.come_due(U.job.by_seq(seq)) end
  return promoted
end
`,
);
