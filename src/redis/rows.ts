/** Small records as Lua tables: read once in a script, written once at its end. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

export const rowsFragment: Fragment = fragment(
  "rows",
  String.raw`
local known, changed = {}, {}

local function of(kind)
  local rows = known[kind]
  if rows == nil then
    rows = {}
    known[kind], changed[kind] = rows, {}
  end
  return rows
end

function M.get(kind, field)
  field = tostring(field)
  local rows = of(kind)
  local row = rows[field]
  if row == nil then
    local text = call('HGET', K .. ':' .. kind, field)
    row = text and cmsgpack.unpack(text) or false
    rows[field] = row
  end
  return row or nil
end

-- Reads many at once.
function M.load(kind, fields)
  local rows, asked = of(kind), {}
  for _, field in ipairs(fields) do
    field = tostring(field)
    if rows[field] == nil then asked[#asked + 1] = field end
  end
  for from = 1, #asked, 1000 do
    local found = call('HMGET', K .. ':' .. kind, unpack(asked, from, math.min(from + 999, #asked)))
    for at, text in ipairs(found) do rows[asked[from + at - 1]] = text and cmsgpack.unpack(text) or false end
  end
end

function M.put(kind, field, row)
  field = tostring(field)
  of(kind)[field] = row
  changed[kind][field] = true
end

function M.dirty(kind, field)
  field = tostring(field)
  of(kind)
  changed[kind][field] = true
end

function M.remove(kind, field)
  field = tostring(field)
  of(kind)[field] = false
  changed[kind][field] = true
end

-- At most so many at once, since what a call can be given is bounded.
local function write(verb, key, list)
  for from = 1, #list, 1000 do call(verb, key, unpack(list, from, math.min(from + 999, #list))) end
end
M.write = write

function M.flush()
  for kind, fields in pairs(changed) do
    local kept, gone = {}, {}
    for field in pairs(fields) do
      local row = known[kind][field]
      if row then
        kept[#kept + 1] = field
        kept[#kept + 1] = cmsgpack.pack(row)
      else
        gone[#gone + 1] = field
      end
    end
    changed[kind] = {}
    write('HSET', K .. ':' .. kind, kept)
    write('HDEL', K .. ':' .. kind, gone)
  end
end
`,
);
