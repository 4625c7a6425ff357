/** The limit: a list, a hash and a sorted set, rows in batches through a script and the bare driver, with no features at all. */
import { Redis } from "ioredis";
import type { RedisSystem } from "../redis/system.ts";
import type { Run } from "../working.ts";
import { coalesced } from "./coalesced.ts";
import { runAll } from "./runAll.ts";

/** Numbers the rows, and lets them wait in that order. */
const enqueue = `
local last = redis.call('INCRBY', KEYS[1] .. 'last', #ARGV)
local first, ids, rows = last - #ARGV, {}, {}
for at = 1, #ARGV do
  ids[at] = first + at
  rows[2 * at - 1] = first + at
  rows[2 * at] = ARGV[at]
end
redis.call('HSET', KEYS[1] .. 'jobs', unpack(rows))
redis.call('RPUSH', KEYS[1] .. 'waiting', unpack(ids))`;
/** Removes the last batch and takes the next one, which is held until it is removed: one call, one round trip. ARGV: how many, when, the last batch. */
const turn = `
if #ARGV > 2 then
  local gone = { select(3, unpack(ARGV)) }
  redis.call('HDEL', KEYS[1] .. 'jobs', unpack(gone))
  redis.call('ZREM', KEYS[1] .. 'held', unpack(gone))
end
if ARGV[1] == '0' then return { {}, {} } end
local ids = redis.call('LPOP', KEYS[1] .. 'waiting', ARGV[1])
if not ids then return { {}, {} } end
local held = {}
for at = 1, #ids do
  held[2 * at - 1] = ARGV[2]
  held[2 * at] = ids[at]
end
redis.call('ZADD', KEYS[1] .. 'held', unpack(held))
return { ids, redis.call('HMGET', KEYS[1] .. 'jobs', unpack(ids)) }`;
const key = "{bare}";
const batch = 500;
const lanes = 2;
const emptyMs = 1;
const leaseMs = 30_000;

interface Scripted extends Redis {
  enqueueAll(key: string, ...payloads: readonly string[]): Promise<null>;
  turn(key: string, most: number, until: number, ...gone: readonly string[]): Promise<readonly [readonly string[], readonly string[]]>;
}

export const bareRedis: RedisSystem = {
  name: "bare redis",
  settings:
    "ioredis 6.0.0, a list, a hash and a sorted set, scripts of 500 rows, two of a call's in one pipeline, claims with the removal of the last batch in the same script, 2 at once; callers that wait share a script",
  async produce(url) {
    const redis = await connected(url);
    const store = async (ids: readonly number[]): Promise<void> => {
      const calls = [];
      for (let at = 0; at < ids.length; at += batch) calls.push(redis.enqueueAll(key, ...ids.slice(at, at + batch).map((id) => JSON.stringify({ id }))));
      await Promise.all(calls);
    };
    return {
      enqueue: store,
      enqueueOne: coalesced(store),
      counts: async () => ({ unended: await redis.hlen(`${key}jobs`) }),
      close: async () => void (await redis.quit()),
    };
  },
  async work(url, { hands }, run) {
    const redis = await connected(url);
    let isStopping = false;
    let atWork: Promise<unknown> = Promise.resolve();
    return {
      async start() {
        atWork = Promise.all(Array.from({ length: lanes }, () => lane(redis, hands / lanes, run, () => isStopping)));
      },
      async stop() {
        isStopping = true;
        await atWork;
        await redis.quit();
      },
    };
  },
};

async function connected(url: string): Promise<Scripted> {
  const redis = new Redis(url, { lazyConnect: true });
  await redis.connect();
  redis.defineCommand("enqueueAll", { lua: enqueue, numberOfKeys: 1 });
  redis.defineCommand("turn", { lua: turn, numberOfKeys: 1 });
  return redis as Scripted;
}

async function lane(redis: Scripted, hands: number, run: Run, isStopping: () => boolean): Promise<void> {
  let held: readonly string[] = [];
  while (held.length > 0 || !isStopping()) {
    const [ids, payloads] = await redis.turn(key, isStopping() ? 0 : batch, Date.now() + leaseMs, ...held);
    held = ids;
    if (ids.length === 0) await new Promise((resolve) => setTimeout(resolve, emptyMs));
    await runAll(
      payloads.map((payload) => (JSON.parse(payload) as { readonly id: number }).id),
      hands,
      run,
    );
  }
}
