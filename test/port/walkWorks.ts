/** Random works of a walk: jobs of all kinds, events, joins; and notes. What they name is mostly there. */
import type { After, KeyLimit, NewJob, NewJoin, NewWork, NoteWrite, TaskTerms, Uniqueness } from "../../src/core/engine.ts";
import { limitKey, pausedQueue, pausedTask, resourceKey, subscriptionKey } from "../../src/core/notes.ts";
import type { Dice } from "./dice.ts";
import { event, job, join, keep, leaseMs } from "./stage.ts";

export const tasks: readonly string[] = ["send", "print", "pack"];
export const queues: readonly string[] = ["mail", "paper"];
export const gates: readonly string[] = ["at once", "in time", "none"];
export const resource = "gpu";

export const lanes: readonly NonNullable<NewJob["lane"]>[] = [
  { key: "parks", width: 1, ifDead: "park" },
  { key: "blocks", width: 1, ifDead: "block" },
  { key: "continues", width: 1, ifDead: "continue" },
  { key: "parks wide", width: 3, ifDead: "park" },
  { key: "blocks wide", width: 2, ifDead: "block" },
];

/** Each key has one number: what happens when it changes is told by cases. */
export const keyLimits: readonly KeyLimit[] = [
  { key: "one", is: { running: 1 } },
  { key: "two", is: { running: 2 } },
  { key: "rate", is: { starts: 2, everyMs: 1_500 } },
];

const modes: readonly Uniqueness["mode"][] = [
  { is: "keep" },
  { is: "replace" },
  { is: "debounce", quietMs: 500, atMostMs: 1_500 },
  { is: "throttle", windowMs: 2_000 },
  { is: "one-more" },
  { is: "gather", quietMs: 400, atMostMs: 1_500, most: 3 },
];

const shortKeep = { completed: 5_000, skipped: 3_000, cancelled: 20_000, dead: 40_000 };
const jobs = 40;
/** Jobs numbered below this come after nothing and are stored into no join: members come after these only, so that no join waits for itself. */
const plainJobs = 15;
const joins = 8;

export class Works {
  readonly #dice: Dice;
  /** Ids that nothing had before: several homes compare ids within one of them alone. */
  readonly #isFresh: boolean;
  readonly #fresh: NewJoin[] = [];
  #made = 0;
  /** What can be named: what is stored, and what is being made. */
  #jobs: readonly string[] = [];
  #joins: readonly string[] = [];
  #step = 0;
  #now = 0;

  constructor(dice: Dice, isFresh = false) {
    this.#dice = dice;
    this.#isFresh = isFresh;
  }

  /** What is stored now. */
  know(jobIds: readonly string[], joinIds: readonly string[], step: number, now: number): void {
    this.#jobs = jobIds;
    this.#joins = joinIds;
    this.#step = step;
    this.#now = now;
  }

