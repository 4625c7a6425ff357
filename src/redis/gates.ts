/** Limits and resources over all keys (G9): what runs under each name. The numbers stand in notes, so that people change them at once for all. */
import { limitPrefix, resourcePrefix } from "../core/notes.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/**
 * Rows by name: "gr", how many run; "gu", the amount in use; "starts", everyMs and entries, instants and counts in turn, oldest first: those of one rounded
 * instant are one entry, so that there are never more than 1,001 that count. K:gends: names by when their first entry counts no longer.
 */
export const gatesFragment: Fragment = fragment(
  "gates",
  String.raw`
local stepsPerEvery = 1000

-- What a note says, by its text.
local parsed = {}

local function stored(key)
  local note = U.notes.read(key)
  if note == nil then return nil end
  if parsed[note.value] == nil then parsed[note.value] = cjson.decode(note.value) end
  return parsed[note.value]
end

function M.limit(name) return stored("${limitPrefix}" .. name) end
function M.resource(name) return stored("${resourcePrefix}" .. name) end

function M.running(name)
  local row = U.rows.get("gr", name)
  return row and row.n or 0
end

function M.in_use(name)
  local row = U.rows.get("gu", name)
  return row and row.n or 0
end

local function add(kind, name, by)
  local row = U.rows.get(kind, name)
  if row == nil then
    if by ~= 0 then U.rows.put(kind, name, { n = by }) end
    return
  end
  row.n = row.n + by
  if row.n == 0 then U.rows.remove(kind, name) else U.rows.dirty(kind, name) end
end

local function ends_of(row)
  return row.entries[1] and row.entries[1] + row.everyMs
end

-- Drops entries up to the first that counts. Answers whether there were any.
local function forget(row)
  local first = 1
  while row.entries[first] and row.entries[first] + row.everyMs <= S.now do first = first + 2 end
  if first == 1 then return false end
  row.entries = { unpack(row.entries, first) }
  return true
end

-- By name: what counts within which everyMs, as counted already in this script.
local counted = {}

local function count_of(name, everyMs)
  local known = counted[name]
  if known and known.everyMs == everyMs then return known.used end
  local row, used = U.rows.get("starts", name), 0
  for at = 1, row and #row.entries or 0, 2 do
    if row.entries[at] + everyMs > S.now then used = used + row.entries[at + 1] end
  end
  counted[name] = { everyMs = everyMs, used = used }
  return used
end

-- How many starts count now, and when there is room for one more if there is none.
function M.starts(name, limit)
  local used = count_of(name, limit.everyMs)
  if used < limit.starts then return used end
  local row, left = U.rows.get("starts", name), used
  for at = 1, row and #row.entries or 0, 2 do
    local ends = row.entries[at] + limit.everyMs
    if ends > S.now then
      left = left - row.entries[at + 1]
      if left < limit.starts then return used, ends end
    end
  end
  return used
end

function M.record(name, everyMs, count)
  local step = math.max(1, math.floor(everyMs / stepsPerEvery))
  local at = math.ceil(S.now / step) * step
  local row = U.rows.get("starts", name)
  local endedAt = row and ends_of(row)
  if row == nil then
    row = { entries = {} }
    U.rows.put("starts", name, row)
  end
  row.everyMs = everyMs
  forget(row)
  local size = #row.entries
  if row.entries[size - 1] == at then row.entries[size] = row.entries[size] + count
  else row.entries[size + 1], row.entries[size + 2] = at, count end
  U.rows.dirty("starts", name)
  counted[name] = nil
  if ends_of(row) ~= endedAt then call("ZADD", K .. ":gends", ends_of(row), name) end
end

local function has_room_for(name)
  local limit = M.limit(name)
  if limit == nil then return true end
  if S.meta.homes > 1 then return U.loans.has_room((limit.running and 'r' or 's') .. name, 1) end
  if limit.running then return M.running(name) < limit.running end
  return count_of(name, limit.everyMs) < limit.starts
end

local function has_left(name, amount)
  local resource = M.resource(name)
  if S.meta.homes > 1 and amount > 0 then return resource ~= nil and U.loans.has_room('u' .. name, amount) end
  return M.in_use(name) + amount <= (resource and resource.capacity or 0)
end

-- Whether one more job under these terms may run now.
function M.has_room(terms)
  for _, name in ipairs(terms.gates or {}) do
    if not has_room_for(name) then return false end
  end
  for name, amount in pairs(terms.needs or {}) do
    if not has_left(name, amount) then return false end
  end
  return true
end

-- Of several homes: so many jobs of a line were passed over for want of room.
function M.lack(terms, count, line)
  local needs = {}
  for _, name in ipairs(terms.gates or {}) do
    local limit = M.limit(name)
    if limit then needs[#needs + 1] = { account = (limit.running and 'r' or 's') .. name, amount = 1 } end
  end
  for name, amount in pairs(terms.needs or {}) do needs[#needs + 1] = { account = 'u' .. name, amount = amount } end
  table.sort(needs, function(a, b) return U.notes.is_before(a.account, b.account) end)
  U.loans.lack(needs, count, line)
end

function M.take(lease)
  for _, name in ipairs(lease.gates or {}) do
    add("gr", name, 1)
    local limit = M.limit(name)
    if limit and limit.starts then
      if S.meta.homes > 1 then U.loans.start(name) else M.record(name, limit.everyMs, 1) end
    end
  end
  for name, amount in pairs(lease.needs or {}) do add("gu", name, amount) end
end

-- Its starts go on counting.
function M.give_back(lease)
  for _, name in ipairs(lease.gates or {}) do add("gr", name, -1) end
  for name, amount in pairs(lease.needs or {}) do add("gu", name, -amount) end
  if S.meta.homes == 1 then return end
  for _, name in ipairs(lease.gates or {}) do U.loans.freed('r' .. name) end
  for name in pairs(lease.needs or {}) do U.loans.freed('u' .. name) end
end

-- When a limit of starts that are used up has room again.
function M.free_at(name)
  if S.meta.homes > 1 then return U.loans.free_at(name) end
  local limit = M.limit(name)
  if limit == nil or limit.starts == nil then return nil end
  local _, at = M.starts(name, limit)
  return at
end

-- Forgets starts that count no longer.
function M.purge()
  for _, name in ipairs(call("ZRANGEBYSCORE", K .. ":gends", "-inf", S.now)) do
    local row = U.rows.get("starts", name)
    forget(row)
    if row.entries[1] then
      call("ZADD", K .. ":gends", ends_of(row), name)
      U.rows.dirty("starts", name)
    else
      call("ZREM", K .. ":gends", name)
      U.rows.remove("starts", name)
    end
  end
end
`,
);
