/** What an ending means for those that come after it, judged and told as in core/joining.ts. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const joiningFragment: Fragment = fragment(
  "joining",
  String.raw`
-- What an ending does to one that asked for that: nothing any more, or it ends so.
function M.answer_to(when, ended)
  if when == 'ended' or when == ended then return 'met' end
  return when == 'well' and 'cancelled' or 'skipped'
end

function M.unmet_reason(answer, what)
  if answer == 'cancelled' then return 'not started: it comes after ' .. what end
  return 'not needed: it was for the failure of ' .. what
end

function M.job_before(id, state)
  return 'job ' .. id .. ', which is ' .. state
end

function M.join_before(name, id, ended)
  return name .. ' ' .. id .. ', which ' .. (ended == 'well' and 'succeeded' or 'failed')
end
`,
);
