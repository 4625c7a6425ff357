/** Slim jobs that run: what one claim handed out is one row, with the spans of what it still holds. A claim is known by its fence. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const claimsFragment: Fragment = fragment(
  "claims",
  String.raw`
-- spans: first, last and template in turn, ascending.
function M.get(fence)
  return U.rows.get('cl', fence)
end

function M.add(process, claim, fence, spans)
  U.rows.put('cl', fence, { process = process, claim = claim, startedAt = S.now, spans = spans })
  call('SADD', K .. ':pc:' .. process, fence)
end

local function save(fence, row)
  if #row.spans > 0 then
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
  for at = 1, row and #row.spans or 0, 3 do count = count + row.spans[at + 1] - row.spans[at] + 1 end
  return count
end

-- Numbers of jobs that a claim still holds, at most so many.
function M.seqs(fence, limit)
  local seqs, row = {}, M.get(fence)
  for at = 1, row and #row.spans or 0, 3 do
    for seq = row.spans[at], row.spans[at + 1] do
      if #seqs == limit then return seqs end
      seqs[#seqs + 1] = seq
    end
  end
  return seqs
end

-- All claims by their first number, read once in a script.
local all
local function every()
  if all then return all end
  all = {}
  local fences = call('HKEYS', K .. ':cl')
  for _, fence in ipairs(fences) do all[#all + 1] = fence end
  return all
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

-- The claim that a number runs under: its fence and its row.
function M.find(seq)
  for _, fence in ipairs(every()) do
    local row = M.get(fence)
    if row and place(row, seq) then return fence, row end
  end
end

-- A slim job leaves its claim, for a record of its own.
function M.cut(fence, seq)
  local row = M.get(fence)
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

-- Takes spans (first and last in turn, ascending) from a claim: answers what it held of them, with templates, and what it did not.
function M.take(fence, claim, asked)
  local row = M.get(fence)
  local taken, others, kept = {}, {}, {}
  if row == nil or row.claim ~= claim then return taken, asked end
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
  save(fence, row)
  return taken, others
end
`,
);
