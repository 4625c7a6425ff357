/** History for new subscriptions: a job for each stored event, oldest first, with the ids of the live fan-out. */
import { replayPrefix, subscriptionPrefix } from "../core/notes.ts";
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";

/** How many are looked at in one pass, and how many events: 100 µs each, while all others wait. */
const replaysMax = 1_000;
const eventsMax = 250;
/** Payloads are large. */
const atOnceMax = 100;

export const replayFragment: Fragment = fragment(
  "replay",
  String.raw`
-- before is the first event that the live fan-out brings: the two meet there without a gap or a double.
local function write(position, after)
  local text = U.keys.json_text
  U.notes.write('${replayPrefix}' .. position.subscription, '{"subscription":' .. text(position.subscription) .. ',"event":' .. text(position.event)
    .. ',"after":"' .. string.format('%.0f', after) .. '","before":"' .. string.format('%.0f', position.before) .. '"}')
end

function M.start_replay(subscription)
  if subscription.since ~= 'beginning' then return end
  write({ subscription = subscription.name, event = subscription.event, before = U.meta.next_seq() }, 0)
end

-- nil when it was retired, or hears another event now: its replay ends.
local function subscription_of(position)
  local note = U.notes.read('${subscriptionPrefix}' .. position.subscription)
  local subscription = note and U.notes.parse_subscription(note.value)
  return subscription and subscription.event == position.event and subscription or nil
end

local function is_over(position, after)
  return #U.events.after(string.format('%.0f', after), position.event, 1, position.before) == 0
end

local function replay_one(position, limit)
  local subscription, after = subscription_of(position), tonumber(position.after)
  local done, accept_job = { made = 0, seen = 0 }, S.meta.homes > 1 and U.route.accept_job or U.accept.accept_job
  while subscription and done.seen < limit do
    local asked = math.min(${atOnceMax}, limit - done.seen)
    local events = U.events.after(string.format('%.0f', after), position.event, asked, position.before)
    for _, event in ipairs(events) do
      if not accept_job(U.fanOut.job_for(event, subscription), {}).isDuplicate then done.made = done.made + 1 end
      done.seen = done.seen + 1
      after = event.seq
    end
    if #events < asked then subscription = nil end
  end
  if subscription and not is_over(position, after) then write(position, after)
  else U.notes.write('${replayPrefix}' .. position.subscription, nil) end
  return done
end

-- Goes on with every replay, so many events in all.
function M.replay(limit)
  local replayed, budget = 0, math.min(limit, ${eventsMax})
  local notes = U.notes.starting_with('${replayPrefix}', nil, ${replaysMax})
  for _, note in ipairs(notes) do
    if budget == 0 then return { replayed = replayed, hasMore = true } end
    local done = replay_one(cjson.decode(note.value), budget)
    replayed = replayed + done.made
    budget = budget - done.seen
  end
  local isFull = budget == 0 or #notes == ${replaysMax}
  return { replayed = replayed, hasMore = isFull and #U.notes.starting_with('${replayPrefix}', nil, 1) > 0 }
end
`,
);
