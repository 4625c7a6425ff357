/** Jobs that take the payloads of those that come while they wait. */
import { payloadBytesMax } from "../core/defaults.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const gatheringFragment: Fragment = fragment(
  "gathering",
  String.raw`
local payloadBytesMax = ${payloadBytesMax}

-- What stands between the brackets of a text of a JSON array: never decoded, so that it comes back as it was given.
local function elements_of(array)
  return string.match(array, '%[(.*)%]') or ''
end

function M.is_gathering(job)
  return job.gathering ~= nil and not job.gathering.isFull and job.state ~= 'running' and job.state ~= 'parked' and job.state ~= 'away'
end

-- The payload with that of a newcomer; nil where it does not fit, is of another version, or the job has saved how far it came with its own.
function M.payload_with(job, work)
  if job.version ~= work.version or job.checkpoint ~= nil then return nil end
  local text = '[' .. elements_of(job.payload) .. ',' .. elements_of(work.payload) .. ']'
  if #text > payloadBytesMax then return nil end
  return text
end

-- Counts one more element.
function M.gather(job, work)
  local mode = work.unique and work.unique.mode
  if mode == nil or mode.is ~= 'gather' then
    job.gathering = nil
    return
  end
  local elements = (job.gathering and job.gathering.elements or 0) + 1
  job.gathering = { elements = elements, isFull = elements >= mode.most }
end
`,
);
