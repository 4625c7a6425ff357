/** Processes that hold something: jobs, locks, or a place in a lock's line. One lease covers it all (G3). */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/**
 * A row of kind "process": id, since, leaseUntil; isLost: something was taken back from it, so that whatever it still holds is void, and it gets nothing more.
 * K:leases: all by the end of their lease. K:run:<id>: what it runs; what slim jobs it runs is in claims. K:canc:<id>: what of it is to be cancelled.
 */
export const processesFragment: Fragment = fragment(
  "processes",
  String.raw`
local function run_key(id) return K .. ":run:" .. id end
local function cancelling_key(id) return K .. ":canc:" .. id end

function M.find(id)
  return U.rows.get("process", id)
end

function M.lease_until(process, leaseUntil)
  if process.leaseUntil == leaseUntil then return end
  process.leaseUntil = leaseUntil
  U.rows.dirty("process", process.id)
  call("ZADD", K .. ":leases", leaseUntil, process.id)
end

-- Made if it is missing; its lease lasts at least so long from now.
function M.of(id, leaseMs)
  local process = M.find(id)
  if process == nil then
    process = { id = id, since = S.now, leaseUntil = 0 }
    U.rows.put("process", id, process)
  end
  M.lease_until(process, math.max(process.leaseUntil, S.now + leaseMs))
  return process
end

-- Those whose leases ended, the first one first, at most so many.
function M.expired(limit, leases_until)
  return call("ZRANGEBYSCORE", K .. ":leases", "-inf", leases_until, "LIMIT", 0, limit)
end

function M.forget(process)
  U.rows.remove("process", process.id)
  call("ZREM", K .. ":leases", process.id)
end

function M.has_running(process)
  return call("EXISTS", run_key(process.id)) == 1 or #U.claims.of_process(process.id) > 0
end

function M.running_count(process)
  local count = call("ZCARD", run_key(process.id))
  for _, claim in ipairs(U.claims.of_process(process.id)) do count = count + U.claims.count(claim) end
  return count
end

-- Numbers of jobs that it runs, at most so many.
function M.running(process, limit)
  local seqs = {}
  for _, seq in ipairs(call("ZRANGE", run_key(process.id), 0, limit - 1)) do seqs[#seqs + 1] = tonumber(seq) end
  for _, claim in ipairs(U.claims.of_process(process.id)) do
    if #seqs == limit then break end
    for _, seq in ipairs(U.claims.seqs(claim, limit - #seqs)) do seqs[#seqs + 1] = seq end
  end
  return seqs
end

-- A running job is to be cancelled: its process hears of it.
function M.mark_cancelling(job)
  call("ZADD", cancelling_key(job.lease.process), job.seq, job.seq)
end

function M.unmark(job)
  call("ZREM", cancelling_key(job.lease.process), job.seq)
end

-- Ids of jobs that are to be cancelled, at most so many.
function M.cancelling(process, limit)
  local seqs, ids = call("ZRANGE", cancelling_key(process.id), 0, limit - 1), {}
  for at, seq in ipairs(seqs) do seqs[at] = tonumber(seq) end
  if #seqs > 1 then U.job.load(seqs) end
  for at, seq in ipairs(seqs) do ids[at] = U.job.by_seq(seq).id end
  return ids
end

-- Those that are not lost, by id, behind an id: each as where it stands, and its row.
function M.known_after(after, limit)
  local found = {}
  local ids = call("ZRANGE", K .. ":leases", 0, -1)
  table.sort(ids, U.notes.is_before)
  for _, id in ipairs(ids) do
    if #found == limit then break end
    local process = (after == nil or U.notes.is_before(after, id)) and M.find(id)
    if process and not process.isLost then
      found[#found + 1] = { id, { process = id, leaseUntil = process.leaseUntil, since = process.since, running = M.running_count(process) } }
    end
  end
  return found
end
`,
);
