/**
 * The claim that is made most often: a worker with little to do hands back what it ran, and takes what is ready in one line, if anything. Straight on, with none of the
 * modules: to build those takes a claim of one job longer than all else, most of all on a server that did something else meanwhile.
 */
import { claimMax } from "../core/defaults.ts";
import type { Claim } from "../core/engine.ts";
import { pausedQueue, pausedTask } from "../core/notes.ts";
import type { ToldOutcomes } from "./outcomes.ts";

/** Of more jobs each costs little of it, and most often not all of a claim has ended. */
const jobsMost = 32;
const linesMost = 500;
const spansRead = 64;

/** Whether {@link plainClaim} may do. */
export function isPlainClaim({ terms, alone, queues, tasks }: Omit<Claim, "settling">, { batches, others }: ToldOutcomes): boolean {
  const isBound = terms !== undefined && Object.values(terms).some((one) => Object.keys(one).length > 0);
  const lines = queues.length * tasks.length;
  const jobs = queues.reduce((sum, { slots, ahead }) => sum + slots + ahead, 0);
  return !isBound && alone === "no" && others.length === 0 && batches.length <= 1 && jobs <= jobsMost && lines > 0 && lines <= linesMost;
}

/** Before the modules of the claim: it ends with an answer, or has written nothing and leaves all to these. Each part answers nil where it is not for this. */
export const plainClaim: string = String.raw`
if ARGV[3] == 'plain' then
  local K, call, format, min, max = KEYS[1], redis.call, string.format, math.min, math.max
  local wanted, now, meta, due, process = cjson.decode(ARGV[2]), nil, nil, nil, nil
  local counts, templates = {}, {}

  local function count(line, state, by)
    local field = line .. ':' .. state
    counts[field] = (counts[field] or 0) + by
  end

  local function template(number)
    if not templates[number] then templates[number] = cmsgpack.unpack(call('HGET', K .. ':t', number)) end
    return templates[number]
  end

  -- Nothing is due, late, marked or bounded: only what is asked for happens.
  local function is_quiet()
    meta = call('HMGET', K .. ':m', 'now', 'fence', 'idle', 'format', 'marks', 'looks', 'direct', 'homes')
    if not meta[4] or meta[8] then return nil end
    if (tonumber(meta[5]) or 0) + (tonumber(meta[6]) or 0) + (tonumber(meta[7]) or 0) > 0 then return nil end
    if call('EXISTS', K .. ':late', K .. ':lstarts', K .. ':lwait') > 0 then return nil end
    now = tonumber(string.match(ARGV[1], '^[^,]*'))
    if now == nil then
      local time = call('TIME')
      now = time[1] * 1000 + math.floor(time[2] / 1000)
    end
    now = max(now, tonumber(meta[1]) or 0)
    due = tonumber(call('ZRANGE', K .. ':sch', 0, 0, 'WITHSCORES')[2])
    return due == nil or due > now or nil
  end

  -- The claim that a batch names, if the batch is all of it.
  local function claim_of(batch)
    local text = call('HGET', K .. ':cl', format('%.0f', batch.fence))
    local row = text and cmsgpack.unpack(text)
    if not row or row.claim ~= batch.claim or #row.laned > 0 or #row.spans * 2 ~= #batch.spans * 3 then return nil end
    for at = 1, #batch.spans, 2 do
      local own = (at - 1) / 2 * 3 + 1
      if row.spans[own] ~= batch.spans[at] or row.spans[own + 1] ~= batch.spans[at + 1] then return nil end
    end
    return row
  end

  -- The one line that something is ready in; false: there is none.
  local function open_line()
    local names, lines, fields, found = {}, {}, {}, {}
    for _, queue in ipairs(wanted.queues) do
      for _, task in ipairs(wanted.tasks) do
        names[#names + 1], lines[#lines + 1] = queue.queue .. '\31' .. task, { queue = queue, task = task }
      end
    end
    for at, number in ipairs(call('HMGET', K .. ':lines', unpack(names))) do
      if number then
        fields[#fields + 1], fields[#fields + 2] = number .. ':ready', number .. ':alone'
        found[#found + 1], lines[at].number = lines[at], number
      end
    end
    local open = false
    for at, many in ipairs(#fields > 0 and call('HMGET', K .. ':c', unpack(fields)) or {}) do
      if many and tonumber(many) > 0 then
        if open or at % 2 == 0 then return nil end
        open = found[(at + 1) / 2]
      end
    end
    return open
  end

  local function is_closed(open)
    local pauses = call('HMGET', K .. ':notes', '${pausedQueue("")}' .. open.queue.queue, '${pausedTask("")}' .. open.task)
    local row = call('HGET', K .. ':process', wanted.process)
    process = row and cmsgpack.unpack(row) or { id = wanted.process, since = now, leaseUntil = 0 }
    return pauses[1] or pauses[2] or process.isLost or call('EXISTS', K .. ':r:' .. open.number .. ':t') > 0
  end

  -- Chooses spans of a line as they stand: gone, and what is left of the last one.
  local function choose(open)
    local room = min(${claimMax}, open.queue.slots + open.queue.ahead)
    local ready = call('ZRANGE', open.key, 0, ${spansRead - 1}, 'WITHSCORES')
    local spans, seqs, gone, left = {}, {}, {}, nil
    for at = 1, #ready, 2 do
      if #seqs == room then break end
      local from, several, number, since = string.match(ready[at], '^(%d+)%+(%d+):(%d+):?(%d*)$')
      from, several, number = tonumber(from), tonumber(several), tonumber(number)
      local last = #spans
      if from == nil or (last > 0 and from < spans[last - 1]) or template(number).ifDead then return nil end
      local some = min(several, room - #seqs)
      gone[#gone + 1] = ready[at]
      if some < several then
        left = { ready[at + 1], format('%012d+%d:%d', from + some, several - some, number) .. (since ~= '' and ':' .. since or '') }
      end
      if last > 0 and spans[last] == number and spans[last - 1] == from - 1 then spans[last - 1] = from + some - 1
      else spans[last + 1], spans[last + 2], spans[last + 3] = from, from + some - 1, number end
      for seq = from, from + some - 1 do seqs[#seqs + 1] = format('%d', seq) end
    end
    if #seqs < room and #ready == ${2 * spansRead} then return nil end
    return { spans = spans, seqs = seqs, gone = gone, left = left }
  end

  local function complete(batch, row)
    local fence = format('%.0f', batch.fence)
    call('HDEL', K .. ':cl', fence)
    call('SREM', K .. ':pc:' .. row.process, fence)
    for at = 1, #row.spans, 3 do
      local from, several, number = row.spans[at], row.spans[at + 1] - row.spans[at] + 1, row.spans[at + 2]
      local member, kind = format('%012d+%d:%d:%.0f', from, several, number, now), template(number)
      call('ZADD', K .. ':dn', from, member)
      call('ZADD', K .. ':dp', now + max(kind.keep.completed, kind.rememberMs), member)
      count(kind.line, 'running', -several)
      count(kind.line, 'completed', several)
    end
  end

  local function hand_out(open, chosen, fence)
    call('ZREM', open.key, unpack(chosen.gone))
    if chosen.left then call('ZADD', open.key, unpack(chosen.left)) end
    call('HSET', K .. ':cl', fence, cmsgpack.pack({ process = wanted.process, claim = wanted.claim, startedAt = now, spans = chosen.spans, laned = {} }))
    call('SADD', K .. ':pc:' .. wanted.process, fence)
    local leaseUntil = max(process.leaseUntil, now + wanted.leaseMs)
    if leaseUntil ~= process.leaseUntil then
      process.leaseUntil = leaseUntil
      call('HSET', K .. ':process', process.id, cmsgpack.pack(process))
      call('ZADD', K .. ':leases', leaseUntil, process.id)
    end
    count(open.number, 'ready', -#chosen.seqs)
    count(open.number, 'running', #chosen.seqs)
    return call('HMGET', K .. ':j', unpack(chosen.seqs))
  end

  -- The numbers of the store; one who was given less than asked for is idle.
  local function flush(taken, fence)
    local changed, asked = {}, 0
    if taken > 0 then changed = { 'fence', fence } end
    for _, queue in ipairs(wanted.queues) do asked = asked + queue.slots + queue.ahead end
    if taken < asked and tonumber(meta[3]) ~= 1 then changed[#changed + 1], changed[#changed + 2] = 'idle', '1' end
    for field, by in pairs(counts) do
      if by ~= 0 and call('HINCRBY', K .. ':c', field, by) == 0 then call('HDEL', K .. ':c', field) end
    end
    if #changed > 0 then call('HSET', K .. ':m', 'now', format('%.0f', now), unpack(changed)) end
  end

  local function plain_claim()
    if not is_quiet() then return nil end
    local batch = wanted.settling.batches[1]
    local ended = batch and claim_of(batch)
    if batch and not ended then return nil end
    local open = open_line()
    if open == nil or (open and is_closed(open)) then return nil end
    if open then open.key = K .. ':r:' .. open.number .. ':u' end
    local chosen = open and choose(open) or { spans = {}, seqs = {} }
    if open and #chosen.seqs == 0 then return nil end

    local fence, texts, told = format('%.0f', max(tonumber(meta[2]) or 0, now * 1000, wanted.lastFence) + 1), {}, {}
    if ended then complete(batch, ended) end
    if open then texts = hand_out(open, chosen, fence) end
    flush(#texts, fence)
    for at = 3, #chosen.spans, 3 do
      local kind = template(chosen.spans[at])
      told[tostring(chosen.spans[at])] = { task = kind.task, queue = kind.queue, version = kind.version }
    end
    local answer = { now = now, fence = fence, settled = {}, spans = chosen.spans, runs = { #texts }, jobs = {}, hasSuspects = false,
      nextDueMs = due and due - now or nil, templates = told }
    return { cjson.encode(answer), 0, texts }
  end

  local answer = plain_claim()
  if answer then return answer end
end
`;
