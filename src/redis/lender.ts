/** Limits and resources over all keys, in a store of several homes (G9): what the home of a name has lent to which. What the others have of it is in loans.ts. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/**
 * A row of kind "lent", by account; maps are by home. lent: what each has or is under way to it or from it; at, when it was lent some last; owed: what it is to give back of
 * what it uses; called: it knows that others wait. wants: who waits, first come first: home, amount, one (what one job needs), later (when it was told to ask again).
 * born, how often the note was begun, and told, how often each home said what it used when it heard of that: until all have, nothing is lent.
 *
 * A start that was lent counts until it is said to be used, and from then on for everyMs: so it counts from before it happens until everyMs after it, however late it is used
 * or told, and never more than so many happen in any everyMs of this home's clock.
 */
export const lenderFragment: Fragment = fragment(
  "lender",
  String.raw`
local function of(account)
  local row = U.rows.get('lent', account)
  if row == nil then
    row = { lent = {}, at = {}, owed = {}, called = {}, wants = {}, born = 0, told = {} }
    U.rows.put('lent', account, row)
  end
  U.rows.dirty('lent', account)
  return row
end

local takers = {
  want = function(message, from) return M.take_want(message, from) end,
  returned = function(message, from) return M.take_returned(message, from) end,
  used = function(message, from) return M.take_used(message, from) end,
  told = function(message, from) return M.take_told(message, from) end,
  lend = function(message) return U.loans.take_lend(message) end,
  recall = function(message) return U.loans.take_recall(message) end,
  later = function(message) return U.loans.take_later(message) end,
}

function M.take(message, from)
  takers[message.is](message, from)
end

-- What it tells itself needs no mail.
function M.tell(home, message)
  if home == S.meta.home then M.take(message, home) else U.mail.send(home, message) end
end

local function sum(map)
  local total = 0
  for _, amount in pairs(map) do total = total + amount end
  return total
end

local function add(map, home, by)
  local key = tostring(home)
  local amount = math.max(0, (map[key] or 0) + by)
  map[key] = amount > 0 and amount or nil
  return amount
end

local function get(map, home)
  return map[tostring(home)] or 0
end

local function has_heard(row)
  for home = 0, S.meta.homes - 1 do
    if get(row.told, home) < row.born then return false end
  end
  return true
end

local function free(account, row, number)
  local kind, name = U.loans.parts(account)
  local left = number - sum(row.lent)
  if kind == 's' then left = left - U.gates.starts(name, U.gates.limit(name)) end
  return left
end

local function lend(account, row, home, amount)
  add(row.lent, home, amount)
  row.at[tostring(home)], row.called[tostring(home)] = S.now, nil
  M.tell(home, { is = 'lend', account = account, amount = amount })
end

-- Of those that have some or wait, each may have so much.
local function share_of(row, number)
  local count = 0
  for home = 0, S.meta.homes - 1 do
    local isWaiting = false
    for _, want in ipairs(row.wants) do isWaiting = isWaiting or want.home == home end
    if isWaiting or get(row.lent, home) > 0 then count = count + 1 end
  end
  return math.floor(number / math.max(1, count))
end

-- What is his before others get more than their share: up to his own, and enough for one job where he has nothing.
local function entitled(row, want, share)
  local has = get(row.lent, want.home)
  return math.min(want.amount, math.max(share - has, has == 0 and want.one or 0))
end

-- First come, first served; who is served, and wants more, goes to the end of the line. He who needs more than there is lets others go first.
local function serve(account, row, number, share)
  local left, waiting, served = free(account, row, number), {}, {}
  for _, want in ipairs(row.wants) do
    local amount = math.floor(math.min(left, share and entitled(row, want, share) or want.amount) / want.one) * want.one
    if amount > 0 then
      left, want.amount = left - amount, want.amount - amount
      lend(account, row, want.home, amount)
    end
    if want.amount >= want.one then table.insert(amount > 0 and served or waiting, want) end
  end
  for _, want in ipairs(served) do waiting[#waiting + 1] = want end
  row.wants = waiting
end

-- By home, who gives back how much of what it uses: first those that have more than their share; then, for one job of each that has nothing, who was lent some longest ago.
local function debts_of(account, row, number, share)
  local debts = {}
  if U.loans.parts(account) == 's' then return debts end
  local demand, needy, isNeedy = -free(account, row, number) - sum(row.owed), 0, {}
  for _, want in ipairs(row.wants) do
    demand = demand + entitled(row, want, share)
    if get(row.lent, want.home) == 0 then
      needy, isNeedy[want.home] = needy + want.one, true
    end
  end
  local payers = {}
  for home = 0, S.meta.homes - 1 do
    local has = get(row.lent, home) - get(row.owed, home)
    if has > 0 and not isNeedy[home] then payers[#payers + 1] = { home = home, has = has, at = get(row.at, home) } end
  end
  local function charge(most, kept)
    for _, payer in ipairs(payers) do
      local owe = math.min(most, payer.has - kept)
      if owe > 0 then
        debts[payer.home], payer.has, most = (debts[payer.home] or 0) + owe, payer.has - owe, most - owe
        demand = demand - owe
      end
    end
  end
  table.sort(payers, function(a, b) return a.has > b.has or (a.has == b.has and a.home < b.home) end)
  charge(demand, share)
  table.sort(payers, function(a, b) return a.at < b.at or (a.at == b.at and a.home < b.home) end)
  charge(math.min(demand, needy), 0)
  return debts
end

local function is_wanted_of(row, home)
  for _, want in ipairs(row.wants) do
    if want.home ~= home then return true end
  end
  return false
end

local function recall(account, row, number, share)
  local debts = debts_of(account, row, number, share)
  for home = 0, S.meta.homes - 1 do
    local owe, key = debts[home] or 0, tostring(home)
    if get(row.lent, home) > 0 and is_wanted_of(row, home) and (owe > 0 or not row.called[key]) then
      add(row.owed, home, owe)
      row.called[key] = true
      M.tell(home, { is = 'recall', account = account, owe = owe })
    end
  end
end

-- There is less than is lent, or in use since before the note: what is free goes back at once, the rest when it is.
local function recall_all(account, row)
  for home = 0, S.meta.homes - 1 do
    local amount = get(row.lent, home)
    if amount > get(row.owed, home) then
      row.owed[tostring(home)], row.called[tostring(home)] = amount, true
      M.tell(home, { is = 'recall', account = account, isHard = true })
    end
  end
end

-- Told as a time to wait, since clocks differ.
local function tell_when(account, row, number)
  local kind, name = U.loans.parts(account)
  if kind ~= 's' then return end
  local limit = U.gates.limit(name)
  local _, at = U.gates.starts(name, { starts = number - sum(row.lent), everyMs = limit.everyMs })
  if at == nil then return end
  for _, want in ipairs(row.wants) do
    if want.later ~= at then
      want.later = at
      M.tell(want.home, { is = 'later', account = account, inMs = at - S.now })
    end
  end
end

-- All that was begun was heard of, and no more: so nothing of it is under way.
local function may_forget(row)
  if #row.wants > 0 or next(row.lent) then return false end
  for home = 0, S.meta.homes - 1 do
    if get(row.told, home) ~= row.born then return false end
  end
  return true
end

local function settle_one(account)
  local row, number = U.rows.get('lent', account), U.loans.number(account)
  if row == nil then return end
  U.rows.dirty('lent', account)
  if number == nil then
    if may_forget(row) then U.rows.remove('lent', account) end
    return
  end
  if free(account, row, number) < 0 then recall_all(account, row) end
  if not has_heard(row) then return end
  local waiting = {}
  for _, want in ipairs(row.wants) do
    if want.one <= number then waiting[#waiting + 1] = want end
  end
  row.wants = waiting
  if #waiting == 0 then return end
  local share = share_of(row, number)
  serve(account, row, number, share)
  serve(account, row, number)
  if #row.wants > 0 then
    recall(account, row, number, share)
    tell_when(account, row, number)
  end
end

local isSettling, unsettled = false, {}

-- What it tells itself may bring some back while it looks.
function M.settle(account)
  unsettled[account] = true
  if isSettling then return end
  isSettling = true
  while next(unsettled) do
    local one = next(unsettled)
    unsettled[one] = nil
    settle_one(one)
  end
  isSettling = false
end

-- For a job that would start here now: what is left when all that waits was looked at, without mail.
function M.borrow(account, amount)
  local number = U.loans.number(account)
  if number == nil then return false end
  local row = of(account)
  if #row.wants > 0 then M.settle(account) end
  if not has_heard(row) or free(account, row, number) < amount then return false end
  lend(account, row, S.meta.home, amount)
  return true
end

function M.take_want(message, from)
  local row = of(message.account)
  local known
  for _, want in ipairs(row.wants) do known = want.home == from and want or known end
  if known == nil then
    known = { home = from }
    row.wants[#row.wants + 1] = known
  end
  known.amount, known.one, known.later = message.amount, message.one, nil
  M.settle(message.account)
end

-- Who gives some back had his turn.
local function go_last(row, home)
  for at, want in ipairs(row.wants) do
    if want.home == home then
      table.remove(row.wants, at)
      row.wants[#row.wants + 1] = want
      return
    end
  end
end

function M.take_returned(message, from)
  local row = of(message.account)
  go_last(row, from)
  local has = add(row.lent, from, -message.amount)
  add(row.owed, from, math.min(has, get(row.owed, from) - message.amount) - get(row.owed, from))
  row.called[tostring(from)] = nil
  M.settle(message.account)
end

function M.record(message)
  local _, name = U.loans.parts(message.account)
  local limit = U.gates.limit(name)
  if limit and limit.starts then U.gates.record(name, limit.everyMs, message.amount) end
end

function M.take_used(message, from)
  add(of(message.account).lent, from, -message.amount)
  M.record(message)
  M.settle(message.account)
end

function M.take_told(message, from)
  local row = of(message.account)
  add(row.lent, from, message.amount)
  add(row.told, from, 1)
  M.settle(message.account)
end

function M.begin(account)
  local row = of(account)
  row.born = row.born + 1
  M.settle(account)
end

-- Its note is gone. Who waited asks again where there is another.
function M.forget_wants(account)
  local row = of(account)
  row.wants = {}
  M.settle(account)
end
`,
);
