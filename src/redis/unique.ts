/** Unique keys: which live jobs hold one, and which keys outlive their job (G6). */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/**
 * A row of kind "unique" for each key: `live`, the live jobs that hold it, in the order in which they came to; `jobId` and `windowUntil`, the window of a throttled
 * key, that stays taken also after its job ended. Windows stand by their ends in the zset uqw.
 */
export const uniqueFragment: Fragment = fragment(
  "uniques",
  String.raw`
local windows = K .. ':uqw'

local function window_of(row)
  if row and row.jobId and row.windowUntil > S.now then return row.jobId end
  return nil
end

-- ends: of one that is elsewhere, and has ended there.
local function live_of(row, ends)
  local jobs = {}
  if row == nil or row.live == nil then return jobs end
  if #row.live > 1 then U.job.load(row.live) end
  for _, seq in ipairs(row.live) do
    local job = U.job.by_seq(seq)
    if not (ends and job.awayTo and job.id == ends) then jobs[#jobs + 1] = job end
  end
  return jobs
end

local function first_where(jobs, is)
  for _, job in ipairs(jobs) do
    if is(job) then return job end
  end
  return nil
end

local function is_waiting(job)
  return job.state ~= 'running' and job.state ~= 'away'
end

-- The live job that the unique loses to; or the id of the one whose window lasts; or nil: the key is free. ends: the id of the job whose end hands it over.
function M.winner(unique, ends)
  local row = U.rows.get('unique', unique.key)
  if row == nil then return nil end
  local live = live_of(row, ends)
  if unique.mode.is == 'gather' then return first_where(live, U.gathering.is_gathering) or window_of(row) end
  local waiting = first_where(live, is_waiting)
  if unique.mode.is == 'one-more' and waiting == nil and #live > 0 then return nil end
  return waiting or live[1] or window_of(row)
end

function M.is_held(key)
  local row = U.rows.get('unique', key)
  return row ~= nil and row.live ~= nil
end

function M.hold(job)
  local key = job.uniqueKey
  if key == nil then return end
  local row = U.rows.get('unique', key)
  if row == nil then
    U.rows.put('unique', key, { live = { job.seq } })
    return
  end
  local live = row.live or {}
  for _, seq in ipairs(live) do
    if seq == job.seq then return end
  end
  live[#live + 1] = job.seq
  row.live = live
  U.rows.dirty('unique', key)
end

local function save(key, row)
  if row.live or row.jobId then U.rows.dirty('unique', key) else U.rows.remove('unique', key) end
end

function M.release(job)
  local key = job.uniqueKey
  local row = key and U.rows.get('unique', key)
  if row == nil or row.live == nil then return end
  for i, seq in ipairs(row.live) do
    if seq == job.seq then
      table.remove(row.live, i)
      break
    end
  end
  if #row.live == 0 then row.live = nil end
  save(key, row)
end

function M.keep_until(key, jobId, at)
  local row = U.rows.get('unique', key)
  if row == nil then
    U.rows.put('unique', key, { jobId = jobId, windowUntil = at })
  else
    row.jobId, row.windowUntil = jobId, at
    U.rows.dirty('unique', key)
  end
  call('ZADD', windows, at, key)
end

-- Forgets windows that ended. Answers how many.
function M.purge(limit)
  local keys = call('ZRANGEBYSCORE', windows, '-inf', S.now, 'LIMIT', 0, limit)
  for _, key in ipairs(keys) do
    call('ZREM', windows, key)
    local row = U.rows.get('unique', key)
    if row then
      row.jobId, row.windowUntil = nil, nil
      save(key, row)
    end
  end
  return #keys
end
`,
);
