import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Change, CountRow, Engine, NewJob, NewWork, Outcome, Selection } from "../../src/core/engine.ts";
import { limitKey, resourceKey } from "../../src/core/notes.ts";
import { jobStates } from "../../src/core/states.ts";
import { readyPlaceOf } from "../../src/sqlite/readyPlace.ts";
import { Bench, job, leaseMs, wanted } from "./bench.ts";

/** Told by the wide row and the small ones together: what the counters must agree with. */
const told = `SELECT j.*, CASE WHEN j.state > 0 THEN j.state WHEN r.seq IS NOT NULL OR w.lane IS NOT NULL THEN 4 WHEN d.seq IS NOT NULL THEN 6 WHEN m.seq IS NOT NULL THEN 2 ELSE 3 END AS code
  FROM errand_jobs j LEFT JOIN errand_running r ON r.seq = j.seq LEFT JOIN errand_done d ON d.seq = j.seq
  LEFT JOIN errand_members m ON m.lane = j.lane AND m.place = 0 AND m.seq = j.seq
  LEFT JOIN errand_rows w ON w.lane = m.lane AND m.seq BETWEEN w.first AND w.last`;
const walked = `SELECT l.queue, l.task, code, count(*) AS jobs FROM (${told}) j JOIN errand_lines l ON l.id = j.line GROUP BY 1, 2, 3`;
/** Every small row has its job, in the right state; and every job its small row. */
const strays = `WITH t AS (${told})
  SELECT (SELECT count(*) FROM errand_ready y LEFT JOIN t USING (seq) WHERE t.code IS NOT 3 OR y.line <> ${readyPlaceOf("t")} OR y.urgency <> t.urgency) AS ready,
  (SELECT count(*) FROM t WHERE code = 3 AND NOT EXISTS (SELECT 1 FROM errand_ready y WHERE y.seq = t.seq)) AS lostReady,
  (SELECT count(*) FROM errand_scheduled s LEFT JOIN t USING (seq) WHERE t.code IS NOT 1 OR s.due_at <> t.due_at) AS scheduled,
  (SELECT count(*) FROM t WHERE code = 1 AND NOT EXISTS (SELECT 1 FROM errand_scheduled s WHERE s.seq = t.seq)) AS lostScheduled,
  (SELECT count(*) FROM errand_members m LEFT JOIN t USING (seq) WHERE t.seq IS NULL OR t.lane <> m.lane OR t.code > 5 OR (m.place = 0 AND t.code NOT IN (2, 4)) OR (m.place IN (2, 3)) <> (t.code = 5)) AS members,
  (SELECT count(*) FROM t WHERE lane IS NOT NULL AND code < 6 AND (flags & 128) = 0 AND NOT EXISTS (SELECT 1 FROM errand_members m WHERE m.seq = t.seq)) AS lostMembers,
  (SELECT count(*) FROM errand_rows w WHERE w.jobs <> (SELECT count(*) FROM errand_members m WHERE m.lane = w.lane AND m.place = 0 AND m.seq BETWEEN w.first AND w.last)
    OR w.first <> (SELECT min(seq) FROM errand_members m WHERE m.lane = w.lane AND m.place = 0) OR NOT EXISTS (SELECT 1 FROM errand_processes p WHERE p.id = w.process)) AS rows,
  (SELECT count(*) FROM errand_rows w JOIN errand_members m ON m.lane = w.lane AND m.place = 0 AND m.seq BETWEEN w.first AND w.last JOIN errand_jobs j ON j.seq = m.seq
    WHERE j.state > 0 OR j.line <> w.line OR j.keep <> w.keep OR (j.flags & ~9) <> 0 OR EXISTS (SELECT 1 FROM errand_running r WHERE r.seq = m.seq)) AS inRows,
  (SELECT count(*) FROM errand_uniques u LEFT JOIN t USING (seq) WHERE t.unique_key IS NOT u.key OR t.code > 5) AS uniques,
  (SELECT count(*) FROM errand_deadlines x LEFT JOIN t USING (seq) WHERE t.start_by IS NOT x.start_by OR t.starts > 0 OR t.code NOT IN (1, 3)) AS deadlines,
  (SELECT count(*) FROM errand_lanes l WHERE NOT EXISTS (SELECT 1 FROM errand_members m WHERE m.lane = l.lane)) AS lanes,
  (SELECT count(*) FROM t WHERE ((flags & 640) <> 0) <> (state = 2)) AS blocked,
  (SELECT count(*) FROM errand_key_waits w LEFT JOIN t USING (seq) WHERE t.state IS NOT 2 OR (t.flags & 512) = 0 OR t.urgency <> w.urgency) AS waits,
  (SELECT count(*) FROM t WHERE (flags & 512) <> 0 AND NOT EXISTS (SELECT 1 FROM errand_key_waits w WHERE w.seq = t.seq)) AS lostWaits,
  (SELECT count(*) FROM errand_keys k WHERE k.used <> (SELECT count(*) FROM errand_key_starts s WHERE s.key = k.key) + (SELECT count(*) FROM t, json_each(t.extra, '$.keyLimits') e
    WHERE (t.flags & 256) <> 0 AND e.value ->> '$.key' = k.key AND (t.code = 3 OR (t.code = 4 AND e.value ->> '$.is.running' IS NOT NULL)))) AS keys,
  (SELECT count(*) FROM errand_key_starts s WHERE NOT EXISTS (SELECT 1 FROM errand_keys k WHERE k.key = s.key)) AS starts,
  (SELECT count(*) FROM errand_keys k WHERE k.free_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM errand_key_waits w WHERE w.key = k.key)) AS free,
  (SELECT count(*) FROM errand_joins n WHERE n.state < 3 AND n.live <> (SELECT count(*) FROM errand_joined x JOIN t USING (seq) WHERE x.joined = n.seq AND t.code < 5)
    + (SELECT count(*) FROM errand_joins c WHERE c.parent = n.seq AND c.state < 3)) AS joins,
  (SELECT count(*) FROM errand_joins n WHERE n.members <> n.live + n.succeeded + n.failed AND n.state < 4) AS counts,
  (SELECT count(*) FROM errand_joins n WHERE n.state = 2 AND n.live = 0) AS unclosed,
  (SELECT count(*) FROM errand_joined x LEFT JOIN t USING (seq) LEFT JOIN errand_joins n ON n.seq = x.joined WHERE t.seq IS NULL OR n.seq IS NULL OR (t.flags & 16) = 0) AS joined,
  (SELECT count(*) FROM errand_after a LEFT JOIN t ON t.seq = a.node LEFT JOIN errand_joins n ON n.seq = a.node
    WHERE (t.seq IS NULL AND n.seq IS NULL) OR (t.seq IS NOT NULL AND a.is_live <> (t.code < 6))) AS after,
  (SELECT count(*) FROM t WHERE (flags & 128) <> 0 AND (flags & 32) <> 0 AND NOT EXISTS (SELECT 1 FROM errand_after a WHERE a.node = t.seq)) AS lostAfter,
  (SELECT count(*) FROM errand_terms e WHERE e.running <> (SELECT count(*) FROM errand_running r WHERE r.terms = e.id)) AS terms`;

