/** One event, its subscriptions, one job each (G10): as core/fanOut.ts makes them. */
import { jobDiedName } from "../core/notes.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const fanOutFragment: Fragment = fragment(
  "fanOut",
  String.raw`
local function unique_of(to, payload)
  if to.isMapped or to.uniqueBy == nil then return nil end
  local values = U.keys.key_values(to.uniqueBy, payload)
  for _, value in ipairs(values) do
    if not value then return nil end
  end
  return { key = U.keys.key_name(to.task, values), mode = to.uniqueMode or { is = 'keep' } }
end

local function lane_of(event, to, unique)
  local fields = to.orderedBy
  -- A hop's lane is its subscription's own: the task's lane is joined by the job that the hop makes.
  if to.isMapped then fields = event.orderedBy end
  if fields then
    local values = U.keys.or_null(U.keys.key_values(fields, event.payload))
    return { key = U.keys.key_name(to.isMapped and 'hop:' .. to.name or to.task, values), width = 1, ifDead = to.ifDead or 'park' }
  end
  -- "one-more" lets one wait while one runs: its unique key is a lane as well.
  if unique and unique.mode.is == 'one-more' then return { key = unique.key, width = 1, ifDead = 'continue' } end
end

local function key_limits_of(to, payload)
  if to.isMapped or to.keyLimits == nil then return nil end
  local limits = {}
  for i, limit in ipairs(to.keyLimits) do limits[i] = U.keys.key_limit_of(limit, payload) end
  return limits
end

-- Derived from both, which costs more than all else: so whoever hands in events computes it where the subscription is known to him, and is told of it otherwise.
local function id_of(event, to)
  local id = event.jobIds and event.jobIds[to.name]
  if id then return id end
  S.subscribers = S.subscribers or {}
  S.subscribers[event.name] = true
  return U.keys.derived_id(event.id, to.name)
end

-- By the name of each event of which an id was missing: the names of its subscriptions; nil: none was.
function M.subscribers()
  local told
  for event in pairs(S.subscribers or {}) do
    told = told or {}
    told[event] = {}
    for at, to in ipairs(U.notes.subscriptions_to(event)) do told[event][at] = to.name end
  end
  return told
end

-- The job that a subscription gets for an event.
function M.job_for(event, to)
  local unique = unique_of(to, event.payload)
  local isGathered = unique and unique.mode.is == 'gather'
  return {
    kind = 'job', id = id_of(event, to), content = '', rememberMs = 0, task = to.task, queue = to.queue,
    payload = isGathered and '[' .. event.payload .. ']' or event.payload, headStartMs = to.headStartMs, keep = to.keep,
    from = { event = event.name, eventId = event.id, subscription = to.name, isHop = to.isMapped },
    delayMs = to.delayMs > 0 and to.delayMs or nil, lane = lane_of(event, to, unique), unique = unique, keyLimits = key_limits_of(to, event.payload),
    version = not to.isMapped and to.version or nil, ends = event.ends,
  }
end

function M.accept_event(work)
  if U.events.find(work.id) then return { id = work.id, isDuplicate = true } end
  U.events.add(work, U.meta.next_seq())
  local accept_job = S.meta.homes > 1 and U.route.accept_job or U.accept.accept_job
  for _, to in ipairs(U.notes.subscriptions_to(work.name)) do accept_job(M.job_for(work, to), {}) end
  return { id = work.id, isDuplicate = false }
end

local function payload_of_death(job)
  local line, text = U.line.get(job.line), U.keys.json_text
  return '{"jobId":' .. text(job.id) .. ',"task":' .. text(line.task) .. ',"queue":' .. text(line.queue) .. ',"reason":' .. text(job.reason or '')
    .. ',"attempts":' .. string.format('%.0f', job.attempts) .. ',"isPoison":' .. (job.isPoison and 'true' or 'false')
    .. ',"isParked":' .. (job.state == 'parked' and 'true' or 'false') .. '}'
end

-- Published with each death; never for a job that such an event made, which would go on for ever.
function M.publish_death(job, fence)
  if job.from and job.from.event == '${jobDiedName}' then return end
  local payload = payload_of_death(job)
  local id = U.keys.derived_id('${jobDiedName}', job.id, string.format('%.0f', fence))
  M.accept_event({ kind = 'event', id = id, content = redis.sha1hex(payload), rememberMs = 0, name = '${jobDiedName}', payload = payload })
end
`,
);
