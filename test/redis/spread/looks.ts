/** Random jobs of three homes: what they wait for, hold and belong to leads them from home to home. */
import type { After, At, Engine, JobFilter, JobRow, KeyLimit, NewJob, NewWork, Outcome, Uniqueness } from "../../../src/core/engine.ts";
import { jobStates } from "../../../src/core/states.ts";
import { redis } from "../../../src/redis/index.ts";
import { Dice } from "../../port/dice.ts";
import { event, job, join, leaseMs, start } from "../../port/stage.ts";
import { StillRuntime } from "../../port/stillRuntime.ts";
import { freshPlace } from "../places.ts";
import type { Place } from "../places.ts";

export const partitions = 3;
const tasks = ["send", "print"];
const queues = ["mail", "paper"];
export const keys: readonly string[] = ['["a"]', '["b"]', '["c"]', '["d"]'];
const joins: readonly string[] = ["J0", "J1", "J2"];
const error = { name: "Error", message: "broken" };
const outcomes: readonly Pick<Outcome, "is" | "delayMs" | "error">[] = [
  { is: "completed" },
  { is: "completed" },
  { is: "dead", error },
  { is: "retry", delayMs: 300, error },
];
const modes: readonly Uniqueness["mode"][] = [{ is: "keep" }, { is: "one-more" }, { is: "replace" }];

export class Looks implements AsyncDisposable {
  readonly engine: Engine;
  readonly dice: Dice;
  now: number = start;
  readonly ids: string[] = [];
  readonly #place: Place;
  #made = 0;

  private constructor(place: Place, seed: number) {
    this.#place = place;
    this.engine = redis(place.url, { prefix: place.prefix, partitions });
    this.dice = new Dice(seed);
  }

  static async of(seed: number): Promise<Looks> {
    const looks = new Looks(await freshPlace(), seed);
    await looks.engine.open({ runtime: new StillRuntime() });
    return looks;
  }

  get at(): At {
    return { now: this.now };
  }

