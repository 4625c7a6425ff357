/** What is asked of a job in many places: whether it is late, was tried, or goes before another. */
import { attemptsRecordedMax } from "../core/defaults.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const jobRulesFragment: Fragment = fragment(
  "jobRules",
  String.raw`
local attemptsRecordedMax = ${attemptsRecordedMax}

-- The smallest urgency goes first, then the first enqueued (G8).
function M.by_urgency(a, b)
  if a.urgency ~= b.urgency then return a.urgency < b.urgency end
  return a.seq < b.seq
end

-- It never started, and may not any more.
function M.is_late(job)
  return job.startBy ~= nil and job.startBy < S.now and job.starts == 0
end

-- An outcome has counted as an attempt.
function M.was_tried(job)
  return job.attempts > 0
end

-- The job is touched already.
function M.remember(job, row)
  local history = job.history or {}
  history[#history + 1] = row
  if #history > attemptsRecordedMax then table.remove(history, 1) end
  job.history = history
end
`,
);