  some(): NewWork[] {
    return Array.from({ length: 1 + this.#dice.below(3) }, () => this.one());
  }

  one(): NewWork {
    const kind = this.#dice.below(100);
    const work = kind < 12 ? this.#event() : kind < 24 ? this.#join() : this.#job();
    if (work.kind === "job") this.#jobs = [...this.#jobs, work.id];
    if (work.kind === "join") this.#joins = [...this.#joins, work.id];
    return work;
  }

  /** A batch in one atom. */
  batch(): NewWork[] {
    const batch = this.#join({ isSealed: this.#dice.chance(0.7) });
    this.#joins = [...this.#joins, batch.id];
    const members = Array.from({ length: this.#dice.below(4) }, () => this.#job(batch.id));
    const then = this.#dice.chance(0.7) ? [this.#job(undefined, [this.#after(batch.id)])] : [];
    return [batch, ...members, ...then];
  }

  /** Seals every join that there may be, for the end of a walk. */
  seals(): NewWork[] {
    if (this.#isFresh) return this.#fresh.map(({ size: _, ...one }) => ({ ...one, isSealed: true }));
    return ["same", "other"].flatMap((content) => Array.from({ length: joins }, (_, number) => join(`join-${number}`, { content })));
  }

  note(mayHearDeaths: boolean): NoteWrite {
    const { pick, chance, below } = bound(this.#dice);
    const limit = { key: limitKey("at once"), value: chance(0.8) ? JSON.stringify({ running: below(4) }) : undefined };
    return pick<NoteWrite>([
      { key: pausedQueue(pick(queues)), value: chance(0.4) ? "{}" : undefined },
      { key: pausedTask(pick(tasks)), value: chance(0.4) ? "{}" : undefined },
      this.#subscription(mayHearDeaths),
      { key: "plain", value: "1", ifVersion: below(4) },
      limit,
      // Always there and always of the same time: which starts still count for another one is each engine's own.
      { key: limitKey("in time"), value: JSON.stringify({ starts: 1 + below(3), everyMs: 2_000 }) },
      { key: resourceKey(resource), value: chance(0.8) ? JSON.stringify({ capacity: below(5) }) : undefined },
    ]);
  }

  terms(): Record<string, TaskTerms> {
    const { chance, below } = bound(this.#dice);
    const terms = this.#dice.some(tasks, 0.4).map((task): [string, TaskTerms] => [
      task,
      {
        ...(chance(0.5) && { gates: this.#dice.some(gates) }),
        ...(chance(0.4) && { needs: { [resource]: below(3) } }),
        ...(chance(0.2) && { most: below(3) }),
        ...(chance(0.3) && { retriesMost: below(3) }),
        ...(chance(0.3) && { freshFrom: this.#now - below(3_000) }),
      },
    ]);
    return Object.fromEntries(terms);
  }

  #event(): NewWork {
    const { pick, below } = bound(this.#dice);
    return event(`event-${this.#step}-${below(3)}`, {
      name: pick(["order.placed", "order.paid"]),
      payload: `{"account":${below(3)}}`,
      orderedBy: ["account"],
      rememberMs: below(3) * 2_000,
    });
  }

  #join(options: Partial<NewJoin> = {}): NewJoin {
    const { pick, chance, below } = bound(this.#dice);
    const known = this.#fresh.filter(({ id }) => this.#joins.includes(id));
    if (known.length > 0 && chance(0.4)) return { ...pick(known), ...options };
    const parent = chance(0.3) ? pick([...this.#joins, "nobody"]) : undefined;
    const after = chance(0.25) ? this.#afters(parent !== undefined) : [];
    const made = join(this.#id(`join-${below(joins)}`), {
      content: chance(0.97) ? "same" : "other",
      isSealed: chance(0.5),
      rememberMs: pick([0, 10_000]),
      ...(chance(0.2) && { size: below(4) }),
      ...(parent !== undefined && { join: parent }),
      ...(after.length > 0 && { after }),
      ...options,
    });
    if (this.#isFresh) this.#fresh.push(made);
    return made;
  }

  /** Of a fresh one the number is still what is before its point. */
  #id(id: string): string {
    return this.#isFresh ? `${id}.${++this.#made}` : id;
  }

  #job(joinId?: string, afterList?: readonly After[]): NewJob {
    const { pick, chance, below } = bound(this.#dice);
    const number = joinId === undefined && afterList === undefined ? below(jobs) : plainJobs + below(jobs - plainJobs);
    const isPlain = number < plainJobs;
    // What comes after a batch is never stored into it.
    const inJoin = joinId ?? (chance(isPlain || afterList ? 0 : 0.3) ? pick([...this.#joins, ...this.#joins, "nobody"]) : undefined);
    const after = afterList ?? (chance(isPlain ? 0 : 0.3) ? this.#afters(inJoin !== undefined) : []);
    const mode = chance(0.3) ? pick(modes) : undefined;
    const lane = chance(0.5) ? pick(lanes) : undefined;
    // Mostly of one task, as lanes are, so that there are rows.
    const isUsual = lane !== undefined && chance(0.7);
    return job(this.#id(`job-${number}`), {
      content: chance(0.05) ? "other" : "same",
      payload: mode?.is === "gather" ? `["${this.#step}"]` : `"${this.#step}"`,
      task: isUsual ? "send" : pick(tasks),
      queue: isUsual ? "mail" : pick(queues),
      keep: shortKeep,
      headStartMs: pick([0, 0, 0, 700, -700]),
      rememberMs: pick([0, 0, 10_000]),
      ...(chance(0.3) && { delayMs: below(2_000) }),
      ...(chance(0.1) && { dueAt: this.#now + 1_000 - below(2_000) }),
      ...(chance(0.2) && { startWithinMs: below(4_000) }),
      ...(lane && { lane }),
      ...(chance(0.25) && { keyLimits: this.#keyLimits() }),
      ...(mode && { unique: { key: `key-${below(3)}`, mode } }),
      ...(inJoin !== undefined && { join: inJoin }),
      ...(after.length > 0 && { after }),
      ...(chance(0.1) && { lease: this.#lease() }),
    });
  }

  #keyLimits(): KeyLimit[] {
    const some = this.#dice.some(keyLimits);
    return this.#dice.chance(0.5) ? some : some.toReversed();
  }

  #lease(): NonNullable<NewJob["lease"]> {
    const terms = this.terms()[this.#dice.pick(tasks)];
    return {
      process: `p${this.#dice.below(3)}-${Math.floor(this.#step / 60)}`,
      leaseMs,
      claim: `born-${this.#step}-${this.#dice.below(1_000)}`,
      lastFence: 0,
      ...(terms && { terms }),
    };
  }

  #afters(isMember: boolean): After[] {
    const plain = this.#jobs.filter((id) => Number(id.slice("job-".length)) < plainJobs);
    const from = isMember ? plain : [...this.#jobs, ...this.#joins, ...this.#joins];
    return Array.from({ length: 1 + this.#dice.below(2) }, () => this.#after(this.#dice.chance(0.98) ? this.#dice.pick([...from, "job-0"]) : "nobody"));
  }

  #after(id: string): After {
    return { id, when: this.#dice.pick(["well", "badly", "ended", "ended"] as const) };
  }

  #subscription(mayHearDeaths: boolean): NoteWrite {
    const { pick, chance } = bound(this.#dice);
    const name = pick(["s1", "s2", "s3"]);
    const heard = pick(["order.placed", "order.paid", mayHearDeaths ? "errand.job-died" : "order.paid"]);
    const stored = {
      name,
      event: heard,
      since: pick(["now", "beginning"]),
      task: pick(tasks),
      queue: pick(queues),
      headStartMs: 0,
      delayMs: pick([0, 300]),
      isMapped: chance(0.3),
      keep: heard === "errand.job-died" ? keep : shortKeep,
      ...(chance(0.5) && { orderedBy: ["account"], ifDead: "block" }),
      ...(chance(0.3) && { uniqueBy: ["account"] }),
      ...(chance(0.3) && { keyLimits: [{ scope: "paid", per: ["account"], is: { running: 1 } }] }),
    };
    return { key: subscriptionKey(name), value: chance(0.7) ? JSON.stringify(stored) : undefined };
  }
}

interface Bound {
  readonly pick: <T>(from: readonly T[]) => T;
  readonly chance: (share: number) => boolean;
  readonly below: (limit: number) => number;
}

function bound(dice: Dice): Bound {
  return { pick: (from) => dice.pick(from), chance: (share) => dice.chance(share), below: (limit) => dice.below(limit) };
}
