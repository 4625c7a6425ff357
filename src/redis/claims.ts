/** Slim jobs that run: what one claim handed out is one row, with what it still holds. A claim is known by its fence. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const claimsFragment: Fragment = fragment(
  "claims",
  String.raw`
-- spans: first, last and template in turn, ascending; laned: of jobs with a lane, lists of a template, a lane and their numbers.
function M.get(fence)
  return U.rows.get('cl', fence)
end

function M.add(process, claim, fence, spans, laned)
  U.rows.put('cl', fence, { process = process, claim = claim, startedAt = S.now, spans = spans, laned = laned })
  S.near = fence
  call('SADD', K .. ':pc:' .. process, fence)
end

local function save(fence, row)
  if #row.spans > 0 or #row.laned > 0 then
    U.rows.dirty('cl', fence)
    return
  end
  U.rows.remove('cl', fence)
  call('SREM', K .. ':pc:' .. row.process, fence)
end

function M.of_process(process)
  return call('SMEMBERS', K .. ':pc:' .. process)
end

function M.count(fence)
  local count, row = 0, M.get(fence)
  if row == nil then return 0 end
  for at = 1, #row.spans, 3 do count = count + row.spans[at + 1] - row.spans[at] + 1 end
  for _, list in ipairs(row.laned) do count = count + #list - 2 end
  return count
end

-- Numbers of jobs that a claim still holds, at most so many.
function M.seqs(fence, limit)
  local seqs, row = {}, M.get(fence)
  if row == nil then return seqs end
  for at = 1, #row.spans, 3 do
    for seq = row.spans[at], row.spans[at + 1] do
      if #seqs == limit then return seqs end
      seqs[#seqs + 1] = seq
    end
  end
  for _, list in ipairs(row.laned) do
    for at = 3, #list do
      if #seqs == limit then return seqs end
      seqs[#seqs + 1] = list[at]
    end
  end
  return seqs
end

-- Of all claims: the first numbers of their spans, ascending, and whose these are; whose each number with a lane is. Read once in a script, in which claims lose
-- numbers and get none.
local firsts, owners, lanedOwners
local function read_all()
  firsts, owners, lanedOwners = {}, {}, {}
  local fences = call('HKEYS', K .. ':cl')
  U.rows.load('cl', fences)
  for _, fence in ipairs(fences) do
    local row = M.get(fence)
    for at = 1, row and #row.spans or 0, 3 do
      firsts[#firsts + 1] = row.spans[at]
      owners[row.spans[at]] = fence
    end
    for _, list in ipairs(row and row.laned or {}) do
      for at = 3, #list do lanedOwners[list[at]] = fence end
    end
  end
  table.sort(firsts)
end

-- Whose span may hold a number.
local function owner_of(seq)
  if firsts == nil then read_all() end
  if lanedOwners[seq] then return lanedOwners[seq] end
  local low, high = 1, #firsts
  while low <= high do
    local middle = math.floor((low + high) / 2)
    if firsts[middle] <= seq then low = middle + 1 else high = middle - 1 end
  end
  return owners[firsts[high]]
end

local function place(row, seq)
  local low, high = 1, #row.spans / 3
  while low <= high do
    local middle = math.floor((low + high) / 2)
    local at = middle * 3 - 2
    if seq < row.spans[at] then high = middle - 1
    elseif seq > row.spans[at + 1] then low = middle + 1
    else return at end
  end
end

local function lane_place(row, seq)
  for _, list in ipairs(row.laned) do
    for at = 3, #list do
      if list[at] == seq then return list, at end
    end
  end
end

local function held_by(fence, seq)
  local row = fence and M.get(fence)
  return row and (place(row, seq) or lane_place(row, seq)) and row or nil
end

-- The claim that a number runs under, if it is the one that the script is about: its fence and its row.
function M.find_near(seq)
  local row = held_by(S.near, seq)
  if row then return S.near, row end
end

-- The same, of all claims.
function M.find(seq)
  local fence = owner_of(seq)
  local row = held_by(fence, seq)
  if row then return fence, row end
end

local function without_empty(laned)
  local kept = {}
  for _, list in ipairs(laned) do
    if #list > 2 then kept[#kept + 1] = list end
  end
  return kept
end

-- A slim job leaves its claim, for a record of its own.
function M.cut(fence, seq)
  local row = M.get(fence)
  local list, place_in = lane_place(row, seq)
  if list then
    table.remove(list, place_in)
    row.laned = without_empty(row.laned)
    save(fence, row)
    return
  end
  local at = place(row, seq)
  local kept = {}
  for other = 1, #row.spans, 3 do
    local from, to, template = row.spans[other], row.spans[other + 1], row.spans[other + 2]
    if other ~= at then
      kept[#kept + 1], kept[#kept + 2], kept[#kept + 3] = from, to, template
    else
      if seq > from then kept[#kept + 1], kept[#kept + 2], kept[#kept + 3] = from, seq - 1, template end
      if seq < to then kept[#kept + 1], kept[#kept + 2], kept[#kept + 3] = seq + 1, to, template end
    end
  end
  row.spans = kept
  save(fence, row)
end

local function push(list, from, to, template)
  list[#list + 1], list[#list + 2], list[#list + 3] = from, to, template
end

-- Of numbers in spans those with lanes, as lists like those of the claim; and the others, in spans.
local function take_laned(row, asked)
  local wanted, lists, others = {}, {}, {}
  for at = 1, #asked, 2 do
    for seq = asked[at], asked[at + 1] do wanted[seq] = true end
  end
  for _, list in ipairs(row.laned) do
    local taken, kept = { list[1], list[2] }, 2
    for at = 3, #list do
      local seq = list[at]
      if wanted[seq] then
        wanted[seq] = nil
        taken[#taken + 1] = seq
      else
        kept = kept + 1
        list[kept] = seq
      end
    end
    for at = #list, kept + 1, -1 do list[at] = nil end
    if #taken > 2 then lists[#lists + 1] = taken end
  end
  if #lists > 0 then row.laned = without_empty(row.laned) end
  for at = 1, #asked, 2 do
    for seq = asked[at], asked[at + 1] do
      if wanted[seq] then others[#others + 1], others[#others + 2] = seq, seq end
    end
  end
  return lists, others
end

-- Takes spans (first and last in turn, ascending) from a row: answers what it held of them, with templates, and what it did not.
local function take_spans(row, asked)
  local taken, others, kept = {}, {}, {}
  local spans, at = row.spans, 1
  local from, to, template = spans[1], spans[2], spans[3]
  for index = 1, #asked, 2 do
    local first, last = asked[index], asked[index + 1]
    while first <= last do
      while from and to < first do
        push(kept, from, to, template)
        at = at + 3
        from, to, template = spans[at], spans[at + 1], spans[at + 2]
      end
      if from == nil or from > last then
        others[#others + 1], others[#others + 2] = first, last
        break
      end
      if first < from then
        others[#others + 1], others[#others + 2] = first, from - 1
        first = from
      end
      if first > from then push(kept, from, first - 1, template) end
      local upTo = math.min(last, to)
      push(taken, first, upTo, template)
      first = upTo + 1
      from = first
      if from > to then
        at = at + 3
        from, to, template = spans[at], spans[at + 1], spans[at + 2]
      end
    end
  end
  while from do
    push(kept, from, to, template)
    at = at + 3
    from, to, template = spans[at], spans[at + 1], spans[at + 2]
  end
  row.spans = kept
  return taken, others
end

-- Takes spans from a claim: answers what it held of them, as spans with templates and as lists of those with lanes, and what it did not hold.
function M.take(fence, claim, asked)
  local row = M.get(fence)
  if row == nil or row.claim ~= claim then return {}, {}, asked end
  local taken, others, laned = {}, asked, {}
  if #row.spans > 0 then taken, others = take_spans(row, others) end
  if #row.laned > 0 and #others > 0 then laned, others = take_laned(row, others) end
  save(fence, row)
  return taken, laned, others
end
`,
);
