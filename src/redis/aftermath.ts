/** The end of every verb: what it let happen happens, in bounded passes; the rest is left to tidy. */
import { tidyMax } from "../core/defaults.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** One that comes after 500 costs the server some 7 ms to be let go: as much as so many looks. */
const aftersPerLook = 50;

/** What was done, counted; each has a limit of its own. */
export const aftermathFragment: Fragment = fragment(
  "aftermath",
  String.raw`
local tidyMax, aftersPerLook = ${tidyMax}, ${aftersPerLook}

-- Most verbs let nothing happen: that is seen without the modules which would do it.
local function has_looks()
  return U.meta.get('looks') + U.meta.get('direct') > 0
end

local function is_quiet()
  return S.meta.marks == 0 and rawget(U, 'marks') == nil and not has_looks()
end

local function has_held(done, limit)
  return (done.closed < limit and U.marks.size('toClose') > 0) or (done.looked < limit and has_looks())
    or (done.dropped < limit and U.marks.size('toEnd') > 0) or (done.released < limit and U.marks.size('toRelease') > 0)
end

local function has_work(done, limit)
  return has_held(done, limit) or (done.admitted < limit and U.marks.size('toAdmit') > 0) or (done.given < limit and U.marks.size('limits.marked') > 0)
end

-- What can close is closed before anything that may come after it is looked at.
local function close_and_look(done, limit)
  while true do
    if U.marks.size('toClose') > 0 then done.closed = done.closed + U.joinPasses.close_joins(limit - done.closed) end
    local held = done.looked < limit and has_looks() and U.afters.take()
    if not held then return end
    -- Each of those that it comes after is read, and left.
    done.looked = done.looked + 1 + math.floor(#(held.after or {}) / aftersPerLook)
    if held.kind == 'join' then U.joinPasses.look_at_join(held)
    elseif U.letGo.look_at_job(held) == 'dropped' then done.dropped = done.dropped + 1 end
  end
end

-- Goes round until nothing is left to do, since each ending may let others go.
function M.run(limit)
  limit = limit or tidyMax
  local done = { closed = 0, looked = 0, dropped = 0, released = 0, admitted = 0, given = 0 }
  if is_quiet() then return done end
  while has_work(done, limit) do
    -- All are let go before lanes admit: in its lane each stands by its order of enqueue among them.
    while has_held(done, limit) do
      close_and_look(done, limit)
      if U.marks.size('toEnd') > 0 then done.dropped = done.dropped + U.joinPasses.end_members(limit - done.dropped) end
      if U.marks.size('toRelease') > 0 then done.released = done.released + U.joinPasses.release_members(limit - done.released) end
    end
    if U.marks.size('toAdmit') > 0 then done.admitted = done.admitted + U.lanePasses.admit_next(limit - done.admitted) end
    if U.marks.size('limits.marked') > 0 then done.given = done.given + U.limitPasses.give_room(limit - done.given) end
  end
  return done
end
`,
);
