/** What history keeps, and for how long (G19). */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const retentionFragment: Fragment = fragment(
  "retention",
  String.raw`
-- Removes ended jobs, old events, joins that nothing needs, joins whose storing was given up, and ended windows of unique keys, so many of each.
-- Answers how many jobs, events and joins, and whether some of them reached the limit.
function M.purge(limit)
  local purged, hasMore = 0, U.joinPasses.retain_members(limit) >= limit
  for _, purge in ipairs({ U.joinPasses.remove_staged, U.ended.purge, U.joinRetention.purge, U.events.purge }) do
    local count = purge(limit)
    purged, hasMore = purged + count, hasMore or count >= limit
  end
  U.uniques.purge(limit)
  U.gates.purge()
  return { purged = purged, hasMore = hasMore }
end
`,
);
