/** How many jobs in each (queue, task, state): counters kept with each line, never a walk over jobs. */
import { jobStates } from "../core/states.ts";
import { script } from "./fragment.ts";
import type { Main } from "./fragment.ts";

/** Answers CountRows. Lines count other things too. */
export const countScript: Main = script(
  "count",
  String.raw`
local isState = { ${jobStates.map((state) => `${state} = true`).join(", ")} }
local rows, flat = {}, U.line.counts()
for at = 1, #flat, 2 do
  local number, state = string.match(flat[at], '^(%d+):(.*)$')
  if isState[state] then
    local line = U.line.get(tonumber(number))
    rows[#rows + 1] = { queue = line.queue, task = line.task, state = state, jobs = tonumber(flat[at + 1]) }
  end
end
return finish(rows)
`,
);
