import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Engine, NewJob, Query } from "../../src/core/engine.ts";
import { limitKey, resourceKey, subscriptionKey } from "../../src/core/notes.ts";
import type { Driver } from "../../src/sqlite/driver.ts";
import { jobStates } from "../../src/core/states.ts";
import { Bench, Database, job, join, keep, leaseMs, outcomes, wanted } from "./bench.ts";

/** What may be walked whole: it is as long as there are hands, marked lanes, rows of a page or JSON in the parameters. All else goes by an index. */
const mayBeWalked = [
  /^SCAN (e|json_each|pragma_table_info) VIRTUAL TABLE/,
  /^SCAN (c|p|q|\(subquery-\d+\)|sqlite_schema|errand_running)$/,
  /^SCAN (\d+-ROW VALUES CLAUSE|CONSTANT ROW)$/,
  /^SCAN errand_lanes USING COVERING INDEX errand_lanes_marked$/,
  /^SCAN errand_(lines|passes)$/,
  // Live members of lanes, where there are few of them.
  /^SCAN errand_members$/,
  // Rows of lanes that run: there are no more than hands.
  /^SCAN (w|errand_rows)( USING INDEX errand_rows_fence)?$/,
  // The joins within one that is changed as a whole; what running jobs hold.
  /^SCAN (t|tree)$/,
  /^SCAN errand_terms USING INDEX errand_terms_running$/,
];

describe("every statement", () => {
  it("that the verbs prepare goes by an index, and none walks the jobs", async () => {
    await using bench = new Bench();
    const prepared = new Set<string>();
    const engine = bench.engine({}, { load: () => recording(prepared) });
    await everyVerb(bench, engine);
    const app = bench.app();
    const statements = [...prepared].filter((sql) => /^\s*(SELECT|WITH|INSERT|UPDATE|DELETE)/.test(sql));
    const plans = statements.flatMap((sql) => planOf(app, sql).map((step) => ({ step, sql })));
    const walks = plans.filter(({ step }) => step.startsWith("SCAN") && !mayBeWalked.some((allowed) => allowed.test(step)));
    assert.deepEqual(walks, []);
    const indexes = (app.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND name GLOB 'errand_*'").all() as { name: string }[]).map(
      ({ name }) => name,
    );
    const unused = indexes.filter((name) => !plans.some(({ step }) => step.includes(`INDEX ${name} `) || step.endsWith(`INDEX ${name}`)));
    assert.deepEqual(unused, [], "indexes that no statement goes by");
  });
});

function planOf(app: InstanceType<Driver>, sql: string): string[] {
  const nothings = Array<null>((sql.match(/\?/g) ?? []).length).fill(null);
  const steps = app.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...nothings) as { detail: string }[];
  return steps.map(({ detail }) => detail);
}

function recording(prepared: Set<string>): Driver {
  return function open(file: string, options: { readonly timeout: number }) {
    const connection = new Database(file, options);
    const prepare = connection.prepare.bind(connection);
    connection.prepare = (sql) => {
      prepared.add(sql);
      return prepare(sql);
    };
    return connection;
  } as unknown as Driver;
}

