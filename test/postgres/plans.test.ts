/**
 * What a verb costs in a large store: the rows that PostgreSQL read for it, counted by the server. None may grow with the number of jobs, also where
 * the connection made its plans while the store was small.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type pg from "pg";
import type { Engine, NewWork } from "../../src/core/engine.ts";
import { subscriptionKey } from "../../src/core/notes.ts";
import { tell } from "../../src/postgres/outcomes.ts";
import type { Seqs } from "../../src/postgres/outcomes.ts";
import { postgres } from "../../src/postgres/index.ts";
import { day as dayMs, event, job, join, keep, start } from "../port/stage.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { freshPlace, type Place } from "./places.ts";
import { postgresMissing } from "./server.ts";

const skip = postgresMissing ?? false;
/** Of each kind; thousands in all. */
const few = 20;
const many = 1_000;
const lanes = 100;
const hands = 100;
/** Of the claim of a hundred, those that are plain. */
const handed = Array.from({ length: 96 }, (_, n) => n).filter((n) => n !== 3);
const perAtom = 500;
const lane = (n: number) => ({ key: `lane ${n}`, width: 1, ifDead: "continue" as const });
const longLanes = ["block", "park"] as const;
const long = (ifDead: (typeof longLanes)[number]) => ({ key: `long ${ifDead}`, width: 2, ifDead });
const longLine = [{ key: "long line", is: { running: 1 } }];
const limit = (n: number) => [{ key: `limit ${n}`, is: { running: 1 } }];
/** Claims of others that go on: each of so many jobs, half of which are more than plain. */
const perClaim = 20;
const busy = { process: "busy", leaseMs: 1_000 * dayMs, claim: "", lastFence: 0, tasks: ["send"], alone: "no", settling: [] } as const;
const claimed = {
  process: "p",
  leaseMs: 60_000,
  claim: "first",
  lastFence: 0,
  queues: [{ queue: "hands", slots: 100, ahead: 0 }],
  tasks: ["send"],
  alone: "no",
  settling: [],
} as const;

interface Asked {
  readonly verb: string;
  readonly values: readonly unknown[];
  /** Above what is measured, by less than the store holds of any kind. */
  readonly most: number;
  /** The store's time. */
  readonly at?: number;
}

const hundred = (make: (n: number) => NewWork): NewWork[] => Array.from({ length: 100 }, (_, n) => make(n));
const enqueue = (most: number, ...works: readonly NewWork[]): Asked => ({ verb: "verb_enqueue", values: [[{ works }]], most });
const find = (most: number, query: object): Asked => ({ verb: "verb_find", values: [query], most });
const change = (most: number, which: object, asked: object): Asked => ({ verb: "verb_change", values: [which, asked, 10], most });

const asking: Readonly<Record<string, Asked>> = {
  "tidy with nothing to do": { verb: "verb_tidy", values: [{ items: 1_000, mayExpire: true }], most: 300 },
  "find by id": find(50, { of: "jobs", ids: ["plain 7"] }),
  "find the first": find(100, { of: "jobs", where: {}, limit: 10 }),
  "find the last": find(100, { of: "jobs", where: {}, limit: 10, newestFirst: true }),
  "find a lane": find(100, { of: "jobs", where: { lane: "lane 7" }, limit: 10 }),
  "find by unique key": find(100, { of: "jobs", where: { unique: "unique 7" }, limit: 10 }),
  "find the scheduled": find(100, { of: "jobs", where: { states: ["scheduled"] }, limit: 10 }),
  "find the dead": find(100, { of: "jobs", where: { states: ["dead"] }, limit: 10 }),
  "find members of a batch": find(200, { of: "jobs", where: { join: "large" }, limit: 10 }),
  "find followers": find(100, { of: "jobs", where: { after: "first" }, limit: 10 }),
  "find the completed": find(200, { of: "jobs", where: { states: ["completed"] }, limit: 10 }),
  "find the last completed": find(200, { of: "jobs", where: { states: ["completed"] }, limit: 10, newestFirst: true }),
  "find events": find(100, { of: "events", name: "order.paid", limit: 10 }),
  "find batches": find(100, { of: "joins", limit: 10 }),
  count: { verb: "verb_count", values: [], most: 300 },
  "read a note": { verb: "verb_read_note", values: ["note 7"], most: 50 },
};

