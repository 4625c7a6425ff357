/**
 * Limits and resources over all keys, in a store of several homes (G9): what this home may use of each. Its lending home (lender.ts) counts what all of them were lent,
 * and what is in use anywhere was lent before, so that no two homes ever use the same.
 *
 * All that they tell each other is mail: it is written in the atom that changes what one of them has, and taken once, in order. So what was lent is always what the
 * borrower has and what is under way, whoever carries it, however late; a client that crashes between two steps leaves mail, and others carry it. Therefore a claim
 * asks by mail too, and the lending home remembers who asked: what comes back later goes to him without another question.
 */
import { limitPrefix, resourcePrefix } from "../core/notes.ts";
import { fragment, script } from "./fragment.ts";
import type { Fragment, Main } from "./fragment.ts";

/** So long a home that others wait for goes on with what it was lent, and so long it keeps what it has not used yet: else two that both lack it hand it to and fro. */
const turnMs = 100;
/** Who waits is known there, and told. That he asks again is for what nobody foresaw. */
const askAgainMs = 1_000;

/**
 * An account: "r", "s" or "u" (a limit of what runs, one of starts, a resource), and the name. A row of kind "allow", by account: n, what this home may use, all told
 * (of starts: how many more); since, when it was lent some last; asked and askedAt, what it waits for; line, for whose jobs it asked last; freeAt, when starts count no longer
 * that keep it waiting; owed, what goes back when it is free, from owedFrom; isWanted, others wait: what is idle goes back. K:owing: accounts with any of these two.
 */
