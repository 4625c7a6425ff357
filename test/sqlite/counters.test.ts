import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Change, CountRow, Engine, NewJob, Outcome } from "../../src/core/engine.ts";
import { jobStates } from "../../src/core/states.ts";
import { Bench, job, leaseMs, wanted } from "./bench.ts";

/** Told by the wide row and the small ones together: what the counters must agree with. */
const walked = `SELECT l.queue, l.task, CASE WHEN j.state > 0 THEN j.state WHEN r.seq IS NOT NULL THEN 4 WHEN d.seq IS NOT NULL THEN 6 ELSE 3 END AS code, count(*) AS jobs
  FROM errand_jobs j JOIN errand_lines l ON l.id = j.line LEFT JOIN errand_running r USING (seq) LEFT JOIN errand_done d USING (seq) GROUP BY 1, 2, 3`;
/** Every small row has its job, in the right state; and every job its small row. */
const strays = `SELECT (SELECT count(*) FROM errand_ready y LEFT JOIN errand_jobs j USING (seq) LEFT JOIN errand_running r USING (seq) LEFT JOIN errand_done d USING (seq)
    WHERE j.state IS NOT 0 OR r.seq IS NOT NULL OR d.seq IS NOT NULL OR abs(y.line) <> j.line OR y.urgency <> j.urgency OR (y.line < 0) <> (j.suspects >= 2)) AS ready,
  (SELECT count(*) FROM errand_jobs j WHERE state = 0 AND NOT EXISTS (SELECT 1 FROM errand_running r WHERE r.seq = j.seq) AND NOT EXISTS (SELECT 1 FROM errand_done d WHERE d.seq = j.seq)
    AND NOT EXISTS (SELECT 1 FROM errand_ready y WHERE y.seq = j.seq)) AS lostReady,
  (SELECT count(*) FROM errand_scheduled s LEFT JOIN errand_jobs j USING (seq) WHERE j.state IS NOT 1 OR s.due_at <> j.due_at) AS scheduled,
  (SELECT count(*) FROM errand_jobs j WHERE state = 1 AND NOT EXISTS (SELECT 1 FROM errand_scheduled s WHERE s.seq = j.seq)) AS lostScheduled,
  (SELECT count(*) FROM errand_members m LEFT JOIN errand_jobs j USING (seq) WHERE j.seq IS NULL OR j.lane <> m.lane OR (m.place = 0) <> (j.state = 2) OR (m.place IN (2, 3)) <> (j.state = 5)) AS members,
  (SELECT count(*) FROM errand_jobs j LEFT JOIN errand_done d USING (seq) WHERE j.lane IS NOT NULL AND j.state < 6 AND d.seq IS NULL
    AND NOT EXISTS (SELECT 1 FROM errand_members m WHERE m.seq = j.seq)) AS lostMembers,
  (SELECT count(*) FROM errand_uniques u LEFT JOIN errand_jobs j USING (seq) LEFT JOIN errand_done d USING (seq) WHERE j.unique_key IS NOT u.key OR j.state > 5 OR d.seq IS NOT NULL) AS uniques,
  (SELECT count(*) FROM errand_deadlines x LEFT JOIN errand_jobs j USING (seq) LEFT JOIN errand_running r USING (seq) WHERE j.start_by IS NOT x.start_by OR j.starts > 0 OR j.state > 1 OR r.seq IS NOT NULL) AS deadlines,
  (SELECT count(*) FROM errand_lanes l WHERE NOT EXISTS (SELECT 1 FROM errand_members m WHERE m.lane = l.lane)) AS lanes`;

describe("after any commands", () => {
  for (const seed of [1, 2, 3]) {
    it(`the counters agree with a walk over all jobs, and no small row is astray (seed ${seed})`, async () => {
      await using bench = new Bench();
      const engines = [bench.engine(), bench.engine()];
      const look = bench.app();
      const chance = new Chance(seed);
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
      }
      for (const state of jobStates)
        assert.ok(look.prepare("SELECT 1 FROM errand_numbers WHERE line > 0 AND what = ?").get(codes[state]), `no job was ever ${state}`);
    });
  }
});

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
    async () => engine.enqueue([{ works: Array.from({ length: 1 + chance.upTo(4) }, (_, at) => randomJob(`${step}-${at}`, chance)) }], {}),
    async () => {
      const claim = `c${step}`;
      const settling = runs.splice(0, chance.upTo(runs.length));
      const claimed = await engine.claim(
        wanted({
          claim,
          process: `p${step % 3}-${Math.floor(step / 20)}`,
          slots: 1 + chance.upTo(4),
          tasks: ["send", "call"],
          settling,
          alone: chance.upTo(4) === 0 ? "only" : "no",
        }),
        {},
      );
      runs.push(...claimed.jobs.map(({ id }) => ({ id, claim, fence: claimed.fence, ...randomEnding(chance) })));
    },
    async () => engine.settle(runs.splice(0, chance.upTo(runs.length)), {}),
    async () => engine.tidy({ items: 1 + chance.upTo(20), mayExpire: true }, {}),
    async () => engine.change({ jobs: chance.upTo(1) === 0 ? { task: "send" } : {} }, randomChange(chance), 1 + chance.upTo(5), {}),
    async () => engine.beat(`p${chance.upTo(2)}-${Math.floor(step / 20)}`, leaseMs, {}),
  ];
  await kinds[chance.upTo(kinds.length - 1)]?.();
}

function randomJob(id: string, chance: Chance): NewJob {
  const optional = <T>(options: T): T | object => (chance.upTo(2) === 0 ? options : {});
  const modes = [
    { is: "keep" },
    { is: "replace" },
    { is: "debounce", quietMs: 2_000, atMostMs: 5_000 },
    { is: "throttle", windowMs: 9_000 },
    { is: "one-more" },
  ] as const;
  const lane = chance.upTo(3);
  return job(id, {
    task: chance.upTo(1) === 0 ? "send" : "call",
    keep: { completed: 20_000, skipped: 20_000, cancelled: 20_000, dead: 40_000 },
    ...optional({ delayMs: chance.upTo(9_000) }),
    ...optional({ startWithinMs: chance.upTo(20_000) }),
    ...optional({ lane: { key: `lane-${lane}`, width: 1 + (lane % 2), ifDead: (["park", "block", "continue"] as const)[lane % 3] ?? "park" } }),
    ...optional({ unique: { key: `unique-${chance.upTo(3)}`, mode: modes[chance.upTo(modes.length - 1)] ?? { is: "keep" } } }),
    ...optional({ rememberMs: 30_000 }),
  });
}

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

  constructor(seed: number) {
    this.#state = seed;
  }

  upTo(most: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * (most + 1));
  }
}
