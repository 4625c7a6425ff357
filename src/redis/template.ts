/** Templates: what slim jobs have in common, stored once. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** What is kept of them stays small also where head starts are all different. */
const templatesMost = 1_000;

/** K:t: by number; behind an "x" their texts, by number; behind an "l" the numbers of a line. K:tn: by text their numbers, and those of their lines. */
export const templateFragment: Fragment = fragment(
  "template",
  String.raw`
local known, numbers = {}, {}

local function find(text)
  if not numbers[text] then numbers[text] = tonumber(string.match(call('HGET', K .. ':tn', text) or '', '^%d+')) or false end
  return numbers[text]
end

-- Where there are too many already, there is none for what is not like any job before.
function M.is_taking(text)
  return find(text) or call('HLEN', K .. ':tn') < ${templatesMost}
end

local function numbers_of(line)
  local packed = call('HGET', K .. ':t', 'l' .. line)
  return packed and cmsgpack.unpack(packed) or {}
end

-- By its text: queue, task, keep, headStartMs, rememberMs, version.
function M.of(text)
  local number = find(text)
  if number then return number, M.get(number) end
  U.meta.add('templates', 1)
  number = U.meta.get('templates')
  local template = cjson.decode(text)
  template.line = U.line.of(template.queue, template.task)
  call('HSET', K .. ':tn', text, number .. ' ' .. template.line)
  call('HSET', K .. ':t', number, cmsgpack.pack(template))
  known[number], numbers[text] = template, number
  local ofLine = numbers_of(template.line)
  ofLine[#ofLine + 1] = number
  call('HSET', K .. ':t', 'x' .. number, text, 'l' .. template.line, cmsgpack.pack(ofLine))
  return number, template
end

-- Of a line that has no jobs.
function M.forget(line)
  for _, number in ipairs(numbers_of(line)) do
    call('HDEL', K .. ':tn', call('HGET', K .. ':t', 'x' .. number))
    call('HDEL', K .. ':t', number, 'x' .. number)
  end
  call('HDEL', K .. ':t', 'l' .. line)
end

function M.get(number)
  if known[number] == nil then known[number] = cmsgpack.unpack(call('HGET', K .. ':t', number)) end
  return known[number]
end
`,
);
