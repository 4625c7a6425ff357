/** Three homes of one store that share limits and resources over all keys: who runs what, and whether there is ever more of it than there is. */
import assert from "node:assert/strict";
import type { Claim, Outcome, TaskTerms } from "../../../src/core/engine.ts";
import { limitKey, resourceKey } from "../../../src/core/notes.ts";
import type { StoredLimit } from "../../../src/core/notes.ts";
import type { HomeClaimed } from "../../../src/redis/claimed.ts";
import { rebirthScript } from "../../../src/redis/rebirth.ts";
import type { Carrier } from "../../../src/redis/spread/carrier.ts";
import { homeOfText } from "../../../src/redis/spread/homes.ts";
import { day, job, leaseMs } from "../../port/stage.ts";
import { Homes } from "./stage.ts";

export const count = 3;

interface Running {
  readonly home: number;
  readonly task: string;
  readonly process: string;
  readonly claim: string;
  readonly fence: number;
}

export class Borrowers implements AsyncDisposable {
  readonly homes: Homes;
  readonly terms: Readonly<Record<string, TaskTerms>>;
  /** The server's clock is behind. */
  now: number = Date.now() + day;
  /** By id. */
  readonly running: Map<string, Running> = new Map();
  readonly starts: { readonly at: number; readonly task: string }[] = [];
  ended = 0;
  readonly #carrier: Carrier;
  #claims = 0;

  private constructor(homes: Homes, terms: Readonly<Record<string, TaskTerms>>) {
    this.homes = homes;
    this.terms = terms;
    this.#carrier = homes.carrier();
  }

  static async of(terms: Readonly<Record<string, TaskTerms>>): Promise<Borrowers> {
    return new Borrowers(await Homes.of(count), terms);
  }

  get at(): { readonly now: number } {
    return { now: this.now };
  }

  async put(home: number, task: string, ...ids: readonly string[]): Promise<void> {
    const [answer] = (await this.homes.verbs[home]?.enqueue([{ works: ids.map((id) => job(id, { task })) }], this.at)) ?? [];
    assert.ok(Array.isArray(answer), String(answer));
  }

  limit(name: string, limit: StoredLimit | undefined): Promise<void> {
    return this.#note(limitKey(name), limit);
  }

  resource(name: string, capacity: number | undefined): Promise<void> {
    return this.#note(resourceKey(name), capacity === undefined ? undefined : { capacity });
  }

  async #note(key: string, value: object | undefined): Promise<void> {
    const [answer] = (await this.homes.verbs[0]?.enqueue([{ works: [], notes: [{ key, value: value && JSON.stringify(value) }] }], this.at)) ?? [];
    assert.ok(Array.isArray(answer), String(answer));
  }

  /** What lies anywhere, and what it causes. */
  async carry(): Promise<void> {
    let lying: boolean;
    do {
      lying = false;
      for (let from = 0; from < count; from += 1) {
        for (let to = 0; to < count; to += 1) {
          if (from === to || (await this.homes.lying(from, to)) === 0) continue;
          lying = true;
          await this.#carrier.carry(from, [to], this.at);
        }
      }
      await this.#carrier.close();
    } while (lying);
  }

  async lying(): Promise<number> {
    let all = 0;
    for (let from = 0; from < count; from += 1) for (let to = 0; to < count; to += 1) if (from !== to) all += await this.homes.lying(from, to);
    return all;
  }

  /** One claim, whose mail lies where it was written. */
  async claimOnce(home: number, slots = 10, options: Partial<Claim> = {}): Promise<HomeClaimed> {
    this.#claims += 1;
    const claim: Claim = {
      process: `p${home}`,
      leaseMs,
      claim: `claim ${this.#claims}`,
      lastFence: 0,
      queues: [{ queue: "mail", slots, ahead: 0 }],
      tasks: Object.keys(this.terms),
      terms: this.terms,
      alone: "no",
      settling: [],
      ...options,
    };
    const claimed = await this.homes.verbs[home]?.claim(claim, this.at);
    assert.ok(claimed);
    for (const { id, task } of claimed.jobs) {
      this.running.set(id, { home, task, process: claim.process, claim: claim.claim, fence: claimed.fence });
      this.starts.push({ at: this.now, task });
    }
    return claimed;
  }

  /** As an engine claims: what it asks for is carried, and it claims again. Ids. */
  async claim(home: number, slots = 10): Promise<string[]> {
    const ids: string[] = [];
    for (let isAsking = true, times = 0; isAsking && ids.length < slots; times += 1) {
      assert.ok(times < 8, "it asks again and again");
      const claimed = await this.claimOnce(home, slots - ids.length);
      ids.push(...claimed.jobs.map(({ id }) => id));
      await this.carry();
      isAsking = claimed.wants !== undefined;
    }
    return ids;
  }

  async end(...ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const held = this.running.get(id);
      assert.ok(held, `${id} does not run`);
      const outcome: Outcome = { id, claim: held.claim, fence: held.fence, is: "completed", ranMs: 1 };
      const [settled] = (await this.homes.verbs[held.home]?.settle([outcome], this.at)) ?? [];
      assert.equal(settled?.is, "settled");
      this.running.delete(id);
      this.ended += 1;
    }
  }

  async tidy(home: number): Promise<void> {
    await this.homes.verbs[home]?.tidy({ items: 1_000, mayExpire: true }, this.at);
  }

  async tidyAll(): Promise<void> {
    for (let home = 0; home < count; home += 1) await this.tidy(home);
    await this.carry();
  }

  /** A new era of all homes begins, at one of them. */
  async bear(home: number, number: number): Promise<void> {
    await this.homes.verbs[home]?.call(rebirthScript, "write", { number, era: `era ${number}`, lost: [] }, this.at);
  }

  /** How many run under a limit, or how much of a resource is in use. */
  used(name: string): number {
    let used = 0;
    for (const { task } of this.running.values()) {
      const { gates = [], needs = {} } = this.terms[task] ?? {};
      used += gates.includes(name) ? 1 : (needs[name] ?? 0);
    }
    return used;
  }

  /** The most starts of jobs under a limit in any window of that length. */
  startsWithin(name: string, everyMs: number): number {
    const times = this.starts.filter(({ task }) => this.terms[task]?.gates?.includes(name)).map(({ at }) => at);
    return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + everyMs).length));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#carrier.close();
    await this.homes[Symbol.asyncDispose]();
  }
}

/** Which home lends it. */
export function lenderOf(name: string): number {
  return homeOfText(name, count);
}

/** Another one. */
export function borrowerOf(name: string, nth = 1): number {
  return (lenderOf(name) + nth) % count;
}
