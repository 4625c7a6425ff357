/** What a home has to hand out: by that, those who claim from several homes choose which to ask. */
import type { Instant } from "../core/runtime.ts";
import { fragment, script } from "./fragment.ts";
import type { Fragment, Main } from "./fragment.ts";

/** Of the asked queues and tasks. */
export interface ToldHead {
  readonly now: Instant;
  /** Of the most urgent ready job; of the one that is to run alone. Absent: there is none. */
  readonly urgency?: number;
  readonly alone?: number;
  /** When time alone may make one ready. */
  readonly dueAt?: Instant;
  /** Whoever stores work here tells of it at once: somebody has asked in vain since that was done last. */
  readonly isIdle?: boolean;
}

export const headFragment: Fragment = fragment(
  "head",
  String.raw`
-- out: as choice opens it.
function M.of(out, nextDueMs)
  local head = { now = S.now, dueAt = nextDueMs and S.now + nextDueMs, isIdle = S.meta.idle == 1 or nil }
  for _, open in ipairs(out.lines) do
    local _, urgency = U.ready.first(open.line, 'together')
    if urgency and (head.urgency == nil or urgency < head.urgency) then head.urgency = urgency end
    local isAlone = open.alone + (S.counts[open.line .. ':alone'] or 0) > 0
    local _, alone
    if isAlone then _, alone = U.ready.first(open.line, 'alone') end
    if alone and (head.alone == nil or alone < head.alone) then head.alone = alone end
  end
  return head
end
`,
);

/** Asked as for a claim: queues, tasks, and terms. Answers a head. Writes nothing. */
export const headScript: Main = script(
  "head",
  String.raw`
local asked = cjson.decode(ARGV[2])
local out = U.choice.open(asked, 0)
return finish(U.head.of(out, U.claim.next_due(out)))
`,
);
