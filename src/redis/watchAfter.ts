/** A join that comes after what is in another home: what watches that for it there. Only where a store has several homes. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/**
 * A join stays in its home. What it comes after elsewhere is watched by a job that nobody sees or claims: it goes there like any other (standIn.ts), is held by
 * that alone, and ends when that has ended as asked, completed, or otherwise, as the join in its place would. Its stand-in is what the join comes after. */
export const watchFragment: Fragment = fragment(
  "watch",
  String.raw`
local keep = { completed = 0, skipped = 0, cancelled = 0, dead = 0 }

-- by: the id of the join. Answers what stands among its predecessors.
function M.begin(before, by)
  local job = U.newJob.new_job({
    id = by .. '\31' .. before.id, content = '', rememberMs = 0, task = '', queue = '', payload = '', headStartMs = 0, keep = keep,
    onward = { after = { before }, isWatch = true, winner = before.id },
  }, S.now)
  job.state = 'blocked'
  U.store.add(job)
  U.standIn.away(job)
  return { id = before.id, when = before.when, held = job.seq, kind = 'job', isWatch = true }
end

-- A new one, where it watches: not seen from the beginning.
function M.take(job)
  job.awayTo = S.meta.home
end

-- It is stored, or nothing holds it any more. It never waits for a worker.
function M.look(job, verdict)
  U.job.hide_id(job)
  if verdict == nil or verdict.is == 'met' then U.life.finish(job, 'completed', {}) end
end

-- Of an ended one: how the join ends; nil: what it watched ended as asked.
function M.fate(before)
  local job = U.job.by_seq(before.held)
  if job == nil or job.state == 'completed' then return nil end
  return { is = job.state, reason = job.reason }
end
`,
);
