/** A job as it is stored first. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const newJobFragment: Fragment = fragment(
  "newJob",
  String.raw`
local copied = { 'lane', 'from', 'version', 'expecting', 'onward', 'asMember' }

-- join: the number of its own; after: its predecessors.
function M.new_job(work, dueAt, startBy, join, after)
  local now = S.now
  local job = {
    kind = 'job', id = work.id, seq = U.meta.next_seq(), line = U.line.of(work.queue, work.task), keep = work.keep, enqueuedAt = work.enqueuedAt or now,
    rememberUntil = work.rememberUntil or now + work.rememberMs, state = dueAt > now and 'scheduled' or 'ready', since = now, content = work.content, payload = work.payload,
    headStartMs = work.headStartMs, urgency = work.urgency or dueAt - work.headStartMs, readyAt = 0, dueAt = dueAt, delayedBy = 'time',
    attempts = 0, starts = 0, suspects = 0, deathsAlone = 0, purgeAt = 0,
  }
  -- A field without a value would take its place in the table all the same.
  for _, name in ipairs(copied) do
    if work[name] ~= nil then job[name] = work[name] end
  end
  if work.unique then job.uniqueKey = work.unique.key end
  if work.slot then job.slotAt = work.slot.at end
  if work.keyLimits and #work.keyLimits > 0 then job.keyLimits = work.keyLimits end
  if work.report then job.reports, job.arrivedAt = { work.report }, now end
  if join then job.join, job.joins = join, { join } end
  if after then job.after = after end
  if startBy then job.startBy = startBy end
  return job
end
`,
);
