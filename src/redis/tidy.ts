/** One bounded pass of housekeeping. Each reason has its own budget of `items`. */
import { script } from "./fragment.ts";
import type { Main } from "./fragment.ts";

export const tidyScript: Main = script(
  "tidy",
  String.raw`
local request = cjson.decode(ARGV[2])
local items = request.items
-- Late ones first, so that none of them asks for room.
U.due.skip_late_ones(items)
local promoted = U.due.promote(items)
local expired = request.mayExpire and U.expire.expire(items, math.min(S.now, request.expireUntil or S.now)) or { takenBack = 0, quarantined = 0, hasMore = false }
local cancelled = U.joinPasses.cancel_members(items)
local windows = U.limits.expire(items)
local sorted = { U.lanePasses.sort_members(items) }
local replayed = U.replay.replay(items)
local purged = U.retention.purge(items)
local done = U.aftermath.run(items)
local hasMore = expired.hasMore or sorted[2] or replayed.hasMore or purged.hasMore or false
local bounded = { promoted, S.skippedLate, cancelled, windows, done.closed, done.looked, done.dropped, done.released, done.admitted, done.given }
for _, count in ipairs(bounded) do hasMore = hasMore or count >= items end
if S.meta.homes > 1 then
  local resent, isTelling = U.standIn.resend(items), U.rebirth.tell_notes()
  hasMore = hasMore or resent >= items or isTelling
  U.loans.tidy()
  U.mail.tell_waiting()
end
return finish({
  now = S.now,
  promoted = promoted,
  skipped = S.skippedLate,
  takenBack = expired.takenBack,
  quarantined = expired.quarantined,
  parked = sorted[1],
  admitted = done.admitted + done.given,
  released = done.released,
  closed = done.closed,
  dropped = done.dropped + cancelled,
  replayed = replayed.replayed,
  purged = purged.purged,
  hasMore = hasMore,
})
`,
);
