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

-- Slim jobs that are due move to their line as they stand.
local function promote_span(due, from, count, template)
  local t = U.template.get(template)
  U.ready.push_span(t.line, due - t.headStartMs, from, count, template, S.now)
  U.line.count(t.line, 'scheduled', -count)
  U.line.count(t.line, 'ready', count)
  U.store.wake('ready')
end

-- What is due, at most so many jobs. Answers how many.
function M.promote(limit)
  local promoted = 0
  while promoted < limit do
    local due, member = M.first()
    if due == nil or due > S.now then break end
    local from, count, template = U.spans.parse(member)
    local last = from
    if count == nil then
      U.life.come_due(U.job.by_seq(from))
      promoted = promoted + 1
    else
      local taken = math.min(count, limit - promoted)
      call('ZREM', key, member)
      if taken < count then M.push_span(due, from + taken, count - taken, template) end
      promote_span(due, from, taken, template)
      promoted = promoted + taken
      last = from + taken - 1
    end
    U.meta.set('dueTo', due)
    U.meta.set('dueSeq', last)
  end
  return promoted
end
`,
);
