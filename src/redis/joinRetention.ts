/** How long joins are kept (G19): closed ones until their members are gone and nobody who came after them lives. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const joinRetentionFragment: Fragment = fragment(
  "joinRetention",
  String.raw`
-- Answers how many were removed. One that something needs meanwhile comes back when that is gone.
function M.purge(limit)
  local purged = 0
  while purged < limit do
    local join = U.joins.take_forgettable()
    if join == nil then break end
    if U.joins.is_empty(join) and not U.afters.is_named(join) then
      U.store.remove_join(join)
      purged = purged + 1
    end
  end
  return purged
end
`,
);