async function everyVerb(bench: Bench, engine: Engine): Promise<void> {
  const lane = { key: "k", width: 1, ifDead: "park" } as const;
  const subscription = { name: "s", event: "e", since: "beginning", task: "send", queue: "mail", headStartMs: 0, delayMs: 0, isMapped: false, keep };
  const event = { kind: "event", id: "e1", content: "c", rememberMs: 0, name: "e", payload: "{}" } as const;
  await engine.enqueue([{ works: [event] }], {});
  await engine.enqueue([{ works: [], notes: [{ key: subscriptionKey("s"), value: JSON.stringify(subscription) }] }], {});
  await engine.enqueue([{ works: Array.from({ length: 120 }, (_, at) => job(`plain-${at}`)) }], {});
  await engine.enqueue([{ works: [job("plain-1"), job("late", { delayMs: 10, startWithinMs: 5 }), job("soon", { delayMs: 5 })] }], {});
  for (const id of ["l1", "l2", "l3"]) await engine.enqueue([{ works: [job(id, { lane, unique: { key: id, mode: { is: "throttle", windowMs: 5 } } })] }], {});
  for (const id of ["u1", "u2"])
    await engine.enqueue([{ works: [job(id, { delayMs: 60_000, startWithinMs: 90_000, unique: { key: "u", mode: { is: "replace" } } })] }], {});
  const claimed = await engine.claim(wanted({ slots: 200 }), {});
  await engine.settle(outcomes({ ...claimed, jobs: claimed.jobs.slice(0, 50) }), {});
  await engine.settle(outcomes({ ...claimed, jobs: claimed.jobs.slice(50, 60) }, "c1", "retry"), {});
  await engine.settle([...outcomes({ ...claimed, jobs: claimed.jobs.filter(({ id }) => id === "l1") }, "c1", "dead")], {});
  await engine.settle([{ id: claimed.jobs[61]?.id ?? "", claim: "c1", fence: claimed.fence, is: "saved", checkpoint: "1", ranMs: 1 }], {});
  await engine.enqueue([{ works: [job("l4", { lane })] }], {});
  for (const answer of ["first", "second"]) await engine.lock({ name: "lock", mode: "write", process: answer, ticket: answer, leaseMs, lastFence: 0 }, {});
  await engine.unlock({ name: "lock", ticket: "first" }, {});
  for (const items of [1, 1_000]) await engine.tidy({ items, mayExpire: true }, {});
  await engine.change({ ids: [claimed.jobs[62]?.id ?? ""] }, { do: "cancel", reason: "no" }, 1, {});
  await engine.beat("p1", leaseMs, {});
  bench.runtime.wall += leaseMs + 1;
  for (const items of [1, 1_000]) await engine.tidy({ items, mayExpire: true }, {});
  for (const process of ["p2", "p3"]) {
    await engine.claim(wanted({ process, claim: process, slots: 200 }), {});
    bench.runtime.wall += leaseMs + 1;
    await engine.tidy({ items: 1_000, mayExpire: true }, {});
  }
  await engine.claim(wanted({ process: "p4", alone: "only" }), {});
  for (const change of [{ do: "retry" }, { do: "prioritise", headStartMs: 5 }, { do: "cancel", reason: "no" }, { do: "delete" }] as const)
    await engine.change({ jobs: { task: "send" } }, change, 1, {});
  await everyTie(bench, engine);
  await everyLimit(bench, engine);
  await everyLook(engine);
  bench.runtime.wall += 90 * 24 * 60 * 60 * 1_000;
  for (const items of [1, 1_000]) await engine.tidy({ items, mayExpire: true }, {});
}

/** Joins and predecessors: stored, let go, met by their fate, cancelled, given up, kept and removed. */
async function everyTie(bench: Bench, engine: Engine): Promise<void> {
  const member = { join: "J" } as const;
  const after = (id: string): Pick<NewJob, "after"> => ({ after: [{ id, when: "well" }] });
  const lane = { key: "tied", width: 1, ifDead: "block" } as const;
  await engine.enqueue([{ works: [job("first"), join("P"), join("J", { join: "P", isSealed: false }), ...["m1", "m2"].map((id) => job(id, member))] }], {});
  await engine.enqueue(
    [{ works: [job("m3", { ...member, ...after("m1"), lane }), job("held", after("m3")), join("after J", after("J")), job("last", after("J"))] }],
    {},
  );
  await engine.enqueue([{ works: [join("J", { size: 3 }), job("first", member), job("held", member)] }], {});
  await engine.enqueue([{ works: [join("fated", after("first")), job("f1", { join: "fated" }), job("g1", after("f1"))] }], {});
  await engine.enqueue([{ works: [join("wide"), ...Array.from({ length: 300 }, (_, at) => job(`wide-${at}`, { join: "wide", ...after("first") }))] }], {});
  await everyLook(engine);
  await engine.change({ join: "wide" }, { do: "cancel", reason: "no" }, 1, {});
  await engine.tidy({ items: 10, mayExpire: false }, {});
  const claimed = await engine.claim(wanted({ process: "p5", slots: 1_000 }), {});
  await engine.settle(outcomes(claimed, "c1", "dead"), {});
  for (let turn = 0; turn < 3; turn += 1) await engine.settle(outcomes(await engine.claim(wanted({ process: "p5", slots: 1_000 }), {})), {});
  await engine.enqueue([{ works: [join("left", { isSealed: false }), job("l1-left", { join: "left" }), job("l2-left", after("left"))] }], {});
  bench.runtime.wall += 2 * 24 * 60 * 60 * 1_000;
  for (const items of [10, 1_000]) await engine.tidy({ items, mayExpire: true }, {});
}

