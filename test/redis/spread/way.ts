/** Three homes on one server, at the level of their verbs: where each job is, and what stands in for it. */
import assert from "node:assert/strict";
import type {
  Change,
  Changed,
  ChangedJob,
  Claim,
  ClaimedJob,
  Enqueued,
  JobFilter,
  JobRow,
  JoinRow,
  NewWork,
  Outcome,
  Settled,
} from "../../../src/core/engine.ts";
import { ErrandError } from "../../../src/core/errors.ts";
import type { Carrier } from "../../../src/redis/spread/carrier.ts";
import { homeOfText } from "../../../src/redis/spread/homes.ts";
import { homeOfName, Route } from "../../../src/redis/spread/routing.ts";
import type { Verbs } from "../../../src/redis/verbs.ts";
import { leaseMs, start } from "../../port/stage.ts";
import type { JobOptions } from "../../port/stage.ts";
import { Homes } from "./stage.ts";

export const count = 3;

/** A work with where its join is, and what it comes after. */
export type Sent = NewWork & { readonly joinHome?: number };

interface Held {
  readonly home: number;
  readonly claim: string;
  readonly fence: number;
}

export class Way implements AsyncDisposable {
  readonly homes: Homes;
  readonly #verbs: readonly Verbs[];
  readonly #carrier: Carrier;
  readonly #lying: (readonly [from: number, to: number])[] = [];
  readonly #held = new Map<string, Held>();
  #claims = 0;
  now: number = start;
  /** True: what homes tell each other lies about until it is carried. */
  isHolding = false;

  private constructor(homes: Homes) {
    this.homes = homes;
    this.#carrier = homes.carrier();
    this.#verbs = homes.names.map((_, home) => homes.listening(home, (to) => this.#lying.push(...to.map((each) => [home, each] as const))));
  }

  /** Its clock begins where those of the homes stand. */
  static async of(): Promise<Way> {
    const way = new Way(await Homes.of(count));
    const clocks = await Promise.all(way.homes.names.map((name) => way.homes.client.hget(`${name}:m`, "now")));
    way.now = Math.max(start, ...clocks.map(Number));
    return way;
  }

  get at(): { readonly now: number } {
    return { now: this.now };
  }

  /** Of a lane, a key or a limit that this home decides; the same for the same number. */
  name(scope: string, home: number, nth = 0): string {
    const names = Array.from({ length: 200 }, (_, value) => `${scope}["${value}"]`).filter((name) => homeOfName(name, count) === home);
    return names[nth] ?? assert.fail("no name");
  }

  /** Of a join or an event that this home keeps. */
  id(text: string, home: number): string {
    const ids = Array.from({ length: 200 }, (_, value) => `${text}${value}`).find((id) => homeOfText(id, count) === home);
    return ids ?? assert.fail("no id");
  }

  async enqueue(home: number, ...works: readonly Sent[]): Promise<Enqueued[]> {
    const { homes } = new Route(works, count, () => undefined, home);
    const homeOf = (_: unknown, id: string): number | undefined => (homes.get(id) === home ? undefined : homes.get(id));
    const [answer] = await this.#at(home).enqueue([{ works }], this.at, { homeOf, sends: () => undefined });
    await this.#quiet();
    if (answer instanceof ErrandError) throw answer;
    return answer ?? assert.fail("no answer");
  }

