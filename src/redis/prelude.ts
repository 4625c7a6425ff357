/** What every script begins with: the store's time, the modules, and the one place where what was changed is written. */
import { notifyEveryMs } from "../core/defaults.ts";

export const prelude: string = String.raw`
local K, call = KEYS[1], redis.call
local S, U, R = { woken = false, skippedLate = 0, counts = {} }, {}, nil
setmetatable(U, { __index = function(all, name)
  local M = {}
  rawset(all, name, M)
  R(name, M)
  return M
end })

-- The store's time never goes back.
local function begin()
  local meta = call('HMGET', K .. ':m', 'now', 'seq', 'fence', 'idle', 'wokeAt', 'marks', 'dueTo', 'dueSeq', 'format', 'looks', 'direct', 'homes', 'home')
  S.meta = { now = tonumber(meta[1]) or 0, seq = tonumber(meta[2]) or 0, fence = tonumber(meta[3]) or 0, idle = tonumber(meta[4]) or 0,
    wokeAt = tonumber(meta[5]) or 0, marks = tonumber(meta[6]) or 0, dueTo = tonumber(meta[7]) or 0, dueSeq = tonumber(meta[8]) or 0,
    looks = tonumber(meta[10]) or 0, direct = tonumber(meta[11]) or 0, homes = tonumber(meta[12]) or 1, home = tonumber(meta[13]) or 0 }
  S.changed = {}
  local given, self = string.match(ARGV[1], '^([^,]*),?([^,]*)')
  S.self = self
  local now = tonumber(given)
  if now == nil then
    local time = call('TIME')
    now = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  S.now = math.max(now, S.meta.now)
  if not meta[9] then U.era.begin() end
end

-- One that sleeps has found nothing before it slept; without one, others are told now and then, and what is held back the caller tells a little later.
local function tell()
  S.told = S.woken and 1 or 0
  if not S.woken then return end
  if S.woken == 'ready' and S.meta.idle == 0 and S.now - S.meta.wokeAt < ${notifyEveryMs} then
    S.told = 2
    return
  end
  U.meta.set('idle', 0)
  U.meta.set('wokeAt', S.now)
  call('PUBLISH', K .. ':wake', S.self)
end

local function flush()
  if S.hasPosts then U.route.flush() end
  if rawget(U, 'rows') then U.rows.flush() end
  if rawget(U, 'job') then U.job.flush() end
  if rawget(U, 'marks') then U.marks.flush() end
  if next(S.counts) then U.line.flush() end
  if S.mailed then U.mail.flush() end
  tell()
  if next(S.changed) then U.meta.flush() end
end

local function finish(answer)
  flush()
  if S.mailed then return { cjson.encode(answer), S.told, false, U.mail.homes() } end
  return { cjson.encode(answer), S.told }
end
`;
