/** Numbers of the whole store: its time, the sequence of what is stored, the highest fence. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";
import { homesMax } from "./spread/homes.ts";

export const metaFragment: Fragment = fragment(
  "meta",
  String.raw`
local function load(name)
  if S.meta[name] == nil then S.meta[name] = tonumber(call('HGET', K .. ':m', name) or 0) end
  return S.meta[name]
end

function M.get(name)
  return load(name)
end

function M.set(name, number)
  if load(name) == number then return end
  S.meta[name] = number
  S.changed[name] = true
end

function M.add(name, by)
  M.set(name, load(name) + by)
end

-- Jobs, joins and events have one sequence.
function M.take_seqs(count)
  local first = S.meta.seq + 1
  M.set('seq', S.meta.seq + count)
  return first
end

function M.next_seq()
  return M.take_seqs(1)
end

-- Above all that were given out, and above the largest the asker ever saw. Of several homes each gives those that tell its number.
function M.next_fence(last)
  local fence = math.max(S.meta.fence, S.now * 1000, tonumber(last) or 0) + 1
  if S.meta.homes > 1 then fence = fence + (S.meta.home - fence) % ${homesMax} end
  M.set('fence', fence)
  return fence
end

function M.flush()
  S.meta.now = S.now
  S.changed.now = true
  local fields = {}
  for name in pairs(S.changed) do
    fields[#fields + 1] = name
    fields[#fields + 1] = string.format('%.0f', S.meta[name])
  end
  S.changed = {}
  call('HSET', K .. ':m', unpack(fields))
end
`,
);
