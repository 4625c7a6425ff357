/** Templates: what slim jobs have in common, stored once. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const templateFragment: Fragment = fragment(
  "template",
  String.raw`
local known = {}

-- By its text: queue, task, keep, headStartMs, rememberMs, version.
function M.of(text)
  local number = tonumber(call('HGET', K .. ':tn', text))
  if number then return number, M.get(number) end
  U.meta.add('templates', 1)
  number = U.meta.get('templates')
  local template = cjson.decode(text)
  template.line = U.line.of(template.queue, template.task)
  call('HSET', K .. ':tn', text, number)
  call('HSET', K .. ':t', number, cmsgpack.pack(template))
  known[number] = template
  return number, template
end

function M.get(number)
  if known[number] == nil then known[number] = cmsgpack.unpack(call('HGET', K .. ':t', number)) end
  return known[number]
end
`,
);
