/** A random life of a store: many steps of all verbs, the same on every stage, reproducible by its seed. */
import assert from "node:assert/strict";
import { stagedKeptMs } from "../../src/core/defaults.ts";
import type { Atom, Change, Claim, JobFilter, JobRow, Outcome, Selection } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { pausedQueue, pausedTask } from "../../src/core/notes.ts";
import { Dice } from "./dice.ts";
import { checkHeld, checkJoins, checkLimits } from "./joinLaws.ts";
import { checkLanes, checkWidths } from "./laneLaws.ts";
import { leaseMs } from "./stage.ts";
import type { Stage } from "./stage.ts";
import { gates, keyLimits, lanes, queues, resource, tasks, Works } from "./walkWorks.ts";

const outcomes: readonly Outcome["is"][] = ["completed", "completed", "skipped", "dead", "dead", "retry", "snoozed", "released", "saved"];

export class Walk {
  readonly #stages: readonly Stage[];
  readonly #claims: { readonly id: string; readonly claim: string }[] = [];
  /** By stage, the fence of each claim. */
  readonly #fences: readonly Map<string, number>[];
  readonly #dice: Dice;
  readonly #works: Works;
  #steps = 0;
  #rows: readonly JobRow[] = [];
  #joins: readonly string[] = [];
  /** A small pass may have left something for the next one. */
  #isBehind = false;
  /** What was done last, for the message of a failure. */
  #doing = "";

  /** Over several homes an id is compared within one of them alone: each is given once. */
  readonly #isOfHomes: boolean;

  constructor(stages: readonly Stage[], seed: number, isOfHomes = false) {
    this.#isOfHomes = isOfHomes;
    this.#stages = stages;
    this.#fences = stages.map(() => new Map());
    this.#dice = new Dice(seed);
    this.#works = new Works(this.#dice, isOfHomes);
  }

  async run(steps: number): Promise<void> {
    for (let step = 0; step < steps; step += 1) await this.step();
  }

