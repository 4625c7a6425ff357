/** Reads at once what many works, or outcomes, would ask for one by one. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const prefetchFragment: Fragment = fragment(
  "prefetch",
  String.raw`
local function read(kind, keys)
  if #keys > 1 then U.rows.load(kind, keys) end
end

local function read_jobs(ids)
  if #ids < 2 then return {} end
  U.job.load_ids(ids)
  local seqs = {}
  for _, id in ipairs(ids) do seqs[#seqs + 1] = U.job.seq_of(id) end
  if #seqs > 0 then U.job.load(seqs) end
  return seqs
end

local function new_keys()
  return { unique = {}, lane = {}, limit = {} }
end

local function add_keys(keys, unique, lane, keyLimits)
  if unique then keys.unique[#keys.unique + 1] = unique end
  if lane then keys.lane[#keys.lane + 1] = lane.key end
  for _, limit in ipairs(keyLimits or {}) do keys.limit[#keys.limit + 1] = limit.key end
end

local function read_keys(keys)
  for kind, names in pairs(keys) do read(kind, names) end
end

-- Who holds the unique keys now.
local function read_holders(names)
  local seqs = {}
  for _, key in ipairs(names) do
    local row = U.rows.get('unique', key)
    for _, seq in ipairs(row and row.live or {}) do seqs[#seqs + 1] = seq end
  end
  if #seqs > 1 then U.job.load(seqs) end
end

function M.works(atoms)
  local ids, events, keys = {}, {}, new_keys()
  for _, atom in ipairs(atoms) do
    for _, work in ipairs(atom.works) do
      if work.kind == 'job' then
        ids[#ids + 1] = work.id
        add_keys(keys, work.unique and work.unique.key, work.lane, work.keyLimits)
      elseif work.kind == 'event' then
        events[#events + 1] = work.id
        for _, id in pairs(work.jobIds or {}) do ids[#ids + 1] = id end
      end
    end
  end
  if #events > 1 then U.events.load(events) end
  read_jobs(ids)
  read_keys(keys)
  if #keys.unique > 1 then read_holders(keys.unique) end
end

function M.outcomes(outcomes)
  local ids, keys = {}, new_keys()
  for i, outcome in ipairs(outcomes) do ids[i] = outcome.id end
  read_jobs(ids)
  for _, outcome in ipairs(outcomes) do
    S.near = string.format('%.0f', outcome.fence)
    local job = U.job.by_id(outcome.id)
    if job then add_keys(keys, job.uniqueKey, job.lane, job.keyLimits) end
  end
  read_keys(keys)
end
`,
);
