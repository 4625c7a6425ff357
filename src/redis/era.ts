/**
 * Which past the store has. A server that is restarted may have read an older file, and one that is promoted lacks what it was not told; they hold nothing of what was
 * told to clients since. So the store keeps by what it knows its own history: where the server's is another, it begins a new era. So does a store that was emptied.
 *
 * A run id is a server's for as long as it runs. A replication id is that of a history; a server takes another one when it is promoted, and remembers the one it had,
 * and when its first replica comes or the last one has been gone for long, and then it remembers none (https://redis.io/docs/latest/operate/oss_and_stack/management/replication/).
 */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";
import { homesMax } from "./spread/homes.ts";

/** Another one with each release that changes what the keys hold. */
export const format = 1;

/**
 * What fences leap over with a new era, in µs: a day. The old server gave out fences that this one never heard of, above its own clock if its was ahead; they are
 * below this as long as the two clocks are less than a day apart. 2^53 has room for 80,000 leaps.
 */
const fenceLeap = 86_400_000_000;
/**
 * Where fences are ahead of the clock already, they go on above all that can have been given since, one each µs (of several homes, one in so many numbers), and keep how far they are ahead: an emptied store knows
 * only the clock, and must come out above them, too. A promoted server may have another clock.
 */
const clockSlack = 60_000_000;

/** Sees K and call. Where a user may not read INFO, nothing is known of the server's past; an emptied store is noticed all the same. */
export const eraLua: string = String.raw`
local function told(section, ...)
  local info = redis.pcall('INFO', section)
  local found = {}
  for at, name in ipairs({ ... }) do found[at] = type(info) == 'string' and string.match(info, '[\r\n]' .. name .. ':(%w+)') or '' end
  return unpack(found)
end

-- 9 µs.
local function history()
  local run = told('server', 'run_id')
  local id, second, role = told('replication', 'master_replid', 'master_replid2', 'role')
  return { run = run, id = id, isSecond = string.find(second, '[1-9a-f]') ~= nil, text = run .. ' ' .. id, isReplica = role == 'slave' }
end

-- What one of the two does not tell says nothing.
local function is_other(past, known)
  local run, id = string.match(known or '', '^(%w*) (%w*)$')
  if run == nil then return true end
  if run ~= '' and past.run ~= '' and run ~= past.run then return true end
  return past.isSecond and id ~= '' and past.id ~= '' and id ~= past.id
end

-- All that was told to anybody is void, and told so with the next beat. Answers above what the next fences must be.
local function begin_era(past, fence, clock, now)
  local time = call('TIME')
  local era = string.sub(redis.sha1hex(K .. past.text .. ' ' .. time[1] .. '.' .. time[2] .. ' ' .. string.format('%.0f', fence)), 1, 32)
  call('HSET', K .. ':m', 'format', '${format}', 'era', era, 'history', past.text)
  local above = math.max(now * 1000, time[1] * 1000000 + time[2]) + ${fenceLeap}
  if fence == 0 then return above end
  local step = call('HGET', K .. ':m', 'homes') and ${homesMax} or 1
  return math.max(above, fence + (math.max(0, now - clock) + 1) * 1000 * step + (past.isSecond and ${clockSlack} or 0))
end

-- Answers above what the next fences must be, if a new era begins.
local function judge_era(past, fence, clock, now)
  local known = call('HGET', K .. ':m', 'history')
  -- A primary that was made a replica keeps its connections. It lags, so what it tells is no answer: the write is refused, and the caller goes elsewhere.
  if past.isReplica then call('HSET', K .. ':m', 'history', known) end
  if known == past.text then return nil end
  if is_other(past, known) then return begin_era(past, fence, clock, now) end
  call('HSET', K .. ':m', 'history', past.text)
  return nil
end
`;

export const eraFragment: Fragment = fragment(
  "era",
  String.raw`${eraLua}
-- For the begin of a script that finds no format: the store was emptied. Which home of how many it was, those know who ask.
function M.begin()
  local home, homes = string.match(ARGV[1], ',(%d+)/(%d+)$')
  if homes then
    call('HSET', K .. ':m', 'homes', homes, 'home', home)
    S.meta.homes, S.meta.home = tonumber(homes), tonumber(home)
  end
  U.meta.set('fence', begin_era(history(), S.meta.fence, S.meta.now, S.now))
end

-- The era, by now.
function M.is()
  local above = judge_era(history(), S.meta.fence, S.meta.now, S.now)
  if above then U.meta.set('fence', above) end
  return call('HGET', K .. ':m', 'era')
end
`,
);
