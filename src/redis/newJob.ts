/** A job as it is stored first. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const newJobFragment: Fragment = fragment(
  "newJob",
  String.raw`
-- join: the number of its own; after: its predecessors.
function M.new_job(work, dueAt, startBy, join, after)
  local now = S.now
  local keyLimits = work.keyLimits
  if keyLimits and #keyLimits == 0 then keyLimits = nil end
  return {
    kind = 'job', id = work.id, seq = U.meta.next_seq(), line = U.line.of(work.queue, work.task), keep = work.keep,
    enqueuedAt = now, rememberUntil = now + work.rememberMs,
    lane = work.lane, uniqueKey = work.unique and work.unique.key, from = work.from, slotAt = work.slot and work.slot.at,
    keyLimits = keyLimits, join = join, joins = join and { join }, after = after,
    state = dueAt > now and 'scheduled' or 'ready', since = now,
    content = work.content, payload = work.payload, version = work.version, expecting = work.expecting,
    headStartMs = work.headStartMs, urgency = dueAt - work.headStartMs, readyAt = 0,
    dueAt = dueAt, startBy = startBy, delayedBy = 'time',
    attempts = 0, starts = 0, suspects = 0, deathsAlone = 0, purgeAt = 0,
  }
end
`,
);
