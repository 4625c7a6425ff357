/** A join with those within it. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const joinTreeFragment: Fragment = fragment(
  "joinTree",
  String.raw`
local readMost = 100

-- In the order of storing.
local function tree_of(id)
  local root = U.joins.find(id)
  local found, at = { root }, 1
  while found[at] do
    for _, seq in ipairs(call('ZRANGE', U.joins.key_of('jc', found[at]), 0, -1)) do found[#found + 1] = U.joins.by_seq(seq) end
    at = at + 1
  end
  table.sort(found, function(a, b) return a.seq < b.seq end)
  return found
end

-- Its own first.
function M.ids_of(id)
  local ids = {}
  for at, join in ipairs(tree_of(id)) do ids[at] = join.id end
  return ids
end

-- They take no members any more, and let none go.
function M.cancel_joins(id, reason)
  for _, join in ipairs(tree_of(id)) do
    if join.state ~= 'closed' and join.cancelled == nil then
      join.cancelled = reason
      U.joins.save(join)
      U.joins.unstage(join)
      U.marks.remove('toRelease', join.seq)
      if join.live == 0 then U.marks.add('toClose', join.seq) end
    end
  end
end

-- Members that the caller did not come to are cancelled by tidy, also those that are parked when their join has closed.
function M.leave_to_cancel(id, hasMore)
  for _, join in ipairs(tree_of(id)) do
    if not hasMore or join.cancelled == nil then
      U.marks.remove('toCancel', join.seq)
    else
      join.endedTo, join.adoptedTo = 0, nil
      U.joins.save(join)
      U.marks.add('toCancel', join.seq)
    end
  end
end

-- Numbers in an ordered set, beyond one of them: a function that answers one after the other, read some at a time. Joins among the members are left out.
local function numbers_in(key, from, isNewestFirst)
  local texts, at = {}, 0
  local verb, last = 'ZRANGEBYSCORE', '+inf'
  if isNewestFirst then verb, last = 'ZREVRANGEBYSCORE', '-inf' end
  return function()
    while true do
      if at == #texts then
        texts, at = call(verb, key, from == math.huge and '+inf' or '(' .. from, last, 'LIMIT', 0, readMost), 0
        if #texts == 0 then return nil end
        from = U.afters.seq_of(texts[#texts])
        U.joins.load_jobs(texts)
      end
      at = at + 1
      local seq = tonumber(texts[at])
      if seq then return seq end
    end
  end
end

-- Its jobs in the order of enqueue, beyond that number: a function that answers one after the other.
function M.members_in_order(join, from, isNewestFirst)
  from = from or (isNewestFirst and math.huge or 0)
  local next_own = numbers_in(U.joins.key_of('jo', join), from, isNewestFirst)
  local next_adopted = numbers_in(U.joins.key_of('ja', join), from, isNewestFirst)
  local own, adopted = next_own(), next_adopted()
  return function()
    if own == nil and adopted == nil then return nil end
    local isOwn = adopted == nil or (own ~= nil and (own < adopted) == not isNewestFirst)
    local seq = isOwn and own or adopted
    if isOwn then own = next_own() else adopted = next_adopted() end
    return U.job.by_seq(seq)
  end
end

-- Join by join in the order of storing, the members of each in theirs, a member of several once: a function that answers one after the other, with the number of
-- the join. from: the number of a join and of a member, behind which it goes on.
function M.members_of(id, from)
  local tree, isEarlier, at = tree_of(id), {}, 0
  local next_member = function() return nil end
  local function begin_next()
    if tree[at] then isEarlier[tree[at].seq] = true end
    at = at + 1
    if tree[at] and not (from and tree[at].seq < from.join) then
      next_member = M.members_in_order(tree[at], from and tree[at].seq == from.join and from.seq or nil)
    end
  end
  local function is_seen(job)
    for _, seq in ipairs(job.joins) do
      if isEarlier[seq] then return true end
    end
    return false
  end
  return function()
    repeat
      local job = next_member()
      if job == nil then begin_next() elseif not is_seen(job) then return job, tree[at].seq end
    until tree[at] == nil
  end
end
`,
);
