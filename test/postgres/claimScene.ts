/** A store in which many jobs run in one row: engines of two processes, transactions of the app's, and what must hold of its tables after each test. */
import assert from "node:assert/strict";
import pg from "pg";
import type { At, Change, Claim, Engine, Heard, JobRow, NewWork, Outcome, Settled, Tidied } from "../../src/core/engine.ts";
import type { JobState } from "../../src/core/states.ts";
import { postgres } from "../../src/postgres/index.ts";
import { day, job, leaseMs, start } from "../port/stage.ts";
import type { JobOptions } from "../port/stage.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { emptyStore } from "./emptying.ts";
import { freshPlace, type Place } from "./places.ts";

/** Whoever waits for a lock for so long fails, and so does its law. */
const waitsMs = 2_000;

export type Row = Readonly<Record<string, unknown>>;
type Held = Readonly<{ claim: string; fence: number }>;

/** Each law at another time: its engines serve others too, and never meet a fence again, as they do ids and numbers. */
let begins: number = start;

/** What no table may hold: a query each, which finds nothing. */
const leftovers: Readonly<Record<string, string>> = {
  "a row of claims without jobs": "SELECT * FROM errand.claims WHERE seqs = '{}'",
  "a row of claims whose span does not hold its jobs, or not in order":
    "SELECT * FROM errand.claims WHERE low > seqs[1] OR beyond <= seqs[cardinality(seqs)] OR seqs <> ARRAY(SELECT DISTINCT u FROM unnest(seqs) u ORDER BY u)",
  "a job that runs twice, or runs and has completed": `SELECT seq FROM (
    SELECT seq FROM errand.running UNION ALL SELECT unnest(seqs) FROM errand.claims UNION ALL
    SELECT (block << 8) + unnest(places) FROM errand.completions UNION ALL SELECT seq FROM errand.ready UNION ALL SELECT seq FROM errand.scheduled) q GROUP BY seq HAVING count(*) > 1`,
  "a job that runs or has completed, and is gone or stands otherwise": `SELECT q.seq FROM (SELECT seq FROM errand.running UNION ALL SELECT unnest(seqs) FROM errand.claims UNION ALL
    SELECT (block << 8) + unnest(places) FROM errand.completions) q LEFT JOIN errand.jobs j ON j.seq = q.seq WHERE j.seq IS NULL OR j.state <> 0`,
  "a row of completions without jobs, or not in order":
    "SELECT * FROM errand.completions WHERE places = '{}' OR places <> ARRAY(SELECT DISTINCT u FROM unnest(places) u ORDER BY u)",
  "a gate of which more or less is held than runs": `SELECT t.id, t.running FROM errand.terms t WHERE t.running <> (SELECT count(*) FROM errand.running r WHERE r.terms = t.id)
    + (SELECT coalesce(sum(cardinality(c.seqs)), 0) FROM errand.claims c WHERE c.terms = t.id)`,
  "what was handed in": "SELECT * FROM errand.inbox",
  "what was settled and is not taken in": "SELECT * FROM errand.running WHERE is_settled",
  "a row that the other table has too": "SELECT * FROM errand.running r JOIN errand.claims c ON r.seq = ANY (c.seqs)",
};

const leftBehind = Object.entries(leftovers)
  .map(([what, query]) => `SELECT '${what}' AS what, to_jsonb(q) AS is FROM (${query}) q`)
  .join(" UNION ALL ");
/** Those of narrow rows, each of which is found in its own way. */
const foundByState: readonly JobState[] = ["ready", "running", "completed"];

/** A transaction of the app's, on a connection of its own. */
export class Caller {
  readonly client: pg.Client;
  readonly #scene: ClaimScene;

  constructor(client: pg.Client, scene: ClaimScene) {
    this.client = client;
    this.#scene = scene;
  }

