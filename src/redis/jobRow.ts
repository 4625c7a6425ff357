/** A job as `find` answers it. */
import { suspectsBeforeAlone } from "../core/defaults.ts";
import type { JobRow } from "../core/engine.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const jobRowFragment: Fragment = fragment(
  "jobRow",
  String.raw`
local function blocked_by(job)
  if job.hold and job.hold.isByJoin then
    local join = job.join and U.joins.by_seq(job.join)
    return 'join', join and join.id or ''
  end
  if job.hold then
    local verdict = U.afters.judge(job.after)
    return 'after', verdict.is == 'open' and verdict.on or (job.after and job.after[1].id or '')
  end
  if job.limitedBy then return 'limit', job.limitedBy end
  return 'key', job.lane and job.lane.key or ''
end

-- What a scheduled one waits for is told by when it is due.
local function waits_of(job)
  local reason, on
  if job.state == 'scheduled' then reason, on = job.delayedBy, ''
  elseif job.state == 'blocked' then reason, on = blocked_by(job)
  elseif job.state == 'parked' then reason, on = 'parked', job.lane and job.lane.key or ''
  elseif job.state == 'ready' then reason, on = (job.suspects or 0) < ${suspectsBeforeAlone} and 'worker' or 'alone', U.line.get(job.line).queue
  else return nil end
  return { reason = reason, on = on, since = job.since }
end

local function claim_of(lease)
  if lease == nil then return nil end
  local process = U.processes.find(lease.process)
  return { process = lease.process, claim = lease.claim, fence = string.format('%.0f', lease.fence), startedAt = lease.startedAt,
    leaseUntil = process and process.leaseUntil or 0, isCancelling = lease.isCancelling or false }
end

local function joins_of(job)
  local ids = {}
  for i, seq in ipairs(job.joins or {}) do ids[i] = U.joins.by_seq(seq).id end
  return ids[1] and ids
end

local function after_of(job)
  local after = {}
  for i, before in ipairs(job.after or {}) do after[i] = { id = before.id, when = before.when } end
  return after[1] and after
end

local function from_of(from)
  return from and { event = from.event, eventId = from.eventId, subscription = from.subscription, isHop = from.isHop or false }
end

function M.job_row(job)
  local line, isEnded = U.line.get(job.line), U.store.is_ended_state[job.state]
  return {
    id = job.id, task = line.task, queue = line.queue, state = job.state, payload = job.payload, headStartMs = job.headStartMs, urgency = job.urgency,
    enqueuedAt = job.enqueuedAt, dueAt = job.dueAt, startBy = job.startBy, attempts = job.attempts, starts = job.starts, suspects = job.suspects,
    lane = job.lane and job.lane.key, ifDead = job.lane and job.lane.ifDead, unique = job.uniqueKey, keyLimits = job.keyLimits, joins = joins_of(job),
    after = after_of(job), waits = waits_of(job), claim = claim_of(job.lease), reason = job.reason, endedAt = isEnded and job.endedAt or nil,
    isPoison = job.isPoison or nil, history = job.history or {}, checkpoint = job.checkpoint, expecting = job.expecting, result = job.result,
    version = job.version, from = from_of(job.from), slotAt = job.slotAt,
  }
end
`,
);

/** As the script tells it: an empty list of Lua is an object, a fence is a text, and instants are not yet written as people read them. */
export type ToldJobRow = Omit<JobRow, "history" | "claim"> & {
  readonly history: JobRow["history"] | object;
  readonly claim?: Omit<NonNullable<JobRow["claim"]>, "fence"> & { readonly fence: string };
};

export function jobRowOf({ history, claim, waits, ...row }: ToldJobRow): JobRow {
  return {
    ...row,
    history: Array.isArray(history) ? (history as JobRow["history"]) : [],
    ...(waits && { waits: row.state === "scheduled" ? { ...waits, on: new Date(row.dueAt).toISOString() } : waits }),
    ...(claim && { claim: { ...claim, fence: Number(claim.fence) } }),
  };
}