  /** Some hundred jobs in all states, in three joins, one of which is in another. */
  async fill(rounds: number): Promise<void> {
    await this.store([join("J0", { isSealed: false }), join("J1"), join("J2", { join: "J0" }), ...["J1", "J2"].map((id) => job(this.#id(), { join: id }))]);
    for (let round = 0; round < rounds; round += 1) {
      await this.store(Array.from({ length: 1 + this.dice.below(4) }, () => this.work()));
      this.now += this.dice.below(3) * 100;
      if (this.dice.chance(0.5)) await this.run(1 + this.dice.below(4));
      if (this.dice.chance(0.3)) await this.engine.tidy({ items: 1_000, mayExpire: true }, this.at);
    }
    await this.engine.tidy({ items: 1_000, mayExpire: true }, this.at);
  }

  async store(works: readonly NewWork[]): Promise<void> {
    await this.engine.enqueue([{ works }], this.at);
  }

  work(): NewWork {
    if (this.dice.chance(0.1)) return event(`event ${this.#made++}`, { name: this.dice.pick(["odd", "even"]) });
    const { dice } = this;
    const chosen: Partial<NewJob> = {
      task: dice.pick(tasks),
      queue: dice.pick(queues),
      ...(dice.chance(0.4) && { lane: { key: `lane${dice.pick(keys)}`, width: 1, ifDead: "park" } }),
      ...(dice.chance(0.3) && { unique: { key: `unique${dice.pick(keys)}`, mode: dice.pick(modes) } }),
      ...(dice.chance(0.3) && { keyLimits: this.#limits() }),
      ...(dice.chance(0.3) && { join: dice.pick(["J0", "J2"]) }),
      ...(this.ids.length > 0 && dice.chance(0.2) && { after: this.#after() }),
      ...(dice.chance(0.2) && { delayMs: 100 * dice.below(20) }),
    };
    return job(this.#id(), chosen);
  }

  #id(): string {
    const id = `job ${String(this.#made++).padStart(5, "0")}`;
    this.ids.push(id);
    return id;
  }

  #limits(): KeyLimit[] {
    return this.dice.some(keys, 0.4).map((key) => ({ key: `limit${key}`, is: { running: 2 } }));
  }

  #after(): After[] {
    const ids = new Set(Array.from({ length: 1 + this.dice.below(3) }, () => this.dice.pick([...this.ids.slice(0, -1), "J1"])));
    return [...ids].map((id) => ({ id, when: this.dice.pick(["ended", "well"] as const) }));
  }

  /** Some end, some retry, some run on. */
  async run(most: number): Promise<void> {
    const claim = `claim ${this.#made++}`;
    const wanted = queues.map((queue) => ({ queue, slots: most, ahead: 0 }));
    const asked = { process: this.dice.pick(["one", "two"]), leaseMs, claim, lastFence: 0, queues: wanted, tasks, alone: "no", settling: [] } as const;
    const claimed = await this.engine.claim(asked, this.at);
    const ended = claimed.jobs.filter(() => this.dice.chance(0.8));
    await this.engine.settle(
      ended.map(({ id, fence }) => ({ id, claim, fence: fence ?? claimed.fence, ranMs: 1, ...this.dice.pick(outcomes) })),
      this.at,
    );
  }

  /** All leases end, and what was running is taken back. */
  async settleDown(): Promise<void> {
    while ((await this.engine.tidy({ items: 1_000, mayExpire: true }, this.at)).hasMore);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine.close();
    await this.#place.done();
  }

  /** All, as they are. */
  async rows(): Promise<readonly JobRow[]> {
    return await this.filtered({});
  }

  async filtered(where: JobFilter, limit = 1_000, newestFirst = false): Promise<JobRow[]> {
    const rows: JobRow[] = [];
    let after: string | undefined;
    do {
      const page = await this.engine.find({ of: "jobs", where, limit, newestFirst, ...(after !== undefined && { after }) }, this.at);
      if (page.rows.length > limit) throw new Error(`a page of ${page.rows.length}, asked for ${limit}`);
      rows.push(...page.rows);
      after = page.next;
    } while (after !== undefined);
    return rows;
  }

  /** Any that a job may fit. */
  filter(): JobFilter {
    const { dice } = this;
    return {
      ...(dice.chance(0.4) && { states: dice.some(jobStates) }),
      ...(dice.chance(0.2) && { queue: dice.pick(queues) }),
      ...(dice.chance(0.2) && { task: dice.pick(tasks) }),
      ...(dice.chance(0.2) && { lane: `lane${dice.pick(keys)}` }),
      ...(dice.chance(0.2) && { unique: `unique${dice.pick(keys)}` }),
      ...(dice.chance(0.3) && { join: dice.pick(joins) }),
      ...(dice.chance(0.2) && { after: dice.pick([...this.ids, "J1"]) }),
      ...(dice.chance(0.2) && { before: dice.pick(this.ids) }),
    };
  }
}

/** As the port says it, of rows. */
export function isMeant(row: JobRow, where: JobFilter, rows: readonly JobRow[]): boolean {
  const { states, queue, task, lane, unique, join: joined, after, before } = where;
  const came = before === undefined ? undefined : (rows.find(({ id }) => id === before)?.after ?? []);
  return (
    (states === undefined || states.includes(row.state)) &&
    (queue === undefined || row.queue === queue) &&
    (task === undefined || row.task === task) &&
    (lane === undefined || row.lane === lane) &&
    (unique === undefined || row.unique === unique) &&
    (joined === undefined || row.joins?.includes(joined) === true) &&
    (after === undefined || row.after?.some(({ id }) => id === after) === true) &&
    (came === undefined || came.some(({ id }) => id === row.id || row.joins?.includes(id) === true))
  );
}
