/** Slim jobs that are ready at once and like others before them, most of all that is stored: straight on, with none of the modules, which cost a script of one job most. */
import { notifyEveryMs } from "../core/defaults.ts";
import type { Main } from "./fragment.ts";
import type { Gathered } from "./gathered.ts";

/** Undefined where one has a lane or is to wait. */
export function plainRequest({ groups, bodies, hasLanes }: Gathered): readonly string[] | undefined {
  const named: string[] = [];
  for (const [template, count, delayMs, dueAt, headStartMs] of groups) {
    if (delayMs !== null || dueAt !== null) return undefined;
    named.push(template, String(count), String(headStartMs));
  }
  return hasLanes ? undefined : [String(groups.length), ...named, ...bodies];
}

/** Answers whether anybody was woken; or nothing, and nothing is stored, where a template is not known, an id is, or there is no store. See slim, template, prelude. */
export const enqueuePlainScript: Main = {
  verb: "enqueuePlain",
  first: String.raw`
local K, call, format, sub, find = KEYS[1], redis.call, string.format, string.sub, string.find
local before = 2 + 3 * ARGV[2]
local count = #ARGV - before
local meta = call('HMGET', K .. ':m', 'now', 'seq', 'idle', 'wokeAt', 'format')
if not meta[5] then return {} end
local templates, lines = {}, {}
for at = 3, before, 3 do
  templates[at], lines[at] = string.match(call('HGET', K .. ':tn', ARGV[at]) or '', '^(%d+) (%d+)$')
  if templates[at] == nil then return {} end
end
local ids = {}
for nth = 1, count do
  local body = ARGV[before + nth]
  ids[nth] = sub(body, 1, find(body, '\31', 1, true) - 1)
end
for _, known in ipairs(call('HMGET', K .. ':i', unpack(ids))) do
  if known then return {} end
end

local given, self = string.match(ARGV[1], '^([^,]*),?([^,]*)')
local now = tonumber(given)
if now == nil then
  local time = call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
now = math.max(now, tonumber(meta[1]) or 0)
local shown = format('%.0f', now)
local first, nth = (tonumber(meta[2]) or 0) + 1, 0
-- Numbers as texts: the server writes each with 17 places, which takes it longer than to store it.
local numbers, texts = {}, {}
for at = 3, before, 3 do
  local alike = tonumber(ARGV[at + 1])
  local head = 'P' .. templates[at] .. ' ' .. shown .. ' \30'
  call('ZADD', K .. ':r:' .. lines[at] .. ':u', format('%.0f', now - ARGV[at + 2]), format('%012d+%d:%s', first + nth, alike, templates[at]))
  call('HINCRBY', K .. ':c', lines[at] .. ':ready', alike)
  for _ = 1, alike do
    local number = format('%d', first + nth)
    nth = nth + 1
    numbers[nth * 2 - 1], numbers[nth * 2] = ids[nth], number
    texts[nth * 2 - 1], texts[nth * 2] = number, head .. ARGV[before + nth]
  end
end
for from = 1, count * 2, 2000 do
  local to = math.min(from + 1999, count * 2)
  call('HSET', K .. ':i', unpack(numbers, from, to))
  call('HSET', K .. ':j', unpack(texts, from, to))
end
local last = first + count - 1
for block = math.floor(first / 1024), math.floor(last / 1024) do
  local by = math.min(last, block * 1024 + 1023) - math.max(first, block * 1024) + 1
  if call('HINCRBY', K .. ':bn', block, by) == by then call('ZADD', K .. ':b', block, block) end
end
if tonumber(meta[3]) == 0 and now - (tonumber(meta[4]) or 0) < ${notifyEveryMs} then
  call('HSET', K .. ':m', 'now', shown, 'seq', format('%.0f', last))
  return { 2 }
end
call('HSET', K .. ':m', 'now', shown, 'seq', format('%.0f', last), 'idle', '0', 'wokeAt', shown)
call('PUBLISH', K .. ':wake', self)
return { 1 }
`,
};
