/** Members of a lane that are handed out behind another of it, so that a lane is not one claim for each job. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const inRowFragment: Fragment = fragment(
  "inRow",
  String.raw`
local function is_following(job, head)
  local isSameKind = job.line == head.line and job.lane ~= nil and job.lane.width == 1 and job.keyLimits == nil and job.onward == nil
  return isSameKind and job.suspects == 0 and job.dueAt <= S.now and not U.jobRules.is_late(job)
end

M.is_following = is_following

local function none() end

-- In their order, each admitted when it is asked for, so that it must be handed out. The row ends at the first that waits for more than the one before it.
function M.followers(head, most)
  local lane = most > 0 and head.lane and head.lane.width == 1 and U.lanes.lane_of(head)
  if not lane or lane.closed or U.lane.is_shared(lane) then return none end
  local last, given, loaded = head, 0, 0
  return function()
    if given >= most then return nil end
    if loaded == 0 then
      local front = U.ordered.front(lane, "blocked", most - given)
      U.job.load(front)
      loaded = #front
    end
    local next = U.lane.behind(lane, last)
    if next == nil or not is_following(next, head) then return nil end
    U.lane.admit(lane, next)
    last, given, loaded = next, given + 1, loaded - 1
    return next
  end
end
`,
);
