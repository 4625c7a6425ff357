/** A job is handed out: it runs, under the lease of its process. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** hands: process, leaseMs, claim, fence, isAlone. */
export const startFragment: Fragment = fragment(
  "start",
  String.raw`
local function filled(map)
  if map == nil or next(map) == nil then return nil end
  return map
end

function M.start(job, hands, terms, isFollower)
  U.processes.of(hands.process, hands.leaseMs)
  U.job.touch(job)
  job.lease = {
    process = hands.process, claim = hands.claim, fence = hands.fence, startedAt = S.now,
    isAlone = hands.isAlone or nil, isFollower = isFollower or nil, gates = terms and filled(terms.gates), needs = terms and filled(terms.needs),
  }
  U.store.move(job, 'running')
  job.starts = job.starts + 1
end

-- A gated job takes a slot, and is never held ahead.
function M.is_gated(terms)
  return terms ~= nil and (filled(terms.gates) ~= nil or filled(terms.needs) ~= nil)
end
`,
);
