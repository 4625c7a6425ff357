/** What a verb costs in a large store: the rows that PostgreSQL read for it, counted by the server. None may grow with the number of jobs. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type pg from "pg";
import type { Engine, NewWork } from "../../src/core/engine.ts";
import { subscriptionKey } from "../../src/core/notes.ts";
import { postgres } from "../../src/postgres/index.ts";
import { event, job, join, keep, start } from "../port/stage.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { freshPlace, type Place } from "./places.ts";
import { postgresMissing } from "./server.ts";

const skip = postgresMissing ?? false;
/** Of each kind; thousands in all. */
const many = 1_000;
const lanes = 100;
const perAtom = 500;
const lane = (n: number) => ({ key: `lane ${n}`, width: 1, ifDead: "continue" as const });
const limit = (n: number) => [{ key: `limit ${n}`, is: { running: 1 } }];
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
  /** Measured, and half as much again. */
  readonly most: number;
}

const enqueue = (most: number, ...works: readonly NewWork[]): Asked => ({ verb: "verb_enqueue", values: [[{ works }]], most });
const find = (most: number, query: object): Asked => ({ verb: "verb_find", values: [query], most });
const change = (most: number, which: object, asked: object): Asked => ({ verb: "verb_change", values: [which, asked, 10], most });

function asked(fence: number): Readonly<Record<string, Asked>> {
  const outcome = (id: string, is: string): Asked => ({ verb: "verb_settle", values: [[{ id, claim: "first", fence, is, ranMs: 1 }]], most: 100 });
  return {
    "enqueue a plain job": enqueue(100, job("new")),
    "enqueue a member of a long lane": enqueue(100, job("new", { lane: lane(0) })),
    "enqueue what loses its unique key": enqueue(100, job("new", { unique: { key: "unique 7", mode: { is: "keep" } } })),
    "enqueue under a full limit": enqueue(100, job("new", { keyLimits: limit(1) })),
    "enqueue a member of a large batch": enqueue(100, job("new", { join: "large" })),
    "enqueue what comes after a job with many followers": enqueue(100, job("new", { after: [{ id: "first", when: "well" }] })),
    "publish to two subscribers": enqueue(100, event("new", { payload: '{"account":1}' })),
    "claim ten": { verb: "verb_claim", values: [{ ...claimed, claim: "next", queues: [{ queue: "mail", slots: 10, ahead: 0 }] }], most: 300 },
    "settle a completed one": outcome("hand 0", "completed"),
    "settle one that retries": outcome("hand 1", "retry"),
    "settle a dead one": outcome("hand 2", "dead"),
    beat: { verb: "verb_beat", values: ["p", 60_000], most: 100 },
    "tidy with nothing to do": { verb: "verb_tidy", values: [{ items: 1_000, mayExpire: true }], most: 50 },
    "find by id": find(50, { of: "jobs", ids: ["plain 7"] }),
    "find the first": find(100, { of: "jobs", where: {}, limit: 10 }),
    "find the last": find(100, { of: "jobs", where: {}, limit: 10, newestFirst: true }),
    "find a lane": find(100, { of: "jobs", where: { lane: "lane 7" }, limit: 10 }),
    "find by unique key": find(100, { of: "jobs", where: { unique: "unique 7" }, limit: 10 }),
    "find the scheduled": find(100, { of: "jobs", where: { states: ["scheduled"] }, limit: 10 }),
    "find the dead": find(100, { of: "jobs", where: { states: ["dead"] }, limit: 10 }),
    "find members of a batch": find(200, { of: "jobs", where: { join: "large" }, limit: 10 }),
    "find followers": find(100, { of: "jobs", where: { after: "first" }, limit: 10 }),
    "find events": find(100, { of: "events", name: "order.paid", limit: 10 }),
    "find batches": find(100, { of: "joins", limit: 10 }),
    count: { verb: "verb_count", values: [], most: 200 },
    "read a note": { verb: "verb_read_note", values: ["note 7"], most: 50 },
    "cancel one": change(100, { ids: ["plain 8"] }, { do: "cancel", reason: "no" }),
    "cancel ten of a lane": change(500, { jobs: { lane: "lane 3" } }, { do: "cancel", reason: "no" }),
    "retry one": change(100, { ids: ["later 8"] }, { do: "retry" }),
    lock: { verb: "verb_lock", values: [{ name: "l", mode: "write", process: "p", ticket: "t", leaseMs: 60_000, lastFence: 0 }], most: 100 },
  };
}

describe("in a large store", { skip }, () => {
  let place: Place;
  let client: pg.PoolClient;
  let schema = "";
  let fence = 0;

  before(async () => {
    place = await freshPlace();
    const engine = postgres(place.pool, { schema: place.schema });
    await engine.open({ runtime: new StillRuntime() });
    await fill(engine);
    ({ fence } = await engine.claim(claimed, { now: start }));
    await engine.tidy({ items: 1_000, mayExpire: false }, { now: start });
    await engine.close();
    client = await place.pool.connect();
    schema = place.schema;
  });
  after(async () => {
    client.release();
    await place.done();
  });

  for (const [name, { most }] of Object.entries(asked(0))) {
    it(`${name} reads at most ${most} rows`, async () => {
      const one = asked(fence)[name];
      assert.ok(one);
      const read = await rowsRead(client, schema, one);
      const all = Object.values(read).reduce((sum, rows) => sum + rows, 0);
      assert.ok(all <= most, `${all} rows: ${JSON.stringify(read)}`);
    });
  }
});

/** In a transaction that is rolled back: each is asked of the same store. */
async function rowsRead(client: pg.PoolClient, schema: string, { verb, values }: Asked): Promise<Record<string, number>> {
  await client.query("BEGIN");
  try {
    const places = [...values, start].map((_, n) => `$${n + 1}`).join(", ");
    const given = [...values.map((value) => (typeof value === "object" ? JSON.stringify(value) : value)), start];
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

async function fill(engine: Engine): Promise<void> {
  const each = (make: (n: number) => NewWork): NewWork[] => Array.from({ length: many }, (_, n) => make(n));
  await store(engine, [job("first", { delayMs: 1_000_000 }), join("large", { isSealed: false })]);
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
  await store(engine, each((n) => job(`hand ${n}`, { queue: "hands" })).slice(0, 100));
  const notes = Array.from({ length: perAtom }, (_, n) => ({ key: `note ${n}`, value: "{}" }));
  const subscription = { event: "order.placed", since: "now", task: "send", queue: "mail", headStartMs: 0, delayMs: 0, isMapped: false, keep };
  const subscriptions = [{ name: "plain" }, { name: "ordered", orderedBy: ["account"] }].map(({ name, ...more }) => ({
    key: subscriptionKey(name),
    value: JSON.stringify({ ...subscription, name, ...more }),
  }));
  await engine.enqueue([{ works: [], notes: [...notes, ...subscriptions] }], { now: start });
}

async function store(engine: Engine, works: readonly NewWork[]): Promise<void> {
  const atoms = Array.from({ length: Math.ceil(works.length / perAtom) }, (_, n) => ({ works: works.slice(n * perAtom, (n + 1) * perAtom) }));
  for (const answer of await engine.enqueue(atoms, { now: start })) assert.ok(Array.isArray(answer), String(answer));
}
