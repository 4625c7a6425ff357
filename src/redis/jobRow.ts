/** A job as `find` answers it. */
import { suspectsBeforeAlone } from "../core/defaults.ts";
import type { JobRow } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
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

local function joined(...)
  local all = {}
  for at = 1, 3 do
    for _, one in ipairs((select(at, ...)) or {}) do all[#all + 1] = one end
  end
  return all[1] and all
end

-- What it was handed in with: of several homes this one decides some of it, others some before it and some after it.
local function asked_of(job)
  if job.asMember == nil and job.onward == nil then return { lane = job.lane, unique = job.uniqueKey, keyLimits = job.keyLimits, after = job.after } end
  local before, behind = job.asMember or {}, job.onward or {}
  return {
    lane = job.lane or before.lane or behind.lane, unique = job.uniqueKey or before.unique or (behind.unique and behind.unique.key),
    keyLimits = joined(before.keyLimits, job.keyLimits, behind.keyLimits), after = joined(before.after, job.after, behind.after),
  }
end
M.asked_of = asked_of

-- What a scheduled one waits for is told by when it is due.
local function waits_of(job)
  local reason, on
  if job.state == 'scheduled' then reason, on = job.delayedBy, ''
  elseif job.state == 'blocked' then reason, on = blocked_by(job)
  elseif job.state == 'parked' then
    local lane = asked_of(job).lane
    reason, on = 'parked', lane and lane.key or ''
  elseif job.state == 'ready' or job.state == 'away' then reason, on = (job.suspects or 0) < ${suspectsBeforeAlone} and 'worker' or 'alone', U.line.get(job.line).queue
  else return nil end
  return { reason = reason, on = on, since = job.since }
end

local function claim_of(lease)
  if lease == nil then return nil end
  local process = U.processes.find(lease.process)
  return { process = lease.process, claim = lease.claim, fence = string.format('%.0f', lease.fence), startedAt = lease.startedAt,
    leaseUntil = process and process.leaseUntil or 0, isCancelling = lease.isCancelling or false }
end

-- Its own may be in another home.
local function joins_of(job)
  local ids = {}
  for i, seq in ipairs(job.joins or {}) do ids[i] = U.joins.by_seq(seq).id end
  local own = job.asMember and job.asMember.join
  if own and ids[1] ~= own then table.insert(ids, 1, own) end
  return ids[1] and ids
end

local function after_of(asked)
  local after = {}
  for i, before in ipairs(asked.after or {}) do after[i] = { id = before.id, when = before.when } end
  return after[1] and after
end

local function from_of(from)
  return from and { event = from.event, eventId = from.eventId, subscription = from.subscription, isHop = from.isHop or false }
end

-- One that is on its way to another home waits for nothing but its worker. What follows from isStandIn on is told of several homes alone.
function M.job_row(job)
  local line, isEnded, asked = U.line.get(job.line), U.store.is_ended_state[job.state], asked_of(job)
  return {
    id = job.id, task = line.task, queue = line.queue, state = job.state == 'away' and 'ready' or job.state, payload = job.payload,
    headStartMs = job.headStartMs, urgency = job.urgency, enqueuedAt = job.enqueuedAt, dueAt = job.dueAt, startBy = job.startBy, attempts = job.attempts, starts = job.starts, suspects = job.suspects,
    lane = asked.lane and asked.lane.key, ifDead = asked.lane and asked.lane.ifDead, unique = asked.unique, keyLimits = asked.keyLimits, joins = joins_of(job),
    after = after_of(asked), waits = waits_of(job), claim = claim_of(job.lease), reason = job.reason, endedAt = isEnded and job.endedAt or nil,
    isPoison = job.isPoison or nil, history = job.history or {}, checkpoint = job.checkpoint, expecting = job.expecting, result = job.result,
    version = job.version, from = from_of(job.from), slotAt = job.slotAt,
    isStandIn = job.awayTo and true, standsFor = job.onward and job.onward.winner, reports = job.reports, arrivedAt = job.arrivedAt,
  }
end

-- By numbers: in which joins they stand in for jobs of other homes, and for whom they do so in turn.
function M.stand_ins(seqs)
  local rows = {}
  U.job.load(seqs)
  for _, seq in ipairs(seqs) do
    local job = U.job.by_seq(seq)
    if job then rows[#rows + 1] = { seq = seq, id = job.id, joins = joins_of(job), reports = job.reports } end
  end
  return rows
end
`,
);

/** As the script tells it: an empty list of Lua is an object, a fence is a text, and instants are not yet written as people read them. */
export type ToldJobRow = Omit<JobRow, "history" | "claim"> & {
  readonly history: JobRow["history"] | object;
  readonly claim?: Omit<NonNullable<JobRow["claim"]>, "fence"> & { readonly fence: string };
};

/** What a home that is one of several tells besides. reports: which stand-ins are told of its end, by home and number. */
export type ToldByOne = ToldJobRow & {
  readonly isStandIn?: true;
  readonly standsFor?: string;
  readonly reports?: readonly { readonly home: number; readonly seq: number }[];
  readonly arrivedAt?: Instant;
};

export function jobRowOf({ history, claim, waits, ...row }: ToldJobRow): JobRow {
  return {
    ...row,
    history: Array.isArray(history) ? (history as JobRow["history"]) : [],
    ...(waits && { waits: row.state === "scheduled" ? { ...waits, on: new Date(row.dueAt).toISOString() } : waits }),
    ...(claim && { claim: { ...claim, fence: Number(claim.fence) } }),
  };
}
