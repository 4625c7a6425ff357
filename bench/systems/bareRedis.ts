/** The limit: a list, a hash and a sorted set, rows in batches through a script and the bare driver, with no features at all; on a cluster one of each on each master. */
import { Redis } from "ioredis";
import { mastersOf } from "../redis/cluster.ts";
import type { RedisSystem } from "../redis/system.ts";
import type { Producer, Run, Worker } from "../working.ts";
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
const batch = 500;
const lanes = 2;
const emptyMs = 1;
const leaseMs = 30_000;

interface Scripted extends Redis {
  enqueueAll(key: string, ...payloads: readonly string[]): Promise<null>;
  turn(key: string, most: number, until: number, ...gone: readonly string[]): Promise<readonly [readonly string[], readonly string[]]>;
}

/** A server, and what its keys begin with. */
interface Place {
  readonly redis: Scripted;
  readonly key: string;
}

const settings =
  "ioredis 6.0.0, a list, a hash and a sorted set, scripts of 500 rows, two of a call's in one pipeline, claims with the removal of the last batch in the same script, 2 at once; callers that wait share a script";

export const bareRedis: RedisSystem = {
  name: "bare redis",
  settings,
  produce: async (url) => producerOf([await placeOf(url, "{bare}")]),
  work: async (url, { hands }, run) => workerOf([await placeOf(url, "{bare}")], hands, run),
};

/** Batches go to the masters in turn. */
export const bareCluster: RedisSystem = {
  name: "bare redis (cluster)",
  on: "cluster",
  settings: `${settings}; each master has its own, and 2 claims at once`,
  produce: async (url) => producerOf(await placesOf(url)),
  work: async (url, { hands }, run) => workerOf(await placesOf(url), hands, run),
};

function producerOf(places: readonly Place[]): Producer {
  let turns = 0;
  const store = async (ids: readonly number[]): Promise<void> => {
    const calls = [];
    for (let at = 0; at < ids.length; at += batch) {
      const { redis, key } = places[turns++ % places.length] as Place;
      calls.push(redis.enqueueAll(key, ...ids.slice(at, at + batch).map((id) => JSON.stringify({ id }))));
    }
    await Promise.all(calls);
  };
  return {
    enqueue: store,
    enqueueOne: coalesced(store),
    counts: async () => ({ unended: (await Promise.all(places.map(({ redis, key }) => redis.hlen(`${key}jobs`)))).reduce((sum, rows) => sum + rows, 0) }),
    close: () => quit(places),
  };
}

function workerOf(places: readonly Place[], hands: number, run: Run): Worker {
  let isStopping = false;
  let atWork: Promise<unknown> = Promise.resolve();
  const ofEach = Math.ceil(hands / lanes / places.length);
  return {
    async start() {
      atWork = Promise.all(places.flatMap((place) => Array.from({ length: lanes }, () => lane(place, ofEach, run, () => isStopping))));
    },
    async stop() {
      isStopping = true;
      await atWork;
      await quit(places);
    },
  };
}

async function quit(places: readonly Place[]): Promise<void> {
  for (const { redis } of places) await redis.quit();
}

async function placesOf(url: string): Promise<readonly Place[]> {
  return await Promise.all((await mastersOf(url)).map(async ({ url: own, tag }) => await placeOf(own, `{${tag}}`)));
}

async function placeOf(url: string, key: string): Promise<Place> {
  const redis = new Redis(url, { lazyConnect: true });
  await redis.connect();
  redis.defineCommand("enqueueAll", { lua: enqueue, numberOfKeys: 1 });
  redis.defineCommand("turn", { lua: turn, numberOfKeys: 1 });
  return { redis: redis as Scripted, key };
}

async function lane({ redis, key }: Place, hands: number, run: Run, isStopping: () => boolean): Promise<void> {
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