  /** As `job.commit`. */
  async settle(id: string, is: Outcome["is"] = "completed", more: Partial<Outcome> = {}): Promise<string> {
    return this.hand(this.#scene.outcome(id, is, more));
  }

  async hand(outcome: Outcome): Promise<string> {
    const [settled] = await this.#scene.engine.settle([outcome], { ...this.#scene.at, tx: this.client });
    return settled?.is ?? "";
  }

  async end(how: "COMMIT" | "ROLLBACK"): Promise<void> {
    await this.client.query(how);
  }
}

export class ClaimScene {
  readonly engine: Engine;
  /** Of a process that never saw the claims: it tells jobs by their ids. */
  readonly other: Engine;
  readonly schema: string;
  now: number = (begins += day);
  readonly #pool: pg.Pool;
  readonly #url: string;
  readonly #clients: pg.Client[] = [];
  readonly #held = new Map<string, Held>();
  #claims = 0;

  constructor(engine: Engine, other: Engine, place: { readonly schema: string; readonly pool: pg.Pool; readonly url: string }) {
    this.engine = engine;
    this.other = other;
    this.schema = place.schema;
    this.#pool = place.pool;
    this.#url = place.url;
  }

  get at(): At {
    return { now: this.now };
  }

  async enqueue(...works: readonly NewWork[]): Promise<void> {
    for (const answer of await this.engine.enqueue([{ works }], this.at)) assert.ok(Array.isArray(answer), String(answer));
  }

  /** Jobs "1" to "n", claimed by "p" in one claim. */
  async start(jobs: number, options: JobOptions = {}): Promise<string[]> {
    const ids = Array.from({ length: jobs }, (_, n) => String(n + 1));
    await this.enqueue(...ids.map((id) => job(id, options)));
    assert.deepEqual(await this.claim(jobs), ids);
    return ids;
  }

  async claim(slots = 10, process = "p", more: Partial<Claim> = {}, engine = this.engine): Promise<string[]> {
    const claim = `claim ${(this.#claims += 1)}`;
    const asked = {
      process,
      leaseMs,
      claim,
      lastFence: 0,
      queues: [{ queue: "mail", slots, ahead: 0 }],
      tasks: ["send"],
      alone: "no",
      settling: [],
      ...more,
    } as const;
    const { jobs, fence } = await engine.claim(asked, this.at);
    for (const { id } of jobs) this.#held.set(id, { claim, fence });
    return jobs.map(({ id }) => id);
  }

  held(id: string): Held {
    return this.#held.get(id) ?? { claim: "none", fence: 0 };
  }

  /** As that outcome says, whoever has it now. */
  hold(id: string, { claim, fence }: Outcome): void {
    this.#held.set(id, { claim, fence });
  }

  outcome(id: string, is: Outcome["is"] = "completed", more: Partial<Outcome> = {}): Outcome {
    return { id, ...this.held(id), is, ranMs: 1, ...(is === "retry" && { delayMs: 0 }), ...(is === "saved" && { checkpoint: "1" }), ...more };
  }

  settle(outcomes: readonly Outcome[], engine = this.engine): Promise<Settled[]> {
    return Promise.resolve(engine.settle(outcomes, this.at));
  }

  /** Each as "id is state". */
  async settled(ids: readonly string[], is: Outcome["is"] = "completed", engine = this.engine): Promise<string> {
    const outcomes = ids.map((id) => this.outcome(id, is));
    return (await this.settle(outcomes, engine)).map((each) => `${each.id} ${each.is} ${each.state ?? ""}`.trim()).join(", ");
  }

  async change(ids: readonly string[], change: Change): Promise<string> {
    return (await this.engine.change({ ids }, change, 1_000, this.at)).jobs.map(({ is }) => is).join(" ");
  }

  cancel(id: string): Promise<string> {
    return this.change([id], { do: "cancel", reason: "not wanted" });
  }

  async tidy(items = 1_000): Promise<Tidied> {
    return this.engine.tidy({ items, mayExpire: true }, this.at);
  }

  async beat(process = "p"): Promise<Heard> {
    return this.engine.beat(process, leaseMs, this.at);
  }

  async rows(...ids: readonly string[]): Promise<readonly JobRow[]> {
    return (await this.engine.find({ of: "jobs", ids }, this.at)).rows;
  }

