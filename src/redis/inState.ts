/** Which jobs are in a state: by its index where it has one, else by the lists that they stand in, where these are short. */
import { jobStates } from "../core/states.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** So many are put in order for one page; among more of them, one walks all jobs. */
const fewMost = 2_000;

export const inStateFragment: Fragment = fragment(
  "inState",
  String.raw`
local function add_members(seqs, members)
  for _, member in ipairs(members) do
    local from, count = U.spans.parse(member)
    for seq = from, from + (count or 1) - 1 do seqs[#seqs + 1] = seq end
  end
end

local readers = {}

function readers.ready(seqs, lines)
  for _, line in ipairs(lines) do
    for _, set in ipairs({ 'u', 't', 'a' }) do add_members(seqs, call('ZRANGE', U.ready.key(line, set), 0, -1)) end
  end
end

function readers.scheduled(seqs)
  add_members(seqs, call('ZRANGE', U.scheduled.key, 0, -1))
end

function readers.running(seqs)
  for _, id in ipairs(call('HKEYS', K .. ':process')) do
    for _, seq in ipairs(U.processes.running({ id = id }, ${fewMost})) do seqs[#seqs + 1] = seq end
  end
end

-- By state: how many jobs there are, how many of them in lines that are meant, and which lines have some.
local function counts_of(where)
  local isMeant, counts, flat = {}, {}, U.line.counts()
  for _, line in ipairs(U.line.all()) do
    isMeant[line.no] = (where.queue == nil or where.queue == line.queue) and (where.task == nil or where.task == line.task)
  end
  for _, state in ipairs({ '${jobStates.join("', '")}' }) do counts[state] = { state = state, all = 0, meant = 0, lines = {} } end
  for at = 1, #flat, 2 do
    local line, state = string.match(flat[at], '^(%d+):(.*)$')
    local count, jobs = counts[state], tonumber(flat[at + 1])
    if count then count.all = count.all + jobs end
    if count and isMeant[tonumber(line)] then
      count.meant = count.meant + jobs
      count.lines[#count.lines + 1] = line
    end
  end
  return counts
end

-- Where the jobs are that are in one of the states and lines that are meant, beside others: keys of sets of numbers, and numbers. nil: anywhere.
function M.found(where)
  local counts, keys, seqs = counts_of(where), {}, {}
  for _, state in ipairs(where.states or { '${jobStates.join("', '")}' }) do
    local count = counts[state]
    if count.meant > 0 and U.store.is_indexed[state] then keys[#keys + 1] = K .. ':s:' .. state
    elseif count.meant > 0 then
      local read, jobs = readers[state], state == 'ready' and count.meant or count.all
      if read == nil or jobs > ${fewMost} then return nil end
      read(seqs, count.lines)
    end
  end
  return keys, seqs
end
`,
);