/** Key limits, gates, resources, rows of a lane, born leases, gathering. */
async function everyLimit(bench: Bench, engine: Engine): Promise<void> {
  const keyLimits = [
    { key: "k1", is: { running: 1 } },
    { key: "k2", is: { starts: 1, everyMs: 1_000 } },
  ] as const;
  const gather = { unique: { key: "g", mode: { is: "gather", quietMs: 5, atMostMs: 5, most: 3 } }, payload: "[1]" } as const;
  const lane = { key: "row", width: 1, ifDead: "continue" } as const;
  const terms = { send: { gates: ["at once", "rate"], needs: { gpu: 1 } }, call: { freshFrom: 1 } };
  const lease = { process: "p6", leaseMs, claim: "born", lastFence: 0, terms: terms.send };
  const notes = [
    { key: limitKey("at once"), value: '{"running":5}' },
    { key: limitKey("rate"), value: '{"starts":5,"everyMs":1000}' },
    { key: resourceKey("gpu"), value: '{"capacity":5}' },
  ];
  await engine.enqueue([{ works: [job("born", { lease })], notes }], {});
  await engine.enqueue(
    [{ works: [...["k1", "k2", "k3"].map((id) => job(id, { keyLimits })), job("k4", { keyLimits, delayMs: 5 }), job("k5", { delayMs: 5 })] }],
    {},
  );
  await engine.enqueue([{ works: ["r1", "r2", "r3"].map((id) => job(id, { lane })) }], {});
  await engine.enqueue(
    [{ works: ["g1", "g2", "g3", "g4"].map((id) => job(id, { ...gather, ...(id === "g4" && { payload: `["${"x".repeat(262_000)}"]` }) })) }],
    {},
  );
  await engine.enqueue([{ works: [job("fresh", { task: "call" })] }], {});
  bench.runtime.wall += 10;
  for (const claim of ["c1", "c2", "c3"]) {
    const queues = [{ queue: "mail", slots: 10, ahead: 10 }];
    const claimed = await engine.claim(wanted({ process: "p6", claim, queues, tasks: ["send", "call"], inRow: 3, ...(claim === "c1" && { terms }) }), {});
    await everyLook(engine);
    await engine.change({ ids: ["k2", "k3"] }, { do: "prioritise", headStartMs: 5 }, 2, {});
    await engine.settle(outcomes(claimed, claim, claim === "c2" ? "released" : "completed"), {});
    bench.runtime.wall += 2_000;
    await engine.tidy({ items: 10, mayExpire: false }, {});
  }
  await engine.enqueue([{ works: [], notes: notes.map(({ key }) => ({ key, value: undefined })) }], {});
}

async function everyLook(engine: Engine): Promise<void> {
  const filters = [
    {},
    { queue: "mail", task: "send" },
    { lane: "k" },
    { unique: "u" },
    { join: "J" },
    { after: "J" },
    { before: "last" },
    { task: "send", lane: "k", join: "J", after: "J", before: "last" },
    { states: jobStates },
    ...jobStates.map((state) => ({ states: [state], task: "send" })),
  ];
  const queries: Query[] = [
    { of: "jobs", ids: ["l1"] },
    ...filters.flatMap((where): Query[] => [
      { of: "jobs", where, limit: 1 },
      { of: "jobs", where, limit: 1, newestFirst: true },
      { of: "jobs", where, limit: 1_000 },
    ]),
    { of: "events", limit: 1 },
    { of: "events", name: "e", limit: 1 },
    { of: "notes", prefix: "", limit: 1 },
    { of: "processes", limit: 1 },
    { of: "lanes", limit: 1 },
    { of: "locks", limit: 1 },
    { of: "joins", ids: ["J"] },
    { of: "joins", limit: 1 },
    { of: "joins", parent: "P", limit: 1, newestFirst: true },
    { of: "gates", names: ["at once", "rate", "gpu"] },
  ];
  for (const query of queries) await engine.find(query, {});
  await engine.count({});
  await engine.readNote("n", {});
}
