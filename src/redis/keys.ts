/**
 * Names of lanes and unique keys, limits per key, and ids derived from others: byte for byte what core/keys.ts and core/keyLimits.ts compute.
 *
 * Payloads are read as text: cjson refuses halves of surrogate pairs, which JavaScript takes and writes, and rounds numbers. The text of a scalar as
 * JSON.stringify writes it is all that keys need.
 */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

const readableMax = 200;

export const keysFragment: Fragment = fragment(
  "keys",
  String.raw`
local short = { [8] = '\\b', [9] = '\\t', [10] = '\\n', [12] = '\\f', [13] = '\\r', [34] = '\\"', [92] = '\\\\' }

local function escaped(char)
  local code = string.byte(char)
  if short[code] then return short[code] end
  return code < 32 and string.format('\\u%04x', code) or char
end

local function code_of(bytes)
  local first, second, third = string.byte(bytes, 1, 3)
  return first % 16 * 4096 + second % 64 * 64 + third % 64
end

-- As JSON.stringify writes it.
function M.json_text(text)
  text = string.gsub(text, '[%c"\\]', escaped)
  -- Half of a surrogate pair.
  text = string.gsub(text, '\237[\160-\191][\128-\191]', function(half) return string.format('\\u%04x', code_of(half)) end)
  return '"' .. text .. '"'
end

-- The id of what follows from these parts.
function M.derived_id(...)
  local texts = {}
  for i, part in ipairs({ ... }) do texts[i] = M.json_text(part) end
  return string.sub(U.digest.sha256('[' .. table.concat(texts, ',') .. ']'), 1, 32)
end

-- In UTF-16 units, as JavaScript tells lengths.
local function units_of(text)
  local _, continued = string.gsub(text, '[\128-\191]', '')
  local _, astral = string.gsub(text, '[\240-\247]', '')
  return #text - continued + astral
end

-- list: values as JSON texts.
function M.key_name(scope, list)
  local text = '[' .. table.concat(list, ',') .. ']'
  if #text <= ${readableMax} or units_of(text) <= ${readableMax} then return scope .. text end
  return scope .. '[#' .. U.digest.sha256(text) .. ']'
end

local function utf8_of(code)
  local function tail(shift) return 128 + math.floor(code / 2 ^ shift) % 64 end
  if code < 128 then return string.char(code) end
  if code < 2048 then return string.char(192 + math.floor(code / 64), tail(0)) end
  if code < 65536 then return string.char(224 + math.floor(code / 4096), tail(6), tail(0)) end
  return string.char(240 + math.floor(code / 262144), tail(12), tail(6), tail(0))
end

-- The escape at a place, as JavaScript writes it, and where it ends. isRaw: half of a surrogate pair becomes the bytes that would stand for it.
local function canonical_escape(text, at, isRaw)
  local char = string.sub(text, at + 1, at + 1)
  if char == '/' then return '/', at + 2 end
  if char ~= 'u' then return '\\' .. char, at + 2 end
  local code = tonumber(string.sub(text, at + 2, at + 5), 16)
  if code >= 0xD800 and code < 0xDC00 then
    local low = tonumber(string.match(text, '^\\u(%x%x%x%x)', at + 6) or '', 16)
    if low and low >= 0xDC00 and low < 0xE000 then return utf8_of(0x10000 + (code - 0xD800) * 0x400 + low - 0xDC00), at + 12 end
  end
  if code >= 0xD800 and code < 0xE000 and not isRaw then return string.format('\\u%04x', code), at + 6 end
  return code < 128 and escaped(string.char(code)) or utf8_of(code), at + 6
end

local function canonical_string(text, isRaw)
  local from, parts = 1, {}
  for at in function() return string.find(text, '\\', from, true) end do
    parts[#parts + 1] = string.sub(text, from, at - 1)
    parts[#parts + 1], from = canonical_escape(text, at, isRaw)
  end
  parts[#parts + 1] = string.sub(text, from)
  return table.concat(parts)
end

-- What JSON says, with halves of surrogate pairs as bytes.
function M.decode(text)
  return cjson.decode(string.find(text, '\\u[dD]') and canonical_string(text, true) or text)
end

-- The number is 0.digits times ten to the power.
local function laid_out(digits, power)
  local count = #digits
  if power >= count and power <= 21 then return digits .. string.rep('0', power - count) end
  if power >= 1 and power <= 21 then return string.sub(digits, 1, power) .. '.' .. string.sub(digits, power + 1) end
  if power >= -5 and power <= 0 then return '0.' .. string.rep('0', -power) .. digits end
  local fraction = count > 1 and '.' .. string.sub(digits, 2) or ''
  return string.sub(digits, 1, 1) .. fraction .. 'e' .. (power > 0 and '+' or '-') .. math.abs(power - 1)
end

-- The fewest digits that are read as this number again: those it is rounded to, or, right above a power of two, the next ones.
local function shortest(number)
  for places = 0, 16 do
    local digits, exponent = string.match(string.format('%.' .. places .. 'e', number), '^([%d.]+)e([-+]%d+)$')
    digits = string.gsub(digits, '%.', '')
    local power, last = exponent + 1, tonumber(string.sub(digits, -1))
    for _, near in ipairs({ digits, last < 9 and string.sub(digits, 1, -2) .. last + 1 or nil }) do
      if tonumber('0.' .. near .. 'e' .. power) == number then return near, power end
    end
  end
end

-- A number as JavaScript writes it after reading it.
local function canonical_number(text)
  local number = tonumber(text)
  if number == 0 then return '0' end
  local size = math.abs(number)
  if size == math.huge then return 'null' end
  local sign = number < 0 and '-' or ''
  if size < 2 ^ 53 and size == math.floor(size) then return sign .. string.format('%.0f', size) end
  local digits, power = shortest(size)
  return sign .. laid_out(string.match(digits, '^(.-)0*$'), power)
end

local function end_of_string(text, at)
  while true do
    at = string.find(text, '["\\]', at + 1)
    if string.byte(text, at) == 34 then return at end
    at = at + 1
  end
end

-- Where the value that begins at a place ends.
local function end_of_value(text, at)
  local first = string.byte(text, at)
  if first == 34 then return end_of_string(text, at) end
  if first ~= 123 and first ~= 91 then return (string.find(text, '[^%w.+-]', at) or #text + 1) - 1 end
  local depth = 0
  repeat
    local char = string.byte(text, at)
    if char == 34 then at = end_of_string(text, at)
    else depth = depth + ((char == 123 or char == 91) and 1 or -1) end
    if depth > 0 then at = string.find(text, '["{}%[%]]', at + 1) end
  until depth == 0
  return at
end

-- Calls visit with the text of each field, and that of its value. Lists have their places and their length as fields.
local function each_field(text, visit)
  local open = string.find(text, '%S')
  local first = string.byte(text, open)
  if first ~= 123 and first ~= 91 then return end
  local at, place = string.find(text, '[^%s,]', open + 1), 0
  while string.byte(text, at) ~= 125 and string.byte(text, at) ~= 93 do
    local field = '"' .. place .. '"'
    if first == 123 then
      local last = end_of_string(text, at)
      field = canonical_string(string.sub(text, at, last))
      at = string.find(text, '[^%s:]', last + 1)
    end
    local last = end_of_value(text, at)
    visit(field, string.sub(text, at, last))
    place = place + 1
    at = string.find(text, '[^%s,]', last + 1)
  end
  if first == 91 then visit('"length"', tostring(place)) end
end

local function canonical_scalar(text)
  local first = string.byte(text)
  if first == 34 then return canonical_string(text) end
  if first == 123 or first == 91 or first == 110 then return false end
  return (first == 116 or first == 102) and text or canonical_number(text)
end

-- The values of fields in a payload as JavaScript writes them; false: missing, or not a scalar.
function M.key_values(fields, payload)
  local places, values = {}, {}
  for i, field in ipairs(fields) do
    values[i] = false
    local text = M.json_text(field)
    places[text] = places[text] or {}
    table.insert(places[text], i)
  end
  each_field(payload, function(field, value)
    for _, i in ipairs(places[field] or {}) do values[i] = canonical_scalar(value) end
  end)
  return values
end

-- What is missing counts as null.
function M.or_null(values)
  local list = {}
  for i, value in ipairs(values) do list[i] = value or 'null' end
  return list
end

-- The number for a single value of a key of one field.
local function most_of(limit, values)
  if limit.except == nil or #values ~= 1 then return nil end
  local single = string.byte(values[1]) == 34 and values[1] or '"' .. values[1] .. '"'
  for value, most in pairs(limit.except) do
    if M.json_text(value) == single then return most end
  end
end

-- A limit per key, from a policy and a payload.
function M.key_limit_of(limit, payload)
  local values = M.or_null(M.key_values(limit.per, payload))
  local is, most = limit.is, most_of(limit, values)
  if most then is = is.running and { running = most } or { starts = most, everyMs = is.everyMs } end
  return { key = M.key_name(limit.scope, values), is = is }
end
`,
);
