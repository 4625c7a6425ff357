/** Limits by key (G9): what each bounds, who holds room of it, and who waits in its line. Room is given in limitPasses.ts. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/**
 * A row of kind "limit": key; held, the ready and running jobs that hold one; line, those it has no room for, and starts, by when they count no longer (see
 * ordered); most, the number of all that wait, false where they named several. K:lwait: limits by freeAt, when the first of their line has room because starts count no longer. K:lstarts: limits by endsAt, when their starts
 * are looked at. Marks: "limits.marked", lines that may move: a permit came back, or a job joined or left.
 */
export const keyLimitFragment: Fragment = fragment(
  "limits",
  String.raw`
local waits, ends = K .. ":lwait", K .. ":lstarts"

local function line_key(key) return K .. ":ll:" .. key end
local function starts_key(key) return K .. ":ls:" .. key end

local function save(limit) U.rows.dirty("limit", limit.key) end
local function mark(key) U.marks.add("limits.marked", key) end

function M.find(key)
  return U.rows.get("limit", key)
end

function M.of(key)
  local limit = M.find(key)
  if limit == nil then
    limit = { key = key, held = 0 }
    U.rows.put("limit", key, limit)
  end
  return limit
end

local function most_of(job, key)
  for _, limit in ipairs(job.keyLimits or {}) do
    if limit.key == key then return limit.is.running or limit.is.starts end
  end
  return math.huge
end

function M.used(limit)
  if U.ordered.drop_until(limit, "starts", starts_key(limit.key), S.now) > 0 then save(limit) end
  return limit.held + U.ordered.size(limit, "starts")
end

-- Whether a job, of those that wait here or would, comes first and has room by its own number.
function M.has_room_for(limit, job)
  local first, urgency = U.ordered.first(limit, "line")
  if first and first ~= job.seq and (urgency < job.urgency or (urgency == job.urgency and first < job.seq)) then return false end
  return M.used(limit) < most_of(job, limit.key)
end

-- The same of a limit that may be none's so far.
function M.has_room(key, job)
  local limit = M.find(key)
  if limit == nil then return most_of(job, key) > 0 end
  return M.has_room_for(limit, job)
end

-- Whether the first of its line may have room, by what is known without reading it.
function M.may_have_room(limit)
  return not limit.most or M.used(limit) < limit.most
end

-- Nil: nobody waits, or time alone makes no room.
local function free_at(limit)
  local first = U.ordered.first(limit, "line")
  if first == nil then return nil end
  local tooMany = M.used(limit) - (limit.most or most_of(U.job.by_seq(first), limit.key)) + 1
  if tooMany < 1 or tooMany > U.ordered.size(limit, "starts") then return nil end
  return U.ordered.score_at(limit, "starts", starts_key(limit.key), tooMany)
end

-- It would be ready.
function M.queue_up(job)
  local first = job.keyLimits and job.keyLimits[1]
  if first then M.move_to(job, first.key) end
end

function M.move_to(job, key)
  M.leave(job)
  U.job.touch(job)
  job.limitedBy = key
  local limit, most = M.of(key), most_of(job, key)
  if limit.line == nil then limit.most = most elseif limit.most ~= most then limit.most = false end
  U.ordered.add(limit, "line", line_key(key), job.seq, job.urgency)
  save(limit)
  mark(key)
end

function M.leave(job)
  local key = job.limitedBy
  if key == nil then return end
  U.job.touch(job)
  job.limitedBy = nil
  local limit = M.of(key)
  U.ordered.remove(limit, "line", line_key(key), job.seq)
  save(limit)
  mark(key)
end

-- It is ready: it holds all of them.
function M.take(job)
  for _, is in ipairs(job.keyLimits) do
    local limit = M.of(is.key)
    limit.held = limit.held + 1
    save(limit)
    if limit.line then mark(is.key) end
  end
end

local function free(key)
  local limit = M.of(key)
  limit.held = limit.held - 1
  save(limit)
  mark(key)
end

-- It is ready no longer, and was not started.
function M.give_back(job)
  for _, limit in ipairs(job.keyLimits) do free(limit.key) end
end

local function look_at_end(limit, at)
  limit.endsAt = at
  if at then call("ZADD", ends, at, limit.key) else call("ZREM", ends, limit.key) end
end

-- From now on the start counts, in place of the job.
function M.start(job)
  local starts
  for _, asked in ipairs(job.keyLimits) do
    if asked.is.running == nil then
      local limit, id = M.of(asked.key), string.format("%.0f:%.0f", job.seq, job.lease.fence)
      local endsAt = S.now + asked.is.everyMs
      free(asked.key)
      U.ordered.add(limit, "starts", starts_key(asked.key), id, endsAt)
      if limit.endsAt == nil or endsAt < limit.endsAt then look_at_end(limit, endsAt) end
      starts = starts or {}
      starts[#starts + 1] = { key = asked.key, id = id }
    end
  end
  job.lease.starts = starts
end

-- It was started in another home, at the latest now.
function M.start_elsewhere(job)
  for _, asked in ipairs(job.keyLimits) do
    if asked.is.running == nil then
      local limit, endsAt = M.of(asked.key), S.now + asked.is.everyMs
      U.ordered.add(limit, "starts", starts_key(asked.key), string.format("%.0f:a%.0f", job.seq, S.now), endsAt)
      if limit.endsAt == nil or endsAt < limit.endsAt then look_at_end(limit, endsAt) end
      save(limit)
    end
  end
end

-- It runs no longer.
function M.stop(job)
  for _, limit in ipairs(job.keyLimits) do
    if limit.is.running then free(limit.key) end
  end
end

-- As if it had not been started.
function M.take_back(starts)
  for _, start in ipairs(starts) do
    local limit = M.find(start.key)
    if limit and U.ordered.remove(limit, "starts", starts_key(start.key), start.id) then save(limit) end
    mark(start.key)
  end
end

-- Lines that may move because time has passed are looked at too. Answers how many.
function M.expire(limit)
  local expired = call("ZRANGEBYSCORE", ends, "-inf", S.now, "LIMIT", 0, limit)
  for _, key in ipairs(expired) do
    local found = M.find(key)
    M.used(found)
    local _, at = U.ordered.first(found, "starts")
    look_at_end(found, at)
    save(found)
    mark(key)
  end
  return #expired
end

-- It was looked at: when is the next time that it may have room?
function M.settle(key)
  local limit = M.find(key)
  if limit == nil then return end
  local at = free_at(limit)
  if at ~= limit.freeAt then
    limit.freeAt = at
    save(limit)
    if at then call("ZADD", waits, at, key) else call("ZREM", waits, key) end
  end
  if limit.held > 0 or limit.starts or limit.line then return end
  if limit.endsAt then look_at_end(limit, nil) end
  U.rows.remove("limit", key)
end

function M.next_free()
  return tonumber(call("ZRANGE", waits, 0, 0, "WITHSCORES")[2])
end
`,
);
