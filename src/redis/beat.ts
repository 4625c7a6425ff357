/** Renews all that a process holds, in one write, and tells it what it must know. */
import { fragment, script } from "./fragment.ts";
import type { Fragment, Main } from "./fragment.ts";

export const beatFragment: Fragment = fragment(
  "beat",
  String.raw`
local cancelledMax = 1000

local function is_holding(process)
  return U.processes.has_running(process) or U.locks.has_ticket_of(process.id)
end

-- For a process that holds nothing it writes nothing.
function M.beat(id, leaseMs)
  local process = U.processes.find(id)
  local isLost = process ~= nil and process.isLost == true
  local isKept = process ~= nil and not isLost
  if isKept and is_holding(process) then U.processes.lease_until(process, S.now + leaseMs) end
  return {
    now = S.now,
    isLost = isLost,
    cancelled = isKept and U.processes.cancelling(process, cancelledMax) or {},
    notesVersion = U.notes.version(),
    era = U.era.is(),
  }
end
`,
);

export const beatScript: Main = script(
  "beat",
  String.raw`
local request = cjson.decode(ARGV[2])
return finish(U.beat.beat(request.process, request.leaseMs))
`,
);
