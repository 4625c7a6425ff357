/** Ended jobs: slim ones that completed stand in spans, and all are kept until their time is over. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** K:dn: spans of completed slim jobs by their first number, "first+count:template:endedAt". K:dp: the same, and single numbers of full jobs, by when they may go. */
export const endedFragment: Fragment = fragment(
  "ended",
  String.raw`
local spans, purges = K .. ':dn', K .. ':dp'

local function purge_at(template, since, enqueuedAt)
  local t = U.template.get(template)
  return math.max(since + t.keep.completed, (enqueuedAt or since) + t.rememberMs)
end

function M.push_span(from, count, template, since)
  local member = U.spans.name(from, count, template, since)
  call('ZADD', spans, from, member)
  call('ZADD', purges, purge_at(template, since), member)
end

-- Spans as first, last and template in turn.
function M.push_spans(list, since)
  local places, times = {}, {}
  for at = 1, #list, 3 do
    local from, to, template = list[at], list[at + 1], list[at + 2]
    local member = U.spans.name(from, to - from + 1, template, since)
    places[#places + 1], places[#places + 2] = from, member
    times[#times + 1], times[#times + 2] = purge_at(template, since), member
  end
  U.rows.write('ZADD', spans, places)
  U.rows.write('ZADD', purges, times)
end

-- In any order, of one template.
function M.push_many(seqs, template, since)
  table.sort(seqs)
  local list, last = {}, 0
  for _, seq in ipairs(seqs) do
    if last > 0 and list[last - 1] == seq - 1 then list[last - 1] = seq
    else
      list[last + 1], list[last + 2], list[last + 3] = seq, seq, template
      last = last + 3
    end
  end
  M.push_spans(list, since)
end

function M.find(seq)
  local member = call('ZREVRANGEBYSCORE', spans, seq, '-inf', 'LIMIT', 0, 1)[1]
  if member == nil then return nil end
  local from, count, template, since = U.spans.parse(member)
  if seq >= from + count then return nil end
  return { member = member, from = from, count = count, template = template, since = since }
end

local function drop(member)
  call('ZREM', spans, member)
  call('ZREM', purges, member)
end

function M.cut(seq)
  local span = M.find(seq)
  drop(span.member)
  if seq > span.from then M.push_span(span.from, seq - span.from, span.template, span.since) end
  local behind = span.from + span.count - 1 - seq
  if behind > 0 then M.push_span(seq + 1, behind, span.template, span.since) end
  return span
end

-- A full job.
function M.push(job)
  call('ZADD', purges, job.purgeAt, U.spans.single(job.seq))
end

function M.remove(job)
  call('ZREM', purges, U.spans.single(job.seq))
end

local function purge_span(member, limit)
  local from, count, template, since = U.spans.parse(member)
  drop(member)
  local gone = math.min(count, limit)
  if gone < count then M.push_span(from + gone, count - gone, template, since) end
  U.job.forget_slim(from, gone)
  U.line.count(U.template.get(template).line, 'completed', -gone)
  return gone
end

-- Answers how many went. One that a live job names meanwhile comes back when that has ended.
function M.purge(limit)
  local purged = 0
  while purged < limit do
    local first = call('ZRANGE', purges, 0, 0, 'WITHSCORES')
    if first[1] == nil or tonumber(first[2]) > S.now then break end
    local seq, count = U.spans.parse(first[1])
    if count then purged = purged + purge_span(first[1], limit - purged)
    else
      local job = U.job.by_seq(seq)
      if U.afters.is_named(job) then call('ZREM', purges, first[1])
      else
        U.store.remove(job)
        purged = purged + 1
      end
    end
  end
  return purged
end
`,
);
