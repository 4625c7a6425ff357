/** A job as it is stored first. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const newJobFragment: Fragment = fragment(
  "newJob",
  String.raw`
-- terms: when it is due and must have started. place: its line, join and predecessors.
function M.new_job(work, terms, place)
  local now, dueAt = S.now, terms.dueAt
  local keyLimits = work.keyLimits
  if keyLimits and #keyLimits == 0 then keyLimits = nil end
  return {
    kind = 'job', id = work.id, seq = place.seq, line = place.line, keep = work.keep,
    enqueuedAt = now, rememberUntil = now + work.rememberMs,
    lane = work.lane, uniqueKey = work.unique and work.unique.key, from = work.from, slotAt = work.slot and work.slot.at,
    keyLimits = keyLimits, join = place.join, joins = place.join and { place.join }, after = place.after,
    state = dueAt > now and 'scheduled' or 'ready', since = now,
    content = work.content, payload = work.payload, version = work.version, expecting = work.expecting,
    headStartMs = work.headStartMs, urgency = dueAt - work.headStartMs, readyAt = 0,
    dueAt = dueAt, startBy = terms.startBy, delayedBy = 'time',
    attempts = 0, starts = 0, suspects = 0, deathsAlone = 0, purgeAt = 0,
  }
end
`,
);
