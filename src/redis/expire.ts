/** Takes back what expired processes held: their jobs run again, as suspects (G13), and their locks are free. */
import { deathsAloneMax } from "../core/defaults.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** How long a lost process is known, so that it hears of it also when it was away for long. */
const lostKeptMs = 24 * 60 * 60 * 1_000;

export const expireFragment: Fragment = fragment(
  "expire",
  String.raw`
-- A crash costs no attempt, but a suspicion. One that dies alone again and again is the culprit.
local function take_back(job)
  U.job.touch(job)
  if job.lease.isCancelling then
    U.life.end_as(job, "cancelled", { reason = job.reason })
    return "cancelled"
  end
  job.suspects = job.suspects + 1
  if job.lease.isAlone then job.deathsAlone = job.deathsAlone + 1 end
  if job.deathsAlone >= ${deathsAloneMax} then
    U.life.die(job, { reason = "quarantined: its process died " .. job.deathsAlone .. " times while it ran alone", isPoison = true })
    return "quarantined"
  end
  U.jobRules.remember(job, U.life.attempt_row(job, "crashed", { reason = "its process was gone" }))
  if job.asMember then U.standIn.space(job) end
  U.life.wait(job)
  return "ready"
end

local function take_back_all(process, limit, expired)
  local seqs = U.processes.running(process, limit - expired.takenBack)
  U.job.load(seqs)
  for _, seq in ipairs(seqs) do
    if take_back(U.job.by_seq(seq)) == "quarantined" then expired.quarantined = expired.quarantined + 1 end
    expired.takenBack = expired.takenBack + 1
  end
end

-- Answers whether it held anything.
local function lose(process)
  local tickets = U.locks.drop_all_of(process.id)
  if tickets > 0 then U.store.wake() end
  if tickets == 0 and not U.processes.has_running(process) then
    U.processes.forget(process)
    return false
  end
  process.isLost = true
  U.rows.dirty("process", process.id)
  return true
end

-- Takes back so many jobs at most, of processes whose lease ended by then.
function M.expire(limit, leases_until)
  local expired = { takenBack = 0, quarantined = 0, hasMore = false }
  local ids = U.processes.expired(limit, leases_until)
  for _, id in ipairs(ids) do
    local process = U.processes.find(id)
    if lose(process) then
      if expired.takenBack < limit then take_back_all(process, limit, expired) end
      expired.hasMore = U.processes.has_running(process)
      if expired.hasMore then break end
      U.processes.lease_until(process, S.now + ${lostKeptMs})
    end
  end
  expired.hasMore = expired.hasMore or #ids == limit
  return expired
end
`,
);