describe("after any commands", () => {
  for (const [seed, jobs] of [[1], [2], [3], [4, "ordered"], [5, "ordered"], [6, "ordered"]] as const) {
    it(`the counters agree with a walk over all jobs, and no small row is astray (${jobs ?? "all kinds of"} jobs, seed ${seed})`, async () => {
      await using bench = new Bench();
      const engines = [bench.engine(), bench.engine()];
      const look = bench.app();
      const chance = new Chance(seed, jobs === "ordered" ? 9 : 2);
      let rowsSeen = 0;
      await engines[0]?.enqueue([{ works: [], notes }], {});
      const runs: Outcome[] = [];
      for (let step = 0; step < 250; step += 1) {
        const engine = engines[chance.upTo(1)];
        assert.ok(engine);
        bench.runtime.wall += chance.upTo(3_000);
        await one(engine, chance, runs, step);
        const counted = sorted((await engine.count({})).map(({ queue, task, state, jobs }) => ({ queue, task, code: codes[state], jobs })));
        const rows = look.prepare(walked).all() as { queue: string; task: string; code: number; jobs: number }[];
        assert.deepEqual(counted, sorted(rows), `after step ${step}`);
        const astray = Object.entries(look.prepare(strays).get() as Record<string, number>).filter(([, count]) => count > 0);
        assert.deepEqual(astray, [], `after step ${step}`);
        rowsSeen += Number(look.prepare("SELECT 1 FROM errand_rows").get() !== undefined);
      }
      if (jobs === "ordered") return assert.ok(rowsSeen > 20, `something ran as one row after ${rowsSeen} steps only`);
      for (const state of jobStates)
        assert.ok(look.prepare("SELECT 1 FROM errand_numbers WHERE line > 0 AND what = ?").get(codes[state]), `no job was ever ${state}`);
    });
  }
});

