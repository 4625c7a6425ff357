/** Works of an atom that is stored again, whose join has ended meanwhile: they would be new now, and are duplicates all the same. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const repeatsFragment: Fragment = fragment(
  "repeats",
  String.raw`
local function has_ended(id)
  local join = U.joins.find(id)
  return join ~= nil and not U.joins.is_taking(join)
end

local function is_stored(work)
  if work.kind == 'job' then return U.job.standing(work.id) ~= nil end
  return U.joins.find(work.id) ~= nil
end

-- By work.
function M.repeats_in(works)
  local isEnded, isRepeat = {}, {}
  for _, work in ipairs(works) do
    if work.kind == 'join' and has_ended(work.id) then isEnded[work.id] = true end
  end
  if next(isEnded) == nil then return isRepeat end
  for _, work in ipairs(works) do
    if work.kind ~= 'event' and work.join and isEnded[work.join] and not is_stored(work) then
      isRepeat[work] = true
      -- What is in a join that would be new is a repeat too.
      if work.kind == 'join' then isEnded[work.id] = true end
    end
  end
  return isRepeat
end
`,
);
