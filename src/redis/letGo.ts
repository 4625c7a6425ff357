/** Held jobs: whether one may go on, and what it does then. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const letGoFragment: Fragment = fragment(
  "letGo",
  String.raw`
-- Its own times count from here. In its lane it takes its place among those that wait; who is admitted is seen when all are let go.
local function let_go(job)
  U.job.touch(job)
  local hold = job.hold
  job.hold = nil
  U.afters.leave(job)
  if job.awayTo then
    U.watch.look(job)
    return
  end
  job.dueAt = hold.delayMs and S.now + hold.delayMs or math.max(S.now, job.dueAt)
  job.startBy = job.startBy or (hold.startWithinMs and S.now + hold.startWithinMs)
  if job.lane == nil then
    U.life.wait(job)
    return
  end
  local lane = U.lanes.of(job.lane.key)
  U.store.move(job, U.lane.queue_up(lane, job))
  U.marks.add('toAdmit', lane.key)
end

-- Lets it go if nothing holds it any more, or ends it if that can never be. Answers what became of it.
function M.look_at_job(job)
  if job.hold == nil then return 'held' end
  local verdict = U.afters.judge(job.after)
  if verdict.is == 'unmet' then
    U.life.end_as(job, verdict.fate.is, { reason = verdict.fate.reason })
    return 'dropped'
  end
  if verdict.is == 'open' or job.hold.isByJoin then return 'held' end
  local join = job.join and U.joins.by_seq(job.join)
  if join and join.cancelled then return 'held' end
  let_go(job)
  return 'released'
end
`,
);