/** `day`: when tidy comes. The store's time does not go back, not even with a transaction that is rolled back. */
function asked(fence: number, seqs: Seqs, day = 0): Readonly<Record<string, Asked>> {
  const outcome = (id: string, is: string): Asked => ({ verb: "verb_settle", values: [[{ id, claim: "first", fence, is, ranMs: 1 }]], most: 100 });
  const completed = (most: number, known: Seqs, ...hand: readonly number[]): Asked => ({
    verb: "verb_settle",
    values: [
      tell(
        hand.map((n) => ({ id: `hand ${n}`, claim: "first", fence, is: "completed", ranMs: 1 })),
        new Map(known),
      ),
    ],
    most,
  });
  return {
    ...asking,
    "enqueue a plain job": enqueue(100, job("new")),
    "enqueue a member of a long lane": enqueue(100, job("new", { lane: lane(0) })),
    "enqueue what loses its unique key": enqueue(100, job("new", { unique: { key: "unique 7", mode: { is: "keep" } } })),
    "enqueue under a full limit": enqueue(100, job("new", { keyLimits: limit(1) })),
    "enqueue a member of a large batch": enqueue(100, job("new", { join: "large" })),
    "enqueue what comes after a job with many followers": enqueue(100, job("new", { after: [{ id: "first", when: "well" }] })),
    "publish to two subscribers": enqueue(100, event("new", { payload: '{"account":1}' })),
    "enqueue 100 plain jobs": enqueue(500, ...hundred((n) => job(`new ${n}`))),
    "enqueue 100 plain jobs without the lock": { verb: "verb_enqueue_plain", values: [hundred((n) => job(`new ${n}`))], most: 500 },
    "enqueue 100 members of lanes": enqueue(2_000, ...hundred((n) => job(`new ${n}`, { lane: lane(n) }))),
    "enqueue 100 under limits": enqueue(2_200, ...hundred((n) => job(`new ${n}`, { keyLimits: limit(n) }))),
    "enqueue 100 members of a batch": enqueue(400, ...hundred((n) => job(`new ${n}`, { join: "large" }))),
    "enqueue 100 with unique keys": enqueue(500, ...hundred((n) => job(`new ${n}`, { unique: { key: `unique ${n}`, mode: { is: "keep" } } }))),
    "enqueue 100 followers": enqueue(1_400, ...hundred((n) => job(`new ${n}`, { after: [{ id: `plain ${n}`, when: "well" }] }))),
    "publish 100": enqueue(900, ...hundred((n) => event(`new ${n}`, { payload: `{"account":${n}}` }))),
    "claim 100": { verb: "verb_claim", values: [{ ...claimed, claim: "next", queues: [{ queue: "mail", slots: 100, ahead: 0 }] }], most: 500 },
    "settle 50 completed ones by their ids": completed(350, new Map(), ...handed.slice(0, 50)),
    "settle a whole claim": completed(100, seqs, ...handed),
    "settle 20 of a claim, here and there": completed(100, seqs, ...handed.filter((n) => n % 5 === 1)),
    "cancel one that runs": change(100, { ids: ["hand 7"] }, { do: "cancel", reason: "no" }),
    "delete ten that completed": change(400, { ids: Array.from({ length: 10 }, (_, n) => `done ${few + 50 * n}`) }, { do: "delete" }),
    "claim 100 in rows": {
      verb: "verb_claim",
      values: [{ ...claimed, claim: "next", queues: [{ queue: "rows", slots: 10, ahead: 90 }], inRow: 10 }],
      most: 600,
    },
    "claim ten under terms": {
      verb: "verb_claim",
      values: [
        { ...claimed, claim: "next", queues: [{ queue: "mail", slots: 10, ahead: 0 }], terms: { send: { gates: ["g"], retriesMost: 1, freshFrom: start } } },
      ],
      most: 100,
    },
    "claim ten": { verb: "verb_claim", values: [{ ...claimed, claim: "next", queues: [{ queue: "mail", slots: 10, ahead: 0 }] }], most: 100 },
    "settle a completed one": outcome("hand 0", "completed"),
    "settle one that retries": outcome("hand 1", "retry"),
    "settle a dead one": outcome("hand 2", "dead"),
    "settle one that ten come after": outcome("hand 3", "completed"),
    "settle the last member of a batch": outcome("ending", "completed"),
    "settle a dead one that ten come after": { ...outcome("hand 3", "dead"), most: 200 },
    "enqueue a batch of ten": enqueue(200, join("ten"), ...hundred((n) => job(`new ${n}`, { join: "ten" })).slice(0, 10)),
    "enqueue a chain of ten": enqueue(
      300,
      join("ten"),
      ...hundred((n) => job(`new ${n}`, { join: "ten", ...(n > 0 && { after: [{ id: `new ${n - 1}`, when: "well" }] }) })).slice(0, 10),
    ),
    "settle a completed one of a long lane": outcome("long hand park", "completed"),
    "settle one of a long lane that retries": outcome("long hand park", "retry"),
    "settle a dead one that blocks a long lane": outcome("long hand block", "dead"),
    "settle a dead one that closes a long lane": outcome("long hand park", "dead"),
    "settle a completed one under a limit with a long line": outcome("limited hand", "completed"),
    "settle one that retries under a limit with a long line": outcome("limited hand", "retry"),
    "cancel one in a long line": change(100, { ids: ["waiting 7"] }, { do: "cancel", reason: "no" }),
    "prioritise one in a long line": change(100, { ids: ["waiting 7"] }, { do: "prioritise", headStartMs: 1 }),
    "enqueue into a long line": enqueue(100, job("new", { keyLimits: longLine })),
    "enqueue what comes first in a long line": enqueue(100, job("new", { keyLimits: longLine, headStartMs: 1 })),
    "cancel ten of a long lane": change(300, { jobs: { lane: "long park" } }, { do: "cancel", reason: "no" }),
    beat: { verb: "verb_beat", values: ["p", 60_000], most: 30 },
    "beat of an idle process": { verb: "verb_beat", values: ["done", 60_000], most: 30 },
    "cancel one": change(100, { ids: ["plain 8"] }, { do: "cancel", reason: "no" }),
    "cancel ten of a lane": change(200, { jobs: { lane: "lane 3" } }, { do: "cancel", reason: "no" }),
    "cancel ten of a batch": change(300, { join: "large" }, { do: "cancel", reason: "no" }),
    "retry one": change(100, { ids: ["later 30"] }, { do: "retry" }),
    lock: { verb: "verb_lock", values: [{ name: "l", mode: "write", process: "p", ticket: "t", leaseMs: 60_000, lastFence: 0 }], most: 100 },
    // The last: time goes on.
    "tidy that promotes, purges and takes back a hundred": {
      verb: "verb_tidy",
      values: [{ items: 100, mayExpire: true }],
      most: 4_300,
      at: start + day * dayMs,
    },
  };
}

