/** Locks with fences (G17): one line of tickets for each name. */
import { fragment, script } from "./fragment.ts";
import type { Fragment, Main } from "./fragment.ts";

/**
 * A row of kind "ticket" by name and ticket: name, ticket, mode, process, permits, place, and the fence where it is granted. K:lr:<name> and K:lw:<name>: readers
 * and writers of a line by place; K:tick:<process>: what a process asked for; K:tickets: all by place.
 */
export const lockFragment: Fragment = fragment(
  "locks",
  String.raw`
local function line_key(mode, name) return K .. (mode == "read" and ":lr:" or ":lw:") .. name end
local function of_process(process) return K .. ":tick:" .. process end

local function field_of(name, ticket)
  return #name .. ":" .. name .. ticket
end

-- The new one joins the end of its line.
local function ticket_of(request)
  local field = field_of(request.name, request.ticket)
  local ticket = U.rows.get("ticket", field)
  if ticket then return ticket end
  local place = U.meta.get("places") + 1
  U.meta.set("places", place)
  ticket = { name = request.name, ticket = request.ticket, mode = request.mode, process = request.process, permits = request.permits, place = place }
  U.rows.put("ticket", field, ticket)
  call("ZADD", line_key(request.mode, request.name), place, request.ticket)
  call("ZADD", K .. ":tickets", place, field)
  call("SADD", of_process(request.process), field)
  return ticket
end

-- What a writer in the line named, if not the same: all of a line named one number.
local function other_permits(request)
  local writer = request.mode == "write" and call("ZRANGE", line_key("write", request.name), 0, 0)[1]
  local permits = writer and (U.rows.get("ticket", field_of(request.name, writer)).permits or 1)
  return permits ~= (request.permits or 1) and permits or nil
end

local function refusal_of(request)
  local others = other_permits(request)
  if others then return { refusal = "permits-conflict", name = request.name, asked = request.permits or 1, others = others } end
  local process = U.processes.find(request.process)
  if process and process.isLost then return { refusal = "lease-lost", process = request.process, name = request.name } end
end

-- How many tickets must go before this one is granted. A reader waits for the writers ahead of it; a writer for all, but for all but one of its permits writers.
local function ahead_of(request, place)
  local before = "(" .. place
  local writers = call("ZCOUNT", line_key("write", request.name), "-inf", before)
  if request.mode == "read" then return writers end
  return call("ZCOUNT", line_key("read", request.name), "-inf", before) + math.max(0, writers - (request.permits or 1) + 1)
end

function M.lock(request)
  local refusal = refusal_of(request)
  if refusal then return refusal end
  U.processes.of(request.process, request.leaseMs)
  local ticket = ticket_of(request)
  local ahead = ahead_of(request, ticket.place)
  if ahead > 0 then return { is = "waiting", ahead = ahead, now = S.now } end
  if ticket.fence == nil then
    ticket.fence = U.meta.next_fence(request.lastFence)
    U.rows.dirty("ticket", field_of(request.name, request.ticket))
  end
  return { is = "granted", fence = string.format("%.0f", ticket.fence), now = S.now }
end

local function drop(field)
  local ticket = U.rows.get("ticket", field)
  if ticket == nil then return false end
  U.rows.remove("ticket", field)
  call("ZREM", line_key(ticket.mode, ticket.name), ticket.ticket)
  call("ZREM", K .. ":tickets", field)
  call("SREM", of_process(ticket.process), field)
  return true
end

function M.unlock(name, ticket)
  local had = drop(field_of(name, ticket))
  if had then U.store.wake() end
  return had
end

-- Drops all that a process holds and waits for. Answers how many tickets that were.
function M.drop_all_of(process)
  local fields = call("SMEMBERS", of_process(process))
  for _, field in ipairs(fields) do drop(field) end
  return #fields
end

-- Whether a process holds a lock or waits for one.
function M.has_ticket_of(process)
  return call("EXISTS", of_process(process)) == 1
end

-- Tickets in the order of their asking, behind a place: each as where it stands, and its row.
function M.tickets_after(after, limit)
  local found = {}
  for _, field in ipairs(call("ZRANGEBYSCORE", K .. ":tickets", after and "(" .. after or "-inf", "+inf", "LIMIT", 0, limit)) do
    local ticket = U.rows.get("ticket", field)
    local row = { name = ticket.name, mode = ticket.mode, ticket = ticket.ticket, process = ticket.process }
    row.fence, row.isGranted = string.format("%.0f", ticket.fence or 0), ticket.fence ~= nil
    found[#found + 1] = { tostring(ticket.place), row }
  end
  return found
end
`,
);

export const lockScript: Main = script(
  "lock",
  String.raw`
return finish(U.locks.lock(cjson.decode(ARGV[2])))
`,
);

export const unlockScript: Main = script(
  "unlock",
  String.raw`
local grant = cjson.decode(ARGV[2])
return finish(U.locks.unlock(grant.name, grant.ticket))
`,
);