  /** "ready completed": in the order of asking. */
  async states(...ids: readonly string[]): Promise<string> {
    const known = new Map((await this.rows(...ids)).map(({ id, state }) => [id, state]));
    return ids.map((id) => known.get(id) ?? "unknown").join(" ");
  }

  async found(state: JobState | undefined, limit = 1_000, newestFirst = false): Promise<JobRow[]> {
    const rows: JobRow[] = [];
    const where = state === undefined ? {} : { states: [state] };
    for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
      const page = await this.engine.find({ of: "jobs", where, limit, newestFirst, ...(after !== undefined && { after }) }, this.at);
      rows.push(...page.rows);
      after = page.next;
    }
    return rows;
  }

  async open(begin = "BEGIN"): Promise<Caller> {
    const client = new pg.Client({ connectionString: this.#url });
    this.#clients.push(client);
    client.on("error", () => undefined);
    await client.connect();
    await client.query(begin);
    return new Caller(client, this);
  }

  async sql(text: string): Promise<readonly Row[]> {
    return (await this.#pool.query<Row>(text.replaceAll("errand.", `${this.schema}.`))).rows;
  }

  /** Its connection waits for a lock. */
  async isWaiting({ client }: Caller): Promise<void> {
    const { processID } = client as pg.Client & { readonly processID: number };
    while ((await this.sql(`SELECT 1 FROM pg_locks WHERE pid = ${processID} AND NOT granted`)).length === 0);
  }

  async isGone({ client }: Caller): Promise<void> {
    const { processID } = client as pg.Client & { readonly processID: number };
    while ((await this.sql(`SELECT 1 FROM pg_stat_activity WHERE pid = ${processID}`)).length > 0);
  }

  /** Nothing is left behind; the counters and every way to find jobs say the same. All callers have ended. */
  async isWhole(): Promise<void> {
    const all = await this.found(undefined);
    assert.deepEqual(await this.sql(leftBehind), []);
    const walked: Record<string, number> = {};
    for (const { state } of all) walked[state] = (walked[state] ?? 0) + 1;
    const counted: Record<string, number> = {};
    for (const { state, jobs } of await this.engine.count(this.at)) counted[state] = (counted[state] ?? 0) + jobs;
    assert.deepEqual(counted, walked);
    for (const state of foundByState) {
      const ids = all.filter((row) => row.state === state).map(({ id }) => id);
      assert.deepEqual(
        (await this.found(state, 7)).map(({ id }) => id),
        ids,
        `by pages: ${state}`,
      );
      assert.deepEqual(
        (await this.found(state, 7, true)).map(({ id }) => id),
        ids.toReversed(),
        `by pages, newest first: ${state}`,
      );
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()));
  }
}

interface Stand {
  readonly engines: readonly [Engine, Engine];
  readonly place: Place;
  readonly pool: pg.Pool;
}

/** What one law is done with serves the next: connections that know their plans cost more than a law takes. */
const idle: Stand[] = [];

export async function onClaimScene(law: (scene: ClaimScene) => Promise<void>): Promise<void> {
  const stand = idle.pop() ?? (await makeStand());
  const scene = new ClaimScene(...stand.engines, stand.place);
  let isWhole = false;
  try {
    await law(scene);
    await scene.isWhole();
    isWhole = true;
  } finally {
    await scene.close();
    if (isWhole) await emptyStore(stand.place.pool, stand.place.schema);
    if (isWhole) idle.push(stand);
    else await stand.pool.end();
  }
}

async function makeStand(): Promise<Stand> {
  const place = await freshPlace();
  const pool = new pg.Pool({ connectionString: place.url, max: 8, allowExitOnIdle: true, options: `-c lock_timeout=${waitsMs}` });
  // The last ones are dropped with their database.
  pool.on("error", () => undefined);
  const engines = [postgres(pool, { schema: place.schema }), postgres(pool, { schema: place.schema })] as const;
  for (const engine of engines) await engine.open({ runtime: new StillRuntime() });
  return { engines, place, pool };
}