describe("in a large store", { skip }, () => {
  let place: Place;
  let client: pg.PoolClient;
  let schema = "";
  let fence = 0;
  let seqs: Seqs = new Map();

  before(async () => {
    place = await freshPlace();
    const engine = postgres(place.pool, { schema: place.schema });
    await engine.open({ runtime: new StillRuntime() });
    schema = place.schema;
    client = await place.pool.connect();
    await prepare(engine);
    await fill(engine, 0, few);
    ({ fence } = await engine.claim(claimed, { now: start }));
    const { rows } = await client.query<{ id: string; seq: number }>(`SELECT id, seq::int FROM ${schema}.jobs WHERE id = ANY ($1)`, [
      handed.map((n) => `hand ${n}`),
    ]);
    seqs = new Map(rows.map(({ id, seq }) => [id, { seq, fence }]));
    for (const one of Object.values(asked(fence, seqs, 8))) await rowsRead(client, schema, one);
    await fill(engine, few, many);
    await engine.beat(claimed.process, claimed.leaseMs, { now: start });
    await engine.tidy({ items: 1_000, mayExpire: false }, { now: start });
    await engine.close();
  });
  after(async () => {
    client.release();
    await place.done();
  });

  for (const [name, { most }] of Object.entries(asked(0, new Map()))) {
    it(`${name} reads at most ${most} rows`, async () => {
      const one = asked(fence, seqs, 16)[name];
      assert.ok(one);
      const read = await rowsRead(client, schema, one);
      const all = Object.values(read).reduce((sum, rows) => sum + rows, 0);
      assert.ok(all <= most, `${all} rows: ${JSON.stringify(read)}`);
    });
  }
});

/** In a transaction that is rolled back: each is asked of the same store. */
async function rowsRead(client: pg.PoolClient, schema: string, { verb, values, at = start }: Asked): Promise<Record<string, number>> {
  await client.query("BEGIN");
  try {
    const places = [...values, at].map((_, n) => `$${n + 1}`).join(", ");
    const given = [...values.map((value) => (typeof value === "object" ? JSON.stringify(value) : value)), at];
    const before = await rowsReadBy(client, schema);
    await client.query(`SELECT ${schema}.${verb}(${places})`, given);
    const after = await rowsReadBy(client, schema);
    return Object.fromEntries([...after].map(([table, rows]) => [table, rows - (before.get(table) ?? 0)] as const).filter(([, rows]) => rows > 0));
  } finally {
    await client.query("ROLLBACK");
  }
}

/** The server adds up until it reports: what counts is the difference. */
async function rowsReadBy(client: pg.PoolClient, schema: string): Promise<Map<string, number>> {
  const { rows } = await client.query<{ table: string; rows: number }>(
    "SELECT relname AS table, (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS rows FROM pg_stat_xact_user_tables WHERE schemaname = $1",
    [schema],
  );
  return new Map(rows.map(({ table, rows: read }) => [table, read]));
}