  async step(): Promise<void> {
    this.#steps += 1;
    this.#works.know(
      this.#rows.map(({ id }) => id),
      this.#joins,
      this.#steps,
      this.#first.now,
    );
    const kinds = [
      this.#enqueue,
      this.#batch,
      this.#enqueue,
      this.#enqueue,
      this.#claim,
      this.#claim,
      this.#claim,
      this.#settle,
      this.#settle,
      this.#tidy,
      this.#tidy,
      this.#change,
      this.#beat,
      this.#write,
      this.#pass,
      this.#lock,
      this.#find,
    ];
    await this.#dice.pick(kinds).call(this);
    await this.#check();
  }

  async #check(): Promise<void> {
    const [rows, joins] = [await this.#first.all(), await this.#first.allJoins()];
    const widthOf = (lane: string): number | undefined => lanes.find(({ key }) => key === lane)?.width;
    if (this.#isOfHomes) checkWidths(rows, widthOf);
    else checkLanes(this.#rows, rows, widthOf);
    checkJoins(joins, rows);
    if (!this.#isBehind) checkHeld(joins, rows);
    checkLimits(rows, keyLimits);
    this.#rows = rows;
    this.#joins = joins.map(({ id }) => id);
    const names = [...gates, resource];
    await this.#same("everything", async (stage) => [
      await stage.all(),
      await stage.counts(),
      await stage.allJoins(),
      (await stage.engine.find({ of: "gates", names }, stage.at)).rows,
    ]);
  }

  /** Work goes on until nothing is left to do; then a person redrives what is parked, until all jobs have ended. */
  async drain(): Promise<void> {
    const resume = [...queues.map(pausedQueue), ...tasks.map(pausedTask)].map((key) => ({ key, value: undefined }));
    await this.#each("resume", (stage) => stage.store({ works: [], notes: resume }));
    await this.#each("seal", (stage) => stage.atoms(...this.#works.seals().map((seal) => ({ works: [seal] }))));
    for (let round = 0; round < 80; round += 1) {
      await this.#pass(leaseMs + 1);
      await this.#each("tidy", (stage) => stage.tidy());
      for (const alone of ["no", "only"] as const) await this.#finishAll(alone, `drain ${round}`);
      if (round > 20) await this.#each("redrive", (stage) => stage.change({ jobs: { states: ["parked"] } }, { do: "retry" }));
    }
    const live = (await this.#first.all()).filter(({ endedAt }) => endedAt === undefined);
    assert.deepEqual(
      live.map(({ id, state }) => `${id} ${state}`),
      [],
      "jobs that never ended",
    );
  }

  get #first(): Stage {
    const [first] = this.#stages;
    assert.ok(first);
    return first;
  }

  async #finishAll(alone: Claim["alone"], process: string): Promise<void> {
    const claim = this.#newClaim({ process: `${process} ${alone}`, alone, queues: queues.map((queue) => ({ queue, slots: 500, ahead: 0 })), tasks });
    const { jobs } = await this.#hand(claim);
    const finished = jobs.map(({ id }) => ({ id, claim: claim.claim, is: "completed" as const, ranMs: 1 }));
    await this.#settleAll(finished);
  }

  async #enqueue(): Promise<void> {
    await this.#store({ works: this.#works.some() });
  }

  async #batch(): Promise<void> {
    await this.#store({ works: this.#works.batch() });
  }

  async #write(): Promise<void> {
    // The id of a death is each engine's own, and with it the ids of the jobs that it makes.
    const note = this.#works.note(this.#stages.length === 1);
    await this.#store({ works: this.#dice.chance(0.3) ? [this.#works.one()] : [], notes: [note] });
  }

  async #store(atom: Atom): Promise<void> {
    const answers = await this.#same(`enqueue ${JSON.stringify(atom)}`, async (stage, index) => {
      const [answer] = await stage.atoms(atom);
      if (!Array.isArray(answer)) return answer?.code;
      for (const [at, { leased }] of answer.entries()) {
        const work = atom.works[at];
        if (leased && work?.kind === "job" && work.lease) this.#fences[index]?.set(work.lease.claim, leased.fence);
      }
      return answer;
    });
    if (!Array.isArray(answers)) return;
    for (const [at, { id, leased }] of answers.entries()) {
      const work = atom.works[at];
      if (leased && work?.kind === "job" && work.lease) this.#claims.push({ id, claim: work.lease.claim });
    }
  }

  async #claim(): Promise<void> {
    const slots = this.#below(4);
    const wanted = {
      process: this.#process(),
      alone: this.#chance(0.2) ? ("only" as const) : ("no" as const),
      queues: queues.filter(() => this.#chance(0.8)).map((queue) => ({ queue, slots, ahead: this.#below(3) })),
      tasks: tasks.filter(() => this.#chance(0.8)),
      terms: this.#works.terms(),
      inRow: this.#pick([1, 1, 2, 4]),
    };
    // In which of several queues a turn of fresh work is, once one of them is full, is each engine's own.
    const isOne = Object.values(wanted.terms).some(({ freshFrom }) => freshFrom !== undefined);
    const claim = this.#newClaim({ ...wanted, queues: isOne ? wanted.queues.slice(0, 1) : wanted.queues });
    await this.#hand(claim, this.#chance(0.4) ? this.#someOutcomes() : []);
  }

  #newClaim(wanted: Pick<Claim, "process" | "alone" | "queues" | "tasks" | "terms" | "inRow">): Claim {
    this.#steps += 1;
    return { leaseMs, claim: `claim-${this.#steps}`, lastFence: 0, settling: [], ...wanted };
  }

  async #hand(claim: Claim, settling: readonly Omit<Outcome, "fence">[] = []): Promise<{ jobs: readonly { id: string }[] }> {
    const answer = await this.#same(`claim ${JSON.stringify({ ...claim, settling })}`, async (stage, index) => {
      const { fence, now, jobs, settled, nextDueMs, hasSuspects } = await stage.claim({
        ...claim,
        settling: settling.map((outcome) => this.#fenced(outcome, index)),
      });
      this.#fences[index]?.set(claim.claim, fence);
      return { now, jobs, settled: settled.map(withCode), nextDueMs, hasSuspects };
    });
    for (const { id } of answer.jobs) this.#claims.push({ id, claim: claim.claim });
    return answer;
  }

  async #settle(): Promise<void> {
    await this.#settleAll(this.#someOutcomes());
  }

  async #settleAll(some: readonly Omit<Outcome, "fence">[]): Promise<void> {
    await this.#same(`settle ${JSON.stringify(some)}`, async (stage, index) =>
      (await stage.settleAll(...some.map((outcome) => this.#fenced(outcome, index)))).map(withCode),
    );
  }

  /** Mostly of late claims; now and then of one that is long over. */
  #someOutcomes(): Omit<Outcome, "fence">[] {
    const recent = this.#claims.slice(this.#chance(0.1) ? 0 : -8);
    if (recent.length === 0) return [];
    return Array.from({ length: this.#below(4) }, () => {
      const is = this.#pick(outcomes);
      const mayFollow = is === "completed" || is === "skipped" || is === "retry" || is === "snoozed";
      return {
        ...this.#pick(recent),
        is,
        ranMs: this.#below(100),
        reason: `because of ${this.#steps}`,
        ...(this.#chance(0.6) && { delayMs: this.#below(1_500) }),
        ...(this.#chance(0.2) && { checkpoint: `"${this.#steps}"` }),
        ...(mayFollow && this.#chance(0.3) && { follow: [this.#works.one()] }),
      };
    });
  }

  #fenced(outcome: Omit<Outcome, "fence">, index: number): Outcome {
    return { ...outcome, fence: this.#fences[index]?.get(outcome.claim) ?? 0 };
  }

  async #tidy(): Promise<void> {
    // Which of many a bounded pass takes first is each engine's own.
    const items = this.#stages.length > 1 ? 1_000 : this.#pick([1, 2, 3, 1_000]);
    const mayExpire = this.#chance(0.7);
    const overdueMs = this.#chance(0.3) ? this.#pick([1_001, 20_001]) : 0;
    this.#isBehind = items < 1_000;
    // What a pass ends it may remove in the same pass or in the next.
    const passes = this.#stages.length > 1 ? 3 : 1;
    await this.#each(`tidy ${items} ${mayExpire} ${overdueMs}`, async (stage) => {
      for (let pass = 0; pass < passes; pass += 1) await stage.tidy(items, mayExpire, overdueMs);
    });
  }

  async #change(): Promise<void> {
    const change: Change = this.#pick([
      { do: "cancel", reason: "not wanted" },
      { do: "retry" },
      { do: "retry" },
      { do: "prioritise", headStartMs: this.#below(2_000) },
      { do: "delete" },
    ]);
    await this.#changeSome(this.#selection(), change);
  }

  #selection(): Selection {
    if (this.#chance(0.2)) return { join: this.#pick([...this.#joins, "nobody"]) };
    const ids = this.#rows.map(({ id }) => id);
    return this.#chance(0.7)
      ? { ids: [this.#pick([...ids, "nobody"]), this.#pick([...ids, "nobody"])] }
      : { jobs: { task: this.#pick(tasks), queue: this.#pick(queues) } };
  }

  async #changeSome(which: Selection, change: Change): Promise<void> {
    const limit = this.#pick([1, 2, 1_000]);
    await this.#same(`change ${JSON.stringify({ which, change, limit })}`, (stage) => stage.change(which, change, limit));
  }

  async #find(): Promise<void> {
    const named = this.#pick([...this.#rows.map(({ id }) => id), ...this.#joins, "nobody"]);
    const where: JobFilter = this.#pick([{ join: named }, { after: named }, { before: named }, { states: ["blocked"] }]);
    const newestFirst = this.#chance(0.5);
    await this.#same(`find ${JSON.stringify(where)}`, async (stage) => {
      const jobs = await stage.engine.find({ of: "jobs", where, limit: 3, newestFirst }, stage.at);
      const within = await stage.engine.find({ of: "joins", limit: 3, newestFirst, ...(this.#joins.includes(named) && { parent: named }) }, stage.at);
      return [jobs.rows, jobs.next === undefined, within.rows, within.next === undefined];
    });
  }

  async #beat(): Promise<void> {
    const process = this.#process();
    await this.#same(`beat ${process}`, async (stage) => {
      const { isLost, cancelled } = await stage.beat(process);
      return { isLost, cancelled: cancelled.toSorted() };
    });
  }

  async #lock(): Promise<void> {
    const process = this.#process();
    const ticket = `ticket-${this.#below(6)}`;
    const mode = this.#pick(["read", "write"] as const);
    const name = this.#pick(["x", "y"]);
    const release = this.#chance(0.4);
    await this.#same(`lock ${name} ${mode} ${ticket} ${process} ${release}`, async (stage) => {
      if (release) return stage.engine.unlock({ name, ticket }, stage.at);
      try {
        const answer = await stage.engine.lock({ name, mode, process, ticket: `${mode} ${ticket}`, leaseMs, lastFence: 0 }, stage.at);
        return answer.is === "granted" ? "granted" : answer.ahead;
      } catch (error) {
        return ErrandError.is(error) ? error.code : assert.fail(String(error));
      }
    });
  }

  /** Three workers; each goes on under a new id now and then. */
  #process(): string {
    return `p${this.#below(3)}-${Math.floor(this.#steps / 60)}`;
  }

  async #pass(ms: number = this.#pick([1, 50, 400, 1_500, 3_000, leaseMs, this.#chance(0.25) ? stagedKeptMs : 10])): Promise<void> {
    for (const stage of this.#stages) stage.advance(ms);
    return Promise.resolve();
  }

  async #each(doing: string, act: (stage: Stage) => Promise<unknown>): Promise<void> {
    this.#doing = doing;
    for (const stage of this.#stages) await act(stage);
  }

  /** The same on every stage, with the same answer. */
  async #same<T>(doing: string, act: (stage: Stage, index: number) => Promise<T>): Promise<T> {
    if (doing !== "everything") this.#doing = doing;
    const [first] = this.#stages;
    assert.ok(first);
    const expected = await act(first, 0);
    for (const [index, stage] of this.#stages.entries()) {
      if (index === 0) continue;
      assert.deepEqual(
        plain(await act(stage, index)),
        plain(expected),
        `step ${this.#steps}: ${stage.engine.name} differs from ${first.engine.name} in ${doing} after ${this.#doing}`,
      );
    }
    return expected;
  }

  #pick<T>(from: readonly T[]): T {
    return this.#dice.pick(from);
  }

  #chance(share: number): boolean {
    return this.#dice.chance(share);
  }

  #below(limit: number): number {
    return this.#dice.below(limit);
  }
}

function withCode<T extends { readonly error?: ErrandError }>(settled: T): unknown {
  return { ...settled, error: settled.error?.code };
}

/** Without what each engine may word for itself, or number for itself. */
function plain(answer: unknown): unknown {
  const own = new Set(["fence", "on"]);
  return JSON.parse(JSON.stringify(answer, (name, value: unknown) => (own.has(name) ? undefined : value))) as unknown;
}
