/** Writes outcomes; each stands or falls alone, with its follow-up work. */
import { fragment, script } from "./fragment.ts";
import type { Fragment, Main } from "./fragment.ts";

/** An outcome whose follow-up work no engine takes, whatever it has stored, carries why in `refused`. */
export const settleFragment: Fragment = fragment(
  "settle",
  String.raw`
-- Attempts are outcomes: a crash, a snooze and a release are none.
local spending = { completed = true, skipped = true, dead = true, retry = true }
local following = { completed = true, skipped = true, retry = true, snoozed = true }

-- It runs under the claim and the fence that the outcome names (G3). An expired lease that nobody took may still settle.
local function is_held(job, outcome)
  local lease = job.lease
  return lease ~= nil and lease.claim == outcome.claim and lease.fence == outcome.fence
end

local function follow_refusal(outcome, follow)
  if follow == nil or #follow == 0 then return nil end
  if not following[outcome.is] then
    return { refusal = 'option-invalid', message = 'an outcome that is ' .. outcome.is .. ' has no follow-up work; settle job ' .. outcome.id .. ' without' }
  end
  return outcome.refused or U.enqueue.refusal_of({ works = follow })
end

local function delay(job, outcome, is)
  U.jobRules.remember(job, U.life.attempt_row(job, is, outcome))
  job.dueAt = S.now + (outcome.delayMs or 0)
  job.delayedBy = is == 'retry' and 'retry' or 'snooze'
  if job.asMember then U.standIn.space(job) end
  U.life.wait(job)
end

local function apply(job, outcome)
  local is = outcome.is
  if is == 'completed' then
    job.result = outcome.result
    U.life.end_as(job, 'completed', {})
  elseif is == 'skipped' then U.life.end_as(job, 'skipped', outcome)
  elseif is == 'dead' then U.life.die(job, outcome)
  elseif is == 'retry' or is == 'snoozed' then delay(job, outcome, is)
  elseif is == 'released' then
    job.starts = job.starts - 1
    if job.lease.starts then U.limits.take_back(job.lease.starts) end
    U.life.wait(job)
  end
end

local function settle_one(job, outcome)
  local is = outcome.is
  local isCancelled = job.lease.isCancelling and is ~= 'saved'
  local follow = not isCancelled and outcome.follow or nil
  local refusal = follow_refusal(outcome, follow)
  if refusal then return 'refused', refusal end
  U.job.touch(job)
  if outcome.checkpoint ~= nil then job.checkpoint = outcome.checkpoint end
  if isCancelled or (is ~= 'released' and is ~= 'saved') then job.suspects, job.deathsAlone = 0, 0 end
  if spending[is] then job.attempts = job.attempts + 1 end
  if isCancelled then U.life.end_as(job, 'cancelled', { reason = job.reason, error = outcome.error, ranMs = outcome.ranMs })
  else apply(job, outcome) end
  if follow and #follow > 0 then
    -- Other homes may hear of the end later than of these.
    if S.meta.homes > 1 and U.store.is_ended_state[job.state] then
      for _, work in ipairs(follow) do work.ends = job.id end
    end
    U.enqueue.accept_works(follow, 'run')
  end
  return isCancelled and 'cancelled' or 'settled'
end

-- Of each answer, while what follows from the outcomes happens.
local jobs = {}

-- Leaves what the endings let happen to the caller. Answers what became of each.
function M.settle_each(outcomes)
  local settled = {}
  if #outcomes > 1 then U.prefetch.outcomes(outcomes) end
  for i, outcome in ipairs(outcomes) do
    S.near = string.format('%.0f', outcome.fence)
    local job = U.job.by_id(outcome.id)
    local answer = { id = outcome.id, is = 'lease-lost' }
    if job and is_held(job, outcome) then answer.is, answer.error = settle_one(job, outcome) end
    settled[i], jobs[answer] = answer, job
  end
  return settled
end

-- Their states when all that follows from the outcomes has happened.
function M.with_states(settled)
  for _, answer in ipairs(settled) do
    local job = jobs[answer]
    if job then answer.state = job.state end
  end
  return settled
end
`,
);

export const settleScript: Main = script(
  "settle",
  String.raw`
local settled = U.outcomes.settle(cjson.decode(ARGV[2]))
U.aftermath.run()
return finish(U.settle.with_states(settled))
`,
);
