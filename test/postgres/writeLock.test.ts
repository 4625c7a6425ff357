/** Verbs of many connections at once do as if they came one after the other; and without the write lock they would not, as this test sees. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import pg from "pg";
import type { At, Engine } from "../../src/core/engine.ts";
import { postgres } from "../../src/postgres/index.ts";
import { job, start } from "../port/stage.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { beginningWith, freshPlace } from "./places.ts";
import { postgresMissing } from "./server.ts";

const skip = postgresMissing ?? false;
const at: At = { now: start };
const actors = 6;
const lanes = 4;
const perLane = 15;
const uniques = 20;
/** A claim that finds nothing while others still run. */
const emptyMax = 1_000;
/** More of it would say no more. */
const wrongMax = 5;

describe("verbs at once", { skip }, () => {
  it("hand each job out once, one of a lane at a time, and store one job for a unique key", async () => {
    assert.deepEqual(await storm("with the lock"), []);
  });

  it("would not without the write lock, and this test says so", async () => {
    const wrong = await storm("without the lock");
    assert.ok(
      wrong.some((each) => /handed out (2 times|beside)|jobs for the unique key|could not be settled/.test(each)),
      wrong.join("\n"),
    );
  });
});

/** What went wrong. */
async function storm(how: "with the lock" | "without the lock"): Promise<readonly string[]> {
  const place = await freshPlace();
  const pools = Array.from({ length: actors }, () => new pg.Pool({ connectionString: place.url, max: 1, ...beginningWith("-c lock_timeout=2000") }));
  const engines = pools.map((pool) => postgres(pool, { schema: place.schema }));
  for (const engine of engines) await engine.open({ runtime: new StillRuntime() });
  const undo = how === "without the lock" ? await withoutLock(place.pool, place.schema) : undefined;
  const wrong: string[] = [];
  try {
    await Promise.all(engines.map((engine, actor) => handIn(engine, actor, wrong)));
    const work = new Work(wrong);
    await Promise.all(engines.map((engine, actor) => work.of(engine, `p${actor}`)));
    work.judge();
  } finally {
    for (const engine of engines) await engine.close();
    for (const pool of pools) await pool.end();
    await undo?.();
    await place.done();
  }
  return wrong;
}

/** All hand in jobs of all lanes, and ask for the same unique keys at the same time. */
async function handIn(engine: Engine, actor: number, wrong: string[]): Promise<void> {
  for (let n = actor; n < lanes * perLane; n += actors) {
    const lane = `lane ${n % lanes}`;
    await noting(wrong, async () => engine.enqueue([{ works: [job(`job ${n}`, { lane: { key: lane, width: 1, ifDead: "park" } })] }], at));
  }
  for (let n = 0; n < uniques; n += 1) {
    const unique = { key: `key ${n}`, mode: { is: "keep" } } as const;
    await noting(wrong, async () => engine.enqueue([{ works: [job(`unique ${n} of ${actor}`, { unique })] }], at));
  }
}

class Work {
  readonly #wrong: string[];
  readonly #starts = new Map<string, number>();
  readonly #busy = new Map<string, string>();

  constructor(wrong: string[]) {
    this.#wrong = wrong;
  }

  async of(engine: Engine, process: string): Promise<void> {
    for (let empty = 0, claims = 0; empty < emptyMax && !this.#isDone; claims += 1) {
      const claim = `${process} ${claims}`;
      const wanted = {
        process,
        leaseMs: 8_000,
        claim,
        lastFence: 0,
        queues: [{ queue: "mail", slots: 3, ahead: 0 }],
        tasks: ["send"],
        alone: "no",
        settling: [],
      } as const;
      const claimed = await noting(this.#wrong, async () => engine.claim(wanted, at));
      if (claimed === undefined || this.#wrong.length >= wrongMax) return;
      if (claimed.jobs.length === 0) empty += 1;
      for (const { id, lane } of claimed.jobs) this.#start(id, lane);
      for (const { id, lane } of claimed.jobs) {
        this.#busy.delete(lane ?? id);
        const outcome = { id, claim, fence: claimed.fence, is: "completed" } as const;
        await noting(this.#wrong, async () => {
          const [settled] = await engine.settle([outcome as never], at);
          if (settled?.is !== "settled") this.#wrong.push(`${id} could not be settled: ${String(settled?.is)}`);
        });
      }
    }
  }

  judge(): void {
    for (const [id, times] of this.#starts) if (times > 1) this.#wrong.push(`${id} was handed out ${times} times`);
    const ids = [...this.#starts.keys()];
    const jobs = ids.filter((id) => id.startsWith("job ")).length;
    if (jobs !== lanes * perLane) this.#wrong.push(`${jobs} of ${lanes * perLane} jobs were handed out`);
    for (let n = 0; n < uniques; n += 1) {
      const own = ids.filter((id) => id.startsWith(`unique ${n} of`)).length;
      if (own !== 1) this.#wrong.push(`${own} jobs for the unique key ${n}`);
    }
  }

  get #isDone(): boolean {
    return this.#starts.size >= lanes * perLane + uniques;
  }

  #start(id: string, lane: string | undefined): void {
    this.#starts.set(id, (this.#starts.get(id) ?? 0) + 1);
    if (lane === undefined) return;
    if (this.#busy.has(lane)) this.#wrong.push(`${id} was handed out beside ${this.#busy.get(lane)} of ${lane}`);
    this.#busy.set(lane, id);
  }
}

async function noting<T>(wrong: string[], call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    wrong.push(String(error));
    return undefined;
  }
}

/** Verbs begin as ever, but for the lock. Answers how it is put back. */
async function withoutLock(pool: pg.Pool, schema: string): Promise<() => Promise<unknown>> {
  const { rows } = await pool.query<{ body: string }>(`SELECT pg_get_functiondef('${schema}.begin_verb'::regproc) AS body`);
  const body = rows[0]?.body ?? "";
  const without = body.replace(/PERFORM pg_advisory_xact_lock\(.*714\)\);/, "");
  assert.notEqual(without, body);
  await pool.query(without);
  return () => pool.query(body);
}
