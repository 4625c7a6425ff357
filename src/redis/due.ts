/** What the passing of time does: scheduled jobs come due, and jobs that were not started in time are skipped. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const dueFragment: Fragment = fragment(
  "due",
  String.raw`
-- Answers how many came due.
function M.promote(limit, places)
  return U.scheduled.promote(limit, places)
end

-- Answers how many were skipped.
function M.skip_late_ones(limit)
  local late = call('ZRANGEBYSCORE', K .. ':late', '-inf', '(' .. string.format('%.17g', S.now), 'LIMIT', 0, limit)
  if #late == 0 then return 0 end
  for i, seq in ipairs(late) do late[i] = tonumber(seq) end
  U.job.load(late)
  for _, seq in ipairs(late) do U.life.skip_late(U.job.by_seq(seq)) end
  return #late
end
`,
);
