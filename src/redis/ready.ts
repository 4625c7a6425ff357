/** Ready work, by line: one queue and one task. A closed line is one entry passed over, however many jobs are in it. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** `u`: untried, `t`: tried before, `a`: to be run alone. */
export const readyFragment: Fragment = fragment(
  "ready",
  String.raw`
local sets = { together = { 'u', 't' }, untried = { 'u' }, alone = { 'a' } }

local function key(line, set)
  return K .. ':r:' .. line .. ':' .. set
end
M.key = key

function M.push(job)
  job.readyAt = job.urgency
  if (job.suspects or 0) >= 2 then job.readyIn = 'a'
  elseif (job.attempts or 0) > 0 then job.readyIn = 't'
  else job.readyIn = 'u' end
  if job.readyIn == 'a' then U.line.count(job.line, 'alone', 1) end
  call('ZADD', key(job.line, job.readyIn), job.readyAt, U.spans.single(job.seq))
end

function M.remove(job)
  call('ZREM', key(job.line, job.readyIn), U.spans.single(job.seq))
  if job.readyIn == 'a' then U.line.count(job.line, 'alone', -1) end
end

function M.push_span(line, urgency, from, count, template, since)
  call('ZADD', key(line, 'u'), urgency, U.spans.name(from, count, template, since))
end

-- A slim job takes its leave of its span.
function M.cut(line, urgency, seq)
  return U.spans.cut(key(line, 'u'), urgency, seq)
end

function M.find(line, urgency, seq)
  return U.spans.find(key(line, 'u'), urgency, seq)
end

-- The most urgent of a set: its number, its urgency, and the member that it stands in.
function M.head(line, set, from)
  local first
  if from then first = call('ZRANGEBYSCORE', key(line, set), from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  else first = call('ZRANGE', key(line, set), 0, 0, 'WITHSCORES') end
  if first[1] == nil then return nil end
  return tonumber(string.sub(first[1], 1, 12)), tonumber(first[2]), first[1]
end

local function most_urgent(line, which, from)
  local seq, urgency
  for _, set in ipairs(sets[which]) do
    local s, at = M.head(line, set, from)
    if s and (seq == nil or at < urgency or (at == urgency and s < seq)) then seq, urgency = s, at end
  end
  return seq, urgency
end

-- The most urgent ready job of these: its number, and its urgency when it came into its line.
function M.first(line, which)
  return most_urgent(line, which)
end

-- The most urgent one whose urgency is at or after this; the most urgent of the others.
function M.fresh(line, which, from)
  return most_urgent(line, which, from)
end

function M.stale(line, which, from)
  local seq, urgency = most_urgent(line, which)
  if seq and urgency < from then return seq, urgency end
end
`,
);
