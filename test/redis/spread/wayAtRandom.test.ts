/** Jobs of all kinds go through three homes at random, while mail lies about, workers die and people change things: what is promised of each key holds, and nothing is left. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { JobRow, Outcome, Uniqueness } from "../../../src/core/engine.ts";
import { day, job, join } from "../../port/stage.ts";
import type { JobOptions } from "../../port/stage.ts";
import { redisMissing } from "../server.ts";
import { count, kept, Way } from "./way.ts";
import type { Sent } from "./way.ts";

const skip = redisMissing ?? false;
const seed = Number(process.env["ERRAND_SEED"] ?? 7);
const walks = 3;
const steps = 100;
const lookEvery = 3;
const roundsMax = 60;
const short = { completed: 2_000, skipped: 2_000, cancelled: 2_000, dead: 30 * day };
const live = ["scheduled", "blocked", "ready", "running", "parked"];

const modes: readonly Uniqueness["mode"][] = [
  { is: "keep" },
  { is: "replace" },
  { is: "throttle", windowMs: 700 },
  { is: "gather", quietMs: 50, atMostMs: 300, most: 3 },
];
const outcomes: readonly Outcome["is"][] = ["completed", "completed", "completed", "skipped", "dead", "retry", "snoozed", "released"];
const changes = [{ do: "cancel", reason: "not wanted" }, { do: "retry" }, { do: "retry" }, { do: "prioritise", headStartMs: 5 }, { do: "delete" }] as const;

for (let nth = 0; nth < walks; nth += 1) {
  it(`what is promised of keys holds over homes, and nothing is left (seed ${seed + nth})`, { skip }, async () => {
    await using way = await Way.of();
    const walk = new Walk(way, seed + nth);
    await walk.walk();
    await walk.end();
  });
}

class Walk {
  readonly #way: Way;
  readonly #random: (most: number) => number;
  readonly #ids: string[] = [];
  readonly #joins: readonly { readonly id: string; readonly home: number }[];
  /** Claimed and not settled, as far as we know. */
  readonly #held = new Set<string>();

  constructor(way: Way, from: number) {
    this.#way = way;
    this.#random = randomFrom(from);
    this.#joins = [0, 1, 2].map((home) => ({ id: way.id("j", home), home }));
  }

  async walk(): Promise<void> {
    for (const { id, home } of this.#joins) await this.#way.enqueue(home, join(id, { isSealed: false }));
    for (let step = 0; step < steps; step += 1) {
      await this.#step();
      if (step % lookEvery === 0) await this.#check();
    }
  }

  /** All comes to its end, and is forgotten. */
  async end(): Promise<void> {
    this.#way.isHolding = false;
    await this.#way.carry();
    for (const { id, home } of this.#joins) await this.#way.enqueue(home, join(id));
    for (let round = 0; round < roundsMax && (await this.#living()).length > 0; round += 1) await this.#finish();
    assert.deepEqual(await this.#living(), []);
    for (const { id, home } of this.#joins) assert.equal((await this.#way.join(home, id)).state, "closed");
    for (const { row } of await this.#way.rows()) if (row.state === "dead") await this.#way.change(row.id, { do: "delete" });
    for (let days = 0; days < 40; days += 1) await this.#way.advance(day);
    for (const name of this.#way.homes.names) assert.deepEqual(await kept(this.#way, name), []);
  }

  #step(): Promise<unknown> {
    const what = this.#random(100);
    if (what < 45) return this.#enqueue();
    if (what < 60) return this.#claim();
    if (what < 80) return this.#settle();
    if (what < 87) return this.#change();
    if (what < 94) return this.#way.advance(this.#random(300));
    if (what < 96) return this.#way.advance(9_000);
    if (what < 98) return this.#way.sendAgain(this.#random(count));
    this.#way.isHolding = !this.#way.isHolding;
    return this.#way.isHolding ? Promise.resolve() : this.#way.carry();
  }

  async #enqueue(): Promise<void> {
    const id = `i${this.#ids.length}`;
    const work: Sent = { ...job(id, this.#options()), ...(this.#chance(4) && this.#member()), ...(this.#chance(4) && (await this.#after())) };
    this.#ids.push(id);
    await this.#way.enqueue(this.#random(count), work);
  }

  #options(): JobOptions {
    const [u, l] = [this.#random(8), this.#random(6)];
    const mode = modes[u % modes.length] ?? { is: "keep" };
    const limits = [0, 1, 2, 3].filter(() => this.#chance(5));
    return {
      keep: short,
      payload: "[1]",
      ...(this.#chance(3) && { delayMs: this.#random(200) }),
      ...(this.#chance(8) && { startWithinMs: this.#random(2_000) }),
      ...(this.#chance(2) && { unique: { key: this.#way.name("u", u % count, u), mode } }),
      ...(this.#chance(2) && {
        lane: { key: this.#way.name("l", l % count, l), width: 1 + (l % 2), ifDead: (["park", "block", "continue"] as const)[l % 3] ?? "park" },
      }),
      ...(limits.length > 0 && {
        keyLimits: limits.map((one) => ({
          key: this.#way.name("x", one % count, one),
          is: one === 3 ? { starts: 1, everyMs: 100 } : { running: 1 + (one % 2) },
        })),
      }),
    };
  }

  #member(): object {
    const { id, home } = this.#joins[this.#random(count)] ?? assert.fail();
    return { join: id, joinHome: home };
  }

  /** Of what some home knows. */
  async #after(): Promise<object> {
    const after: object[] = [];
    for (let nth = 0; nth < 2; nth += 1) {
      const id = this.#ids[this.#random(this.#ids.length)];
      const [seen] = id === undefined ? [] : await this.#way.seen(id);
      const home = /\d/.exec(seen ?? "")?.[0];
      if (home !== undefined) after.push({ id, when: (["well", "badly", "ended", "ended"] as const)[this.#random(4)], home: Number(home) });
    }
    return after.length > 0 ? { after } : {};
  }

  async #claim(): Promise<void> {
    const alone = this.#chance(4) ? "only" : "no";
    for (const { id } of await this.#way.claim(this.#random(count), 1 + this.#random(4), 1, alone)) this.#held.add(id);
  }

  async #settle(): Promise<void> {
    for (const id of [...this.#held].slice(0, 3)) {
      this.#held.delete(id);
      await this.#way.trySettle(id, outcomes[this.#random(outcomes.length)] ?? "completed", { delayMs: this.#random(200) });
    }
  }

  async #change(): Promise<void> {
    const id = this.#ids[this.#random(this.#ids.length)];
    const asked = changes[this.#random(changes.length)];
    if (id !== undefined && asked !== undefined) await this.#way.change(id, asked);
  }

  async #living(): Promise<readonly string[]> {
    return (await this.#way.rows()).filter(({ row }) => live.includes(row.state)).map(({ home, row }) => `${row.id} ${home} ${row.state}`);
  }

  async #finish(): Promise<void> {
    await this.#way.advance(10_000);
    for (let home = 0; home < count; home += 1) {
      for (const alone of ["no", "only"] as const) {
        for (const { id } of await this.#way.claim(home, 50, 1, alone)) await this.#way.settle(id, "completed");
      }
    }
    const { row } = (await this.#way.rows()).find((each) => each.row.state === "parked") ?? {};
    if (row !== undefined) await this.#way.change(row.id, this.#chance(2) ? { do: "retry" } : { do: "cancel", reason: "not wanted" });
    await this.#check();
  }

  async #check(): Promise<void> {
    const rows = (await this.#way.rows()).map(({ row }) => row);
    assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length, "each job is in one home");
    const runs = rows.filter(({ state }) => state === "running");
    for (const [key, jobs] of by(runs, ({ lane }) => (lane === undefined ? [] : [lane]))) {
      assert.ok(jobs.length <= this.#widthOf(key), `lane ${key}: ${jobs.map(({ id }) => id).join()}`);
    }
    for (const [key, jobs] of by(runs, limitsOf)) assert.ok(jobs.length <= mostOf(jobs[0], key), `limit ${key}: ${jobs.map(({ id }) => id).join()}`);
    // Who waits for a join or for what comes before it has not come to its key yet.
    const holders = rows.filter(({ state, waits }) => live.includes(state) && waits?.reason !== "join" && waits?.reason !== "after");
    for (const [key, jobs] of by(holders, ({ unique }) => (unique === undefined || this.#isGathered(unique) ? [] : [unique]))) {
      assert.ok(jobs.length <= 1, `unique ${key}: ${jobs.map(({ id, state }) => `${id} ${state}`).join()}`);
    }
  }

  #widthOf(lane: string): number {
    return [1, 3, 5].some((l) => this.#way.name("l", l % count, l) === lane) ? 2 : 1;
  }

  #isGathered(key: string): boolean {
    return [3, 7].some((u) => this.#way.name("u", u % count, u) === key);
  }

  /** One in so many. */
  #chance(of: number): boolean {
    return this.#random(of) === 0;
  }
}

function limitsOf({ keyLimits = [] }: JobRow): readonly string[] {
  return keyLimits.filter(({ is }) => "running" in is).map(({ key }) => key);
}

function mostOf(row: JobRow | undefined, key: string): number {
  const is = row?.keyLimits?.find((limit) => limit.key === key)?.is;
  return is !== undefined && "running" in is ? is.running : Number.POSITIVE_INFINITY;
}

function by(rows: readonly JobRow[], keysOf: (row: JobRow) => readonly string[]): ReadonlyMap<string, readonly JobRow[]> {
  const grouped = new Map<string, JobRow[]>();
  for (const row of rows) for (const key of keysOf(row)) grouped.set(key, [...(grouped.get(key) ?? []), row]);
  return grouped;
}

/** Mulberry32: whole numbers below that. */
function randomFrom(from: number): (most: number) => number {
  let state = from;
  return (most) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % most;
  };
}
