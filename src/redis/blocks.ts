/** Which numbers have jobs, by blocks of 1,024: so that all jobs can be walked in the order of enqueue without an index of each. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const blocksFragment: Fragment = fragment(
  "blocks",
  String.raw`
local size = 1024

local function change(block, by)
  local counted = call('HINCRBY', K .. ':bn', block, by)
  if counted == 0 then
    call('HDEL', K .. ':bn', block)
    call('ZREM', K .. ':b', block)
  elseif counted == by then
    call('ZADD', K .. ':b', block, block)
  end
end

-- By block; written at the end.
local changes = {}

function M.count_one(seq, by)
  local block = math.floor(seq / size)
  changes[block] = (changes[block] or 0) + by
end

function M.flush()
  for block, by in pairs(changes) do
    if by ~= 0 then change(block, by) end
  end
  changes = {}
end

function M.count(from, count, by)
  local seq, last = from, from + count - 1
  while seq <= last do
    local block = math.floor(seq / size)
    local upTo = math.min(last, block * size + size - 1)
    change(block, (upTo - seq + 1) * by)
    seq = upTo + 1
  end
end

-- Numbers that have jobs, at most so many, after a number (nil: from the end that is asked for); nil behind them: there are no more.
function M.after(seq, limit, newestFirst)
  local found = {}
  local step = newestFirst and -1 or 1
  local at = seq and seq + step or (newestFirst and S.meta.seq or 1)
  while #found < limit do
    local block = math.floor(at / size)
    local next
    if newestFirst then next = call('ZREVRANGEBYSCORE', K .. ':b', block, '-inf', 'LIMIT', 0, 1)[1]
    else next = call('ZRANGEBYSCORE', K .. ':b', block, '+inf', 'LIMIT', 0, 1)[1] end
    if next == nil then return found, nil end
    if tonumber(next) ~= block then at = newestFirst and next * size + size - 1 or next * size end
    local edge = newestFirst and next * size or next * size + size - 1
    local asked = {}
    while (edge - at) * step >= 0 and #asked < math.max(limit - #found, 64) do
      asked[#asked + 1] = at
      at = at + step
    end
    U.job.load(asked)
    for index, number in ipairs(asked) do
      if U.job.is_stored(number) then
        found[#found + 1] = number
        if #found == limit then return found, number end
      end
    end
  end
  return found, found[#found]
end
`,
);
