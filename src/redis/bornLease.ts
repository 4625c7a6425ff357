/** Jobs that run from the start, for the process that enqueues them. */
import { pausedQueue, pausedTask } from "../core/notes.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const bornLeaseFragment: Fragment = fragment(
  "bornLease",
  String.raw`
local function may_run(job, lease, leased)
  if job.state ~= 'ready' or U.jobRules.is_late(job) then return false end
  local process = U.processes.find(lease.process)
  if process and process.isLost then return false end
  local line = U.line.get(job.line)
  if U.notes.read('${pausedQueue("")}' .. line.queue) or U.notes.read('${pausedTask("")}' .. line.task) then return false end
  local terms = lease.terms
  if terms == nil then return true end
  if terms.most and leased >= terms.most then return false end
  if U.gates.has_room(terms) then return true end
  if S.meta.homes > 1 then U.gates.lack(terms, 1, job.line) end
  return false
end

-- Answers the fences of those that were, by their place in the atom. leased counts them by task, for the whole call.
function M.lease_born(works, accepted, leased)
  local fences
  for i, work in ipairs(works) do
    local lease, job = work.lease, accepted[i].job
    if lease and job and not accepted[i].isDuplicate and may_run(job, lease, leased[work.task] or 0) then
      local fence = U.meta.next_fence(lease.lastFence)
      U.start.start(job, { process = lease.process, leaseMs = lease.leaseMs, claim = lease.claim, fence = fence }, lease.terms, false)
      leased[work.task] = (leased[work.task] or 0) + 1
      fences = fences or {}
      fences[i] = fence
    end
  end
  if S.loans then U.loans.close() end
  return fences
end
`,
);
