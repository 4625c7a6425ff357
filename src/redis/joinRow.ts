/** Joins as `find` answers them. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const joinRowFragment: Fragment = fragment(
  "joinRow",
  String.raw`
local function join_row(join)
  local parent = U.joins.parent_of(join)
  local after = {}
  for at, before in ipairs(join.after or {}) do after[at] = { id = before.id, when = before.when } end
  return {
    id = join.id,
    name = join.name,
    state = join.state,
    isCancelled = join.cancelled ~= nil,
    members = join.live + join.succeeded + join.failed,
    live = join.live,
    succeeded = join.succeeded,
    failed = join.failed,
    storedAt = join.storedAt,
    closedAt = join.closedAt,
    join = parent and parent.id,
    after = #after > 0 and after or nil,
  }
end
M.join_row = join_row

-- By order of storing; unknown ids are left out.
function M.joins_by_ids(ids)
  local found, isFound, rows = {}, {}, {}
  for _, id in ipairs(ids) do
    local join = not isFound[id] and U.joins.find(id)
    if join then
      isFound[id] = true
      found[#found + 1] = join
    end
  end
  table.sort(found, function(a, b) return a.seq < b.seq end)
  for at, join in ipairs(found) do rows[at] = join_row(join) end
  return rows
end

-- Those within a join, or within none: a list of { place, row }, at most so many.
function M.joins_within(query, limit)
  local key = K .. ':jorder'
  if query.parent then
    local parent = U.joins.find(query.parent)
    if parent == nil then return {} end
    key = U.joins.key_of('jc', parent)
  end
  local seqs
  if query.newestFirst then
    seqs = call('ZREVRANGEBYSCORE', key, query.after and '(' .. query.after or '+inf', '-inf', 'LIMIT', 0, limit)
  else
    seqs = call('ZRANGEBYSCORE', key, '(' .. (query.after or 0), '+inf', 'LIMIT', 0, limit)
  end
  local rows = {}
  for at, seq in ipairs(seqs) do rows[at] = { seq, join_row(U.joins.by_seq(seq)) } end
  return rows
end
`,
);
