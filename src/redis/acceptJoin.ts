/** Takes one join in, or seals one that is there. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const acceptJoinFragment: Fragment = fragment(
  "acceptJoin",
  String.raw`
local function store_join(work, winners)
  local parent = work.join and U.joins.find(work.join)
  -- It may have closed while this one was on its way.
  if work.isMailed and parent and not U.joins.is_taking(parent) then parent = nil end
  local join = U.joins.new(work, parent, U.accept.resolved(work.after, winners, work.id))
  U.store.add_join(join)
  return join
end

-- What it holds is looked at when the atom is stored: its members may stand behind it there.
local function seal(join)
  U.joins.unstage(join)
  join.isSealed = true
  if join.state == 'staged' then
    join.state = 'waiting'
    U.afters.look_at(join)
  end
  U.joins.save(join)
end

-- Answers whether it was known.
function M.accept_join(work, winners)
  local known = U.joins.find(work.id)
  local join = known or store_join(work, winners)
  U.joins.touch(join)
  if work.isSealed and not join.isSealed then seal(join) end
  return known ~= nil
end
`,
);