async function prepare(engine: Engine): Promise<void> {
  await store(engine, [job("first", { delayMs: 1_000_000 }), join("large", { isSealed: false })]);
  const subscription = { event: "order.placed", since: "now", task: "send", queue: "mail", headStartMs: 0, delayMs: 0, isMapped: false, keep };
  const subscriptions = [{ name: "plain" }, { name: "ordered", orderedBy: ["account"] }].map(({ name, ...more }) => ({
    key: subscriptionKey(name),
    value: JSON.stringify({ ...subscription, name, ...more }),
  }));
  await engine.enqueue([{ works: [], notes: subscriptions }], { now: start });
  await store(engine, [join("ends"), job("ending", { queue: "hands", join: "ends" })]);
  await store(engine, [
    job("limited hand", { queue: "hands", keyLimits: longLine }),
    ...longLanes.map((ifDead) => job(`long hand ${ifDead}`, { queue: "hands", lane: long(ifDead) })),
  ]);
  await store(
    engine,
    Array.from({ length: hands }, (_, n) => job(`hand ${n}`, { queue: "hands" })),
  );
  await store(
    engine,
    Array.from({ length: 10 }, (_, n) => job(`then ${n}`, { after: [{ id: "hand 3", when: "well" }] })),
  );
}

/** From one number up to another, of each kind. */
async function fill(engine: Engine, from: number, to: number): Promise<void> {
  const each = (make: (n: number) => NewWork): NewWork[] => Array.from({ length: to - from }, (_, n) => make(from + n));
  await store(
    engine,
    each((n) => job(`plain ${n}`)),
  );
  await store(
    engine,
    each((n) => job(`later ${n}`, { delayMs: 1_000_000 + n })),
  );
  await store(
    engine,
    each((n) => job(`ordered ${n}`, { lane: lane(n % lanes) })),
  );
  await store(
    engine,
    each((n) => job(`waiting ${n}`, { keyLimits: longLine })),
  );
  for (const ifDead of longLanes) {
    await store(
      engine,
      each((n) => job(`long ${ifDead} ${n}`, { lane: long(ifDead) })),
    );
  }
  await store(
    engine,
    each((n) => job(`in a row ${n}`, { queue: "rows", lane: { ...lane(n % lanes), key: `row ${n % lanes}` } })),
  );
  await store(
    engine,
    each((n) => job(`unique ${n}`, { unique: { key: `unique ${n}`, mode: { is: "keep" } } })),
  );
  await store(
    engine,
    each((n) => job(`limited ${n}`, { keyLimits: limit(n % lanes) })),
  );
  await store(
    engine,
    each((n) => job(`member ${n}`, { join: "large" })),
  );
  await store(
    engine,
    each((n) => job(`follower ${n}`, { after: [{ id: "first", when: "well" }] })),
  );
  await store(
    engine,
    each((n) => event(`event ${n}`, { name: n % 2 ? "order.paid" : "order.sent" })),
  );
  await store(
    engine,
    each((n) => job(`done ${n}`, { queue: "done" })),
  );
  await completeAll(engine, from, to);
  await store(
    engine,
    each((n) => job(`busy ${n}`, { queue: "busy", ...(n % 2 && { lane: { ...lane(n), key: `busy ${n}` } }) })),
  );
  for (let n = from; n < to; n += perClaim) {
    await engine.claim({ ...busy, claim: `busy ${n}`, queues: [{ queue: "busy", slots: perClaim, ahead: 0 }] }, { now: start });
  }
  await engine.enqueue(
    [
      {
        works: [],
        notes: each((n) => event(`${n}`))
          .slice(0, perAtom)
          .map(({ id }) => ({ key: `note ${id}`, value: "{}" })),
      },
    ],
    { now: start },
  );
}

/** In many small calls, so that blocks of numbers have many rows. */
async function completeAll(engine: Engine, from: number, to: number): Promise<void> {
  const { fence, jobs } = await engine.claim(
    { ...busy, process: "done", claim: `done ${from}`, queues: [{ queue: "done", slots: to - from, ahead: 0 }] },
    { now: start },
  );
  for (let n = 0; n < jobs.length; n += perClaim) {
    await engine.settle(
      jobs.slice(n, n + perClaim).map(({ id }) => ({ id, claim: `done ${from}`, fence, is: "completed", ranMs: 1 })),
      { now: start },
    );
  }
}

async function store(engine: Engine, works: readonly NewWork[]): Promise<void> {
  const atoms = Array.from({ length: Math.ceil(works.length / perAtom) }, (_, n) => ({ works: works.slice(n * perAtom, (n + 1) * perAtom) }));
  for (const answer of await engine.enqueue(atoms, { now: start })) assert.ok(Array.isArray(answer), String(answer));
}
