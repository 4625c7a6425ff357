/**
 * Spans: jobs that were stored one after the other and are alike stand as one member of a sorted set, "first+count:template" with an instant behind it
 * where they came there later than they were stored. A job with a record of its own stands there by its number alone.
 */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const spansFragment: Fragment = fragment(
  "spans",
  String.raw`
function M.single(seq)
  return string.format('%012d', seq)
end

function M.name(from, count, template, since)
  return string.format(since and '%012d+%d:%d:%.0f' or '%012d+%d:%d', from, count, template, since)
end

-- The first number, and of a span how many, of which template, and since when.
function M.parse(member)
  local from, count, template, since = string.match(member, '^(%d+)%+?(%d*):?(%d*):?(%d*)$')
  return tonumber(from), tonumber(count), tonumber(template), tonumber(since)
end

-- The span of a set that holds a number, all members of which have this score.
function M.find(key, score, seq)
  -- It would stand right behind the span.
  local probe = string.format('%012d~', seq)
  call('ZADD', key, score, probe)
  local rank = call('ZRANK', key, probe)
  call('ZREM', key, probe)
  local member = rank > 0 and call('ZRANGE', key, rank - 1, rank - 1)[1]
  if not member or tonumber(call('ZSCORE', key, member)) ~= score then return nil end
  local from, count, template, since = M.parse(member)
  if count == nil or seq < from or seq >= from + count then return nil end
  return { member = member, from = from, count = count, template = template, since = since }
end

-- What stands before and behind the number stays.
function M.cut(key, score, seq)
  local span = M.find(key, score, seq)
  if span == nil then return nil end
  call('ZREM', key, span.member)
  if seq > span.from then call('ZADD', key, score, M.name(span.from, seq - span.from, span.template, span.since)) end
  local behind = span.from + span.count - 1 - seq
  if behind > 0 then call('ZADD', key, score, M.name(seq + 1, behind, span.template, span.since)) end
  return span
end
`,
);