export const loansFragment: Fragment = fragment(
  "loans",
  String.raw`
local turnMs, askAgainMs = ${turnMs}, ${askAgainMs}

function M.parts(account)
  return string.sub(account, 1, 1), string.sub(account, 2)
end

function M.is_lender(account)
  local _, name = M.parts(account)
  return U.route.home_of(name) == S.meta.home
end

local function tell_lender(account, message)
  message.account = account
  local _, name = M.parts(account)
  U.lender.tell(U.route.home_of(name), message)
end

-- What the note says; nil: there is none of that kind.
function M.number(account)
  local kind, name = M.parts(account)
  if kind == 'u' then
    local resource = U.gates.resource(name)
    return resource and resource.capacity
  end
  local limit = U.gates.limit(name)
  return limit and (kind == 'r' and limit.running or kind == 's' and limit.starts or nil)
end

local function find(account)
  return U.rows.get('allow', account)
end

local function of(account)
  local row = find(account)
  if row == nil then
    row = { n = 0, since = 0 }
    U.rows.put('allow', account, row)
  end
  return row
end

local function save(account, row)
  local isOwing = (row.owed or row.isWanted) and true or nil
  if isOwing ~= row.isListed then
    row.isListed = isOwing
    if isOwing then call('ZADD', K .. ':owing', 0, account) else call('ZREM', K .. ':owing', account) end
  end
  if row.n == 0 and not row.asked and not isOwing then U.rows.remove('allow', account) else U.rows.dirty('allow', account) end
end

-- A start is used up at once.
local function in_use(account)
  local kind, name = M.parts(account)
  if kind == 'r' then return U.gates.running(name) end
  return kind == 'u' and U.gates.in_use(name) or 0
end

local function idle(account, row)
  return math.max(0, row.n - in_use(account))
end

function M.has_room(account, amount)
  local row = find(account)
  local lacking = in_use(account) + amount - (row and row.n or 0)
  if lacking <= 0 then return true end
  return M.is_lender(account) and U.lender.borrow(account, lacking)
end

local function give(account, row, amount)
  local isAll = amount >= idle(account, row)
  row.n = row.n - amount
  row.owed = row.owed and row.owed > amount and row.owed - amount or nil
  if row.owed == nil then row.owedFrom = nil end
  if isAll then row.isWanted = nil end
  save(account, row)
  tell_lender(account, { is = 'returned', amount = amount })
end

-- Gives back what others wait for. What has just become free here is idle only where nobody is ready to take it; looked at later, it is idle once it was not taken.
local function pay(account, row, isLook)
  local free = idle(account, row)
  if free == 0 then return end
  local isDone = row.line == nil or U.line.counted(row.line, 'ready') == 0
  local back = 0
  if row.owed and (isDone or S.now >= row.owedFrom) then back = math.min(free, row.owed) end
  if row.isWanted and (isDone or (isLook and S.now >= row.since + turnMs)) then back = free end
  if back > 0 then give(account, row, back) end
end

-- Something that was in use is not any longer.
function M.freed(account)
  local row = find(account)
  if row and (row.owed or row.isWanted) then pay(account, row, false) end
end

-- What nobody came for in its turn.
function M.tidy()
  for _, account in ipairs(call('ZRANGE', K .. ':owing', 0, -1)) do
    local row = find(account)
    if row then pay(account, row, true) end
  end
end

local function open()
  S.loans = S.loans or { asks = {}, used = {}, wants = {} }
  return S.loans
end

-- One that is handed out starts under it.
function M.start(name)
  local account = 's' .. name
  local row = of(account)
  row.n = row.n - 1
  save(account, row)
  local used = open().used
  used[account] = (used[account] or 0) + 1
end

-- So many jobs of a line were passed over for it, each of which needs so much.
local function ask(account, amount, count, line)
  local number = M.number(account)
  if number == nil or amount > number then return end
  local asks = open().asks
  local known = asks[account]
  local wanted = (known and known.amount or 0) + amount * count
  asks[account] = { amount = math.min(number, wanted), one = known and math.min(known.one, amount) or amount, line = line }
end

-- What jobs under these terms lack. In the order of names one after another: two homes that each had what the other lacks would wait for each other, or change what they
-- have for ever; so what comes behind the first that is lacking is not kept for it.
function M.lack(needs, count, line)
  local isLacking = false
  for _, need in ipairs(needs) do
    if isLacking then
      local row = find(need.account)
      if row and row.since > 0 then
        row.since = 0
        save(need.account, row)
      end
    elseif not M.has_room(need.account, need.amount) then
      isLacking = true
      ask(need.account, need.amount, count, line)
    end
  end
end

local function send_ask(account, asked)
  local row = of(account)
  -- Pieces too small for one job would lie here for ever while others lack them: all that is free comes together where it is lent.
  local pieces = idle(account, row)
  if pieces > 0 then give(account, row, pieces) end
  local isNews = row.asked == nil or row.asked < asked.amount or S.now >= row.askedAt + askAgainMs or (row.freeAt and S.now >= row.freeAt)
  if isNews then
    U.rows.put('allow', account, row)
    row.asked, row.askedAt, row.line, row.freeAt = asked.amount, S.now, asked.line, nil
    save(account, row)
    local _, name = M.parts(account)
    S.loans.wants[name] = asked.amount
    tell_lender(account, { is = 'want', amount = asked.amount, one = asked.one })
  end
end

-- When all is handed out: what was used is told before more is asked for. Answers by name what was asked for.
function M.close()
  for account, amount in pairs(S.loans.used) do tell_lender(account, { is = 'used', amount = amount }) end
  for account, asked in pairs(S.loans.asks) do send_ask(account, asked) end
  S.loans.used, S.loans.asks = {}, {}
  return next(S.loans.wants) and S.loans.wants or nil
end

-- When a limit of starts has room again that jobs here wait for.
function M.free_at(name)
  local row = find('s' .. name)
  return row and row.asked and row.freeAt
end

function M.take_lend(message)
  local row = of(message.account)
  row.n, row.since = row.n + message.amount, S.now
  row.asked = row.asked and row.asked > message.amount and row.asked - message.amount or nil
  save(message.account, row)
  S.isLent = true
  U.store.wake()
end

-- By this home's own clock.
function M.take_later(message)
  local row = find(message.account)
  if row == nil or row.asked == nil then return end
  row.freeAt = S.now + message.inMs
  save(message.account, row)
  S.isLent = true
end

-- Takes any mail of loans; what was sent in an earlier era is void, but what happened has happened. Answers whether a claim here may fare better now.
function M.take(message, from, era)
  if era ~= U.meta.get('number') then
    if message.is == 'used' then U.lender.record(message) end
    return nil
  end
  S.isLent = false
  U.lender.take(message, from)
  return S.isLent and { is = 'lent', home = S.meta.home } or nil
end

-- isHard: there is less of it than is lent out. Then nothing that is here is used again.
function M.take_recall(message)
  local account = message.account
  local row = find(account)
  if row == nil or row.n == 0 then return end
  if message.isHard then row.owed, row.owedFrom, row.since = row.n, 0, 0
  elseif message.owe > 0 then
    row.owed = math.min(row.n, (row.owed or 0) + message.owe)
    row.owedFrom = row.owedFrom or row.since + turnMs
  end
  row.isWanted = true
  save(account, row)
  pay(account, row, true)
end

local function account_of(key, text)
  local note = text and cjson.decode(text)
  if note == nil then return nil end
  if U.notes.is_starting_with(key, '${resourcePrefix}') then return 'u' .. string.sub(key, ${resourcePrefix.length + 1}) end
  return (note.running and 'r' or 's') .. string.sub(key, ${limitPrefix.length + 1})
end

-- It was asked for under another number.
local function forget_ask(account)
  local row = find(account)
  if row == nil or row.asked == nil then return end
  row.asked, row.askedAt, row.freeAt = nil, nil, nil
  save(account, row)
end

-- What runs already counts: it is as if it had been lent, and the lending home lends nothing before it has heard that of all, and what they sent before.
local function begin(account)
  if M.is_lender(account) then U.lender.begin(account) end
  local used, row = in_use(account), find(account)
  local more = math.max(0, used - (row and row.n or 0))
  if more > 0 then
    row = of(account)
    row.n = row.n + more
    save(account, row)
  end
  tell_lender(account, { is = 'told', amount = more })
end

function M.is_of(key)
  return U.notes.is_starting_with(key, '${limitPrefix}') or U.notes.is_starting_with(key, '${resourcePrefix}')
end

-- A note was written or removed: what it said before, and what it says.
function M.noted(key, old, value)
  local before, after = account_of(key, old), account_of(key, value)
  for _, account in ipairs({ before or after, after or before }) do forget_ask(account) end
  if before and before ~= after and M.is_lender(before) then U.lender.forget_wants(before) end
  if after and before ~= after then begin(after)
  elseif after and M.is_lender(after) then U.lender.settle(after) end
end

-- A new era of all homes: what was lent is void, as if all notes were new.
function M.begin_anew()
  for _, kind in ipairs({ 'allow', 'lent' }) do
    for _, account in ipairs(call('HKEYS', K .. ':' .. kind)) do U.rows.remove(kind, account) end
  end
  for _, account in ipairs(call('ZRANGE', K .. ':owing', 0, -1)) do call('ZREM', K .. ':owing', account) end
  for _, prefix in ipairs({ '${limitPrefix}', '${resourcePrefix}' }) do
    local last
    repeat
      local some = U.notes.starting_with(prefix, last, 1000)
      for _, note in ipairs(some) do begin(account_of(note.key, note.value)) end
      last = some[1] and some[#some].key
    until #some < 1000
  end
end
`,
);

/** For jobs that are to run from their start: asks for what so many of them lack under these terms. */
export const borrowScript: Main = script(
  "borrow",
  String.raw`
local asked = cjson.decode(ARGV[2])
U.gates.lack(asked.terms, asked.count)
if S.loans then U.loans.close() end
return finish({})
`,
);

/** What mail of loans is called: message.is. */
export const loanKinds: readonly string[] = ["want", "lend", "later", "recall", "returned", "used", "told"];