const notes = [
  { key: limitKey("at once"), value: JSON.stringify({ running: 3 }) },
  { key: limitKey("rate"), value: JSON.stringify({ starts: 4, everyMs: 5_000 }) },
  { key: resourceKey("gpu"), value: JSON.stringify({ capacity: 3 }) },
];

const codes: Readonly<Record<CountRow["state"], number>> = {
  scheduled: 1,
  blocked: 2,
  ready: 3,
  running: 4,
  parked: 5,
  completed: 6,
  skipped: 7,
  cancelled: 8,
  dead: 9,
};

function sorted<T>(rows: readonly T[]): T[] {
  return rows.map((row) => ({ ...row })).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

async function one(engine: Engine, chance: Chance, runs: Outcome[], step: number): Promise<void> {
  const kinds: readonly (() => Promise<unknown>)[] = [
    async () => engine.enqueue([{ works: Array.from({ length: 1 + chance.upTo(4) }, (_, at) => randomJob(`${step}-${at}`, chance, step)) }], {}),
    async () => engine.enqueue([{ works: randomJoin(step, chance) }], {}),
    async () => {
      const claim = `c${step}`;
      const settling = runs.splice(0, chance.upTo(runs.length));
      const claimed = await engine.claim(
        wanted({
          claim,
          process: `p${step % 3}-${Math.floor(step / 20)}`,
          tasks: ["send", "call"],
          settling,
          alone: chance.upTo(4) === 0 ? "only" : "no",
          inRow: 1 + chance.upTo(3),
          ...(chance.upTo(1) === 0 && { terms: { call: { gates: ["at once", "rate"], needs: { gpu: 1 + chance.upTo(1) } } } }),
          queues: [{ queue: "mail", slots: 1 + chance.upTo(4), ahead: chance.upTo(4) }],
        }),
        {},
      );
      runs.push(...claimed.jobs.map(({ id }) => ({ id, claim, fence: claimed.fence, ...randomEnding(chance) })));
    },
    async () => engine.settle(runs.splice(0, chance.upTo(runs.length)), {}),
    async () => engine.tidy({ items: 1 + chance.upTo(20), mayExpire: true }, {}),
    async () => engine.change(randomSelection(step, chance), randomChange(chance), 1 + chance.upTo(5), {}),
    async () => engine.beat(`p${chance.upTo(2)}-${Math.floor(step / 20)}`, leaseMs, {}),
  ];
  await kinds[chance.upTo(kinds.length - 1)]?.();
}

function randomSelection(step: number, chance: Chance): Selection {
  if (chance.upTo(3) === 0) return { join: recentJoin(step, chance) };
  return { jobs: chance.upTo(1) === 0 ? { task: "send" } : {} };
}

/** One is begun every tenth step. */
function recentJoin(step: number, chance: Chance): string {
  return `join-${Math.max(0, Math.floor(step / 10) - chance.upTo(2))}`;
}

function randomJoin(step: number, chance: Chance): NewWork[] {
  const id = `join-${Math.floor(step / 10)}`;
  const join = { kind: "join", id, content: id, rememberMs: 0, name: "batch", isSealed: chance.upTo(2) > 0 } as const;
  const within = chance.upTo(3) === 0 && step > 10 ? { join: `join-${Math.floor(step / 10) - 1}` } : {};
  return [{ ...join, ...within }, ...Array.from({ length: chance.upTo(4) }, (_, at) => randomJob(`${step}-member-${at}`, chance, step, { join: id }))];
}

function randomJob(id: string, chance: Chance, step: number, given: Partial<NewJob> = {}): NewJob {
  const optional = <T>(options: T): T | object => (chance.upTo(chance.rarity) === 0 ? options : {});
  const modes = [
    { is: "keep" },
    { is: "replace" },
    { is: "debounce", quietMs: 2_000, atMostMs: 5_000 },
    { is: "throttle", windowMs: 9_000 },
    { is: "one-more" },
    { is: "gather", quietMs: 1_000, atMostMs: 4_000, most: 3 },
  ] as const;
  const before = { id: `${step - 1 - chance.upTo(3)}-0`, when: (["well", "badly", "ended"] as const)[chance.upTo(2)] ?? "well" };
  const lane = chance.upTo(3);
  return job(id, {
    task: chance.upTo(1) === 0 || chance.rarity > 2 ? "send" : "call",
    keep: { completed: 20_000, skipped: 20_000, cancelled: 20_000, dead: 40_000 },
    ...optional({ delayMs: chance.upTo(9_000) }),
    ...optional({ startWithinMs: chance.upTo(20_000) }),
    ...(chance.upTo(2) * 2 < chance.rarity && {
      lane: { key: `lane-${lane}`, width: chance.rarity > 2 ? 1 : 1 + (lane % 2), ifDead: (["park", "block", "continue"] as const)[lane % 3] ?? "park" },
    }),
    ...optional({ unique: { key: `unique-${chance.upTo(3)}`, mode: modes[chance.upTo(modes.length - 1)] ?? { is: "keep" } } }),
    ...optional({ rememberMs: 30_000 }),
    ...optional({ keyLimits: [limits[chance.upTo(2)] ?? limits[0], limits[3]].slice(0, 1 + chance.upTo(1)) }),
    ...(chance.upTo(2 * chance.rarity) === 0 && { after: [before] }),
    ...given,
    payload: "[1]",
  });
}

const limits = [
  { key: "once", is: { running: 1 } },
  { key: "twice", is: { running: 2 } },
  { key: "rate", is: { starts: 2, everyMs: 4_000 } },
  { key: "all", is: { running: 4 } },
] as const;

function randomEnding(chance: Chance): Pick<Outcome, "is" | "ranMs"> & Partial<Outcome> {
  const endings = ["completed", "completed", "skipped", "dead", "dead", "retry", "snoozed", "released", "saved"] as const;
  const is = endings[chance.upTo(endings.length - 1)] ?? "completed";
  return { is, ranMs: 1, ...(chance.upTo(2) === 0 && { delayMs: chance.upTo(5_000) }), ...(chance.upTo(3) === 0 && { checkpoint: "1" }) };
}

function randomChange(chance: Chance): Change {
  const changes: readonly Change[] = [
    { do: "cancel", reason: "no" },
    { do: "retry" },
    { do: "retry" },
    { do: "prioritise", headStartMs: chance.upTo(3) * 1_000 },
    { do: "delete" },
  ];
  return changes[chance.upTo(changes.length - 1)] ?? { do: "retry" };
}

/** The same sequence for the same seed (mulberry32). */
class Chance {
  #state: number;
  /** Of what a job may have, one in so many more than one has it. */
  readonly rarity: number;

  constructor(seed: number, rarity: number) {
    this.#state = seed;
    this.rarity = rarity;
  }

  upTo(most: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * (most + 1));
  }
}