  /** All that lies about, and all that this causes. */
  async carry(): Promise<void> {
    for (let next = this.#lying.shift(); next !== undefined; next = this.#lying.shift()) await this.#carrier.carry(next[0], [next[1]], this.at);
    await this.#carrier.close();
  }

  /** All that is away from a home is sent from there with its next tidy, as when others may have lost it. */
  async sendAgain(home: number): Promise<void> {
    await this.homes.client.hset(`${this.homes.names[home]}:m`, { resendHome: 1, resendSeq: 0 });
  }

  async claim(home: number, slots = 10, inRow = 1, alone: Claim["alone"] = "no"): Promise<readonly ClaimedJob[]> {
    this.#claims += 1;
    const claim = `c${this.#claims}`;
    const queues = [{ queue: "mail", slots, ahead: inRow - 1 }];
    const asked = { process: `p${this.#claims}`, leaseMs, claim, lastFence: 0, queues, tasks: ["send"], inRow, alone, settling: [] };
    const claimed = await this.#at(home).claim(asked, this.at);
    for (const { id } of claimed.jobs) this.#held.set(id, { home, claim, fence: claimed.fence });
    await this.#quiet();
    return claimed.jobs;
  }

  /** Claims at a home, and answers ids. */
  async started(home: number, slots = 10): Promise<readonly string[]> {
    return (await this.claim(home, slots)).map(({ id }) => id);
  }

  async settle(id: string, is: Outcome["is"], rest: Partial<Outcome> = {}): Promise<void> {
    const settled = await this.trySettle(id, is, rest);
    assert.ok(settled?.is === "settled" || settled?.is === "cancelled", `${id}: ${settled?.is} ${settled?.error?.message}`);
  }

  async trySettle(id: string, is: Outcome["is"], rest: Partial<Outcome> = {}): Promise<Settled | undefined> {
    const { home, claim, fence } = this.#held.get(id) ?? assert.fail(`${id} does not run`);
    const [settled] = await this.#at(home).settle([{ id, claim, fence, is, ranMs: 1, ...rest }], this.at);
    await this.#quiet();
    return settled;
  }

  /** By all homes that know it, as several homes are asked. Answers what those said. */
  async change(id: string, asked: Change): Promise<readonly ChangedJob["is"][]> {
    const all = await Promise.all(this.#verbs.map((verbs) => verbs.change({ ids: [id] }, asked, 10, this.at)));
    await this.#quiet();
    return all.flatMap(({ jobs }) => jobs.map(({ is }) => is)).filter((is) => is !== "unknown");
  }

  /** By one home alone. */
  async changeAt(home: number, id: string, asked: Change & { readonly way?: "back" }): Promise<readonly ChangedJob["is"][]> {
    const { jobs } = await this.#at(home).change({ ids: [id] }, asked, 10, this.at);
    await this.#quiet();
    return jobs.map(({ is }) => is);
  }

  async changeWhere(home: number, jobs: JobFilter, asked: Change, limit: number): Promise<Changed> {
    const changed = await this.#at(home).change({ jobs }, asked, limit, this.at);
    await this.#quiet();
    return changed;
  }

  async changeJoin(home: number, joinId: string, asked: Change): Promise<void> {
    await this.#at(home).change({ join: joinId }, asked, 100, this.at);
    await this.#quiet();
  }

  async tidy(): Promise<void> {
    for (const verbs of this.#verbs) await verbs.tidy({ items: 1_000, mayExpire: true }, this.at);
    await this.#quiet();
  }

  async advance(ms: number): Promise<void> {
    this.now += ms;
    await this.tidy();
  }

  async row(home: number, id: string): Promise<JobRow | undefined> {
    const { rows } = await this.#at(home).find({ of: "jobs", ids: [id] }, this.at);
    return rows.find((row) => !("isStandIn" in row));
  }

  /** Where it is and in which state; where something stands in for it, in brackets. */
  async seen(id: string): Promise<readonly string[]> {
    const seen: string[] = [];
    for (const [home, verbs] of this.#verbs.entries()) {
      const { rows } = await verbs.find({ of: "jobs", ids: [id] }, this.at);
      for (const row of rows) seen.push("isStandIn" in row ? `(${home} ${row.state === "ready" ? "away" : row.state})` : `${home} ${row.state}`);
    }
    return seen.toSorted();
  }

  /** All that lists and counts tell: ids and states by home. */
  async listed(): Promise<readonly string[]> {
    return (await this.rows()).map(({ home, row }) => `${row.id} ${home} ${row.state}`).toSorted();
  }

  async rows(): Promise<readonly { readonly home: number; readonly row: JobRow }[]> {
    const listed: { readonly home: number; readonly row: JobRow }[] = [];
    for (const [home, verbs] of this.#verbs.entries()) {
      const { rows } = await verbs.find({ of: "jobs", where: {}, limit: 1_000 }, this.at);
      const counted = await verbs.count(this.at);
      assert.equal(
        counted.reduce((sum, { jobs }) => sum + jobs, 0),
        rows.length,
        `home ${home} lists as many jobs as it counts`,
      );
      listed.push(...rows.map((row) => ({ home, row })));
    }
    return listed;
  }

  async join(home: number, id: string): Promise<Pick<JoinRow, "state" | "live" | "succeeded" | "failed">> {
    const { rows } = await this.#at(home).find({ of: "joins", ids: [id] }, this.at);
    const { state, live, succeeded, failed } = rows[0] ?? assert.fail(`no join ${id}`);
    return { state, live, succeeded, failed };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#carrier.close();
    await this.homes[Symbol.asyncDispose]();
  }

  #at(home: number): Verbs {
    return this.#verbs[home] ?? assert.fail(`no home ${home}`);
  }

  async #quiet(): Promise<void> {
    if (!this.isHolding) await this.carry();
  }
}

/** What a home holds of jobs. */
export async function kept(way: Way, name: string): Promise<readonly string[]> {
  const always = ["m", "mail", "process", "leases"].map((key) => `${name}:${key}`);
  return (await way.homes.client.keys(`${name}:*`)).filter((key) => !always.includes(key));
}

export function lane(key: string, ifDead: "park" | "block" | "continue" = "continue", width = 1): JobOptions {
  return { lane: { key, ifDead, width } };
}

export function unique(key: string, mode: NonNullable<JobOptions["unique"]>["mode"] = { is: "keep" }): JobOptions {
  return { unique: { key, mode } };
}

export function running(...keys: readonly string[]): JobOptions {
  return { keyLimits: keys.map((key) => ({ key, is: { running: 1 } })) };
}
