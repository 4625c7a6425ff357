/** What homes of one store tell each other. It is written down in the atom that caused it, carried by clients, and taken once, in the order of its sending (spread/carrier.ts). */
import { fragment, script } from "./fragment.ts";
import type { Fragment, Main } from "./fragment.ts";

/** Messages of one carry; each weighs as much as the works that it holds. */
const weightMost = 500;
const bytesMost = 16 * 1_024 * 1_024;
const readAtOnce = 16;

/**
 * K:out:<home>: messages to a home by number, each as its weight, the number of the era that it was sent in, and its JSON. K:mail: by "out" and home the number of the last
 * one sent there, by "cut" and home that of the last one that was taken there and is gone from here, by "in" and home that of the last one taken from there.
 */
export const mailFragment: Fragment = fragment(
  "mail",
  String.raw`
local weightMost, bytesMost, readAtOnce = ${weightMost}, ${bytesMost}, ${readAtOnce}
local mail = K .. ':mail'

-- Half of a surrogate pair: no UTF-8, which all that clients carry must be.
local function escaped_half(bytes)
  local first, second, third = string.byte(bytes, 1, 3)
  return string.format('\\u%04x', first % 16 * 4096 + second % 64 * 64 + third % 64)
end

-- One that is JSON already.
function M.send_text(home, weight, text)
  S.mailed = S.mailed or {}
  local texts = S.mailed[home] or {}
  S.mailed[home] = texts
  texts[#texts + 1] = weight .. ' ' .. U.meta.get('number') .. ' ' .. text
end

-- message.is tells who takes it: see take. Its numbers have 14 digits at most.
function M.send(home, message)
  local text = string.gsub(cjson.encode(message), '\237[\160-\191][\128-\191]', escaped_half)
  M.send_text(home, math.max(1, message.works and #message.works or 1), text)
end

function M.send_all(message)
  for home = 0, S.meta.homes - 1 do
    if home ~= S.meta.home then M.send(home, message) end
  end
end

local function send_texts(home, texts)
  local last = call('HINCRBY', mail, 'out' .. home, #texts)
  local fields = {}
  for at, text in ipairs(texts) do fields[2 * at - 1], fields[2 * at] = last - #texts + at, text end
  U.rows.write('HSET', K .. ':out:' .. home, fields)
end

function M.flush()
  for home, texts in pairs(S.mailed) do
    if #texts > 0 then send_texts(home, texts) end
    S.mailed[home] = {}
  end
end

-- To whom something was sent, or lies about, as JSON.
function M.homes()
  local homes = {}
  for home in pairs(S.mailed) do homes[#homes + 1] = home end
  return cjson.encode(homes)
end

-- The numbers of the last that was sent to a home and of the last that is gone, and of the last one taken from it.
local function standing(home)
  local found = call('HMGET', mail, 'out' .. home, 'cut' .. home, 'in' .. home)
  return tonumber(found[1]) or 0, tonumber(found[2]) or 0, tonumber(found[3]) or 0
end

-- What lies about is told like what is sent: somebody carries it.
function M.tell_waiting()
  for home = 0, S.meta.homes - 1 do
    local last, cut = standing(home)
    if last > cut then
      S.mailed = S.mailed or {}
      S.mailed[home] = S.mailed[home] or {}
    end
  end
end

local function drop(home, cut, upTo)
  for from = cut + 1, upTo, 1000 do
    local gone = {}
    for number = from, math.min(from + 999, upTo) do gone[#gone + 1] = number end
    call('HDEL', K .. ':out:' .. home, unpack(gone))
  end
  call('HSET', mail, 'cut' .. home, upTo)
end

-- As many as one carry takes.
local function next_texts(home, from, last)
  local texts, weight, bytes = {}, 0, 0
  for first = from, last, readAtOnce do
    local numbers = {}
    for number = first, math.min(first + readAtOnce - 1, last) do numbers[#numbers + 1] = number end
    for _, text in ipairs(call('HMGET', K .. ':out:' .. home, unpack(numbers))) do
      weight, bytes = weight + tonumber(string.match(text, '^%d+')), bytes + #text
      if #texts > 0 and (weight > weightMost or bytes > bytesMost) then return texts end
      texts[#texts + 1] = text
    end
  end
  return texts
end

-- The number of the era of all homes; -1 where this one has lost something, and not all know it: it may have forgotten what it sent and took.
function M.era_number()
  local found = call('HMGET', K .. ':m', 'number', 'era', 'whole')
  return found[2] == found[3] and tonumber(found[1]) or -1
end

-- Drops what was taken there, and answers what comes next.
function M.hand_over(asked)
  local number = M.era_number()
  if number < 0 then return { number = number, first = 0, last = 0 }, {} end
  local last, cut = standing(asked.to)
  if asked.upTo and asked.number == number and asked.upTo > cut and asked.upTo <= last then
    drop(asked.to, cut, asked.upTo)
    cut = asked.upTo
  end
  return { number = number, first = cut + 1, last = last }, asked.isLast and {} or next_texts(asked.to, cut + 1, last)
end

-- The number of the last one taken from a home.
function M.taken_from(home)
  local _, _, taken = standing(home)
  return taken
end

-- With the number of its era.
function M.message_in(text)
  local number, json = string.match(text, '^%d+ (%d+) (.*)$')
  return U.keys.decode(json), tonumber(number)
end

function M.note_taken(home, number)
  call('HSET', mail, 'in' .. home, number)
end
`,
);

/**
 * Asked: to, and which were taken there: number, that of the era they belong to, and upTo; isLast: nothing more. Answers the era's number, those of the first and of the
 * last, and texts.
 */
export const outScript: Main = script(
  "out",
  String.raw`
local answer, texts = U.mail.hand_over(cjson.decode(ARGV[2]))
flush()
return { cjson.encode(answer), S.told, texts }
`,
);

/** Given: from, number, first, and the texts. Answers the number of the last one taken by now and what its takers answered; or that it has come out of another era. */
export const takeScript: Main = script(
  "take",
  String.raw`
local given = cjson.decode(ARGV[2])
local number = U.mail.era_number()
if given.number ~= number or number < 0 then return finish({ stale = number }) end
local taken, answers = U.mail.taken_from(given.from), {}
-- What is taken already is passed over. What cannot be read stays, with all behind it.
for at = 3 + math.max(0, taken + 1 - given.first), #ARGV do
  local message, era = U.mail.message_in(ARGV[at])
  if not U.take.is_known(message) then break end
  answers[#answers + 1] = U.take.take(message, given.from, era)
  taken = given.first + at - 3
end
U.mail.note_taken(given.from, taken)
U.aftermath.run()
for at, answer in ipairs(answers) do
  if type(answer) == 'function' then answers[at] = answer() end
end
return finish({ taken = taken, answers = answers })
`,
);
