/** A random life of a store: many steps of all verbs, the same on every stage, reproducible by its seed. */
import assert from "node:assert/strict";
import type { Atom, Change, Claim, JobRow, NewJob, NewWork, NoteWrite, Outcome, Uniqueness } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { jobDiedName, pausedQueue, pausedTask, subscriptionKey } from "../../src/core/notes.ts";
import { checkLanes } from "./laneLaws.ts";
import { event, job, keep, leaseMs } from "./stage.ts";
import type { Stage } from "./stage.ts";

const tasks = ["send", "print", "pack"];
const queues = ["mail", "paper"];
const lanes: readonly NonNullable<NewJob["lane"]>[] = [
  { key: "parks", width: 1, ifDead: "park" },
  { key: "blocks", width: 1, ifDead: "block" },
  { key: "continues", width: 1, ifDead: "continue" },
  { key: "parks wide", width: 3, ifDead: "park" },
  { key: "blocks wide", width: 2, ifDead: "block" },
];
const modes: readonly Uniqueness["mode"][] = [
  { is: "keep" },
  { is: "replace" },
  { is: "debounce", quietMs: 500, atMostMs: 1_500 },
  { is: "throttle", windowMs: 2_000 },
  { is: "one-more" },
];
const outcomes: readonly Outcome["is"][] = ["completed", "completed", "skipped", "dead", "dead", "retry", "snoozed", "released", "saved"];
const shortKeep = { completed: 5_000, skipped: 3_000, cancelled: 20_000, dead: 40_000 };

export class Walk {
  readonly #stages: readonly Stage[];
  readonly #claims: { readonly id: string; readonly claim: string }[] = [];
  /** By stage, the fence of each claim. */
  readonly #fences: readonly Map<string, number>[];
  #random: number;
  #steps = 0;
  #rows: readonly JobRow[] = [];
  /** What was done last, for the message of a failure. */
  #doing = "";

  constructor(stages: readonly Stage[], seed: number) {
    this.#stages = stages;
    this.#fences = stages.map(() => new Map());
    this.#random = seed;
  }

  async run(steps: number): Promise<void> {
    for (let step = 0; step < steps; step += 1) await this.step();
  }

  async step(): Promise<void> {
    this.#steps += 1;
    const kinds = [
      this.#enqueue,
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
    ];
    await this.#pick(kinds).call(this);
    const rows = await this.#first.all();
    checkLanes(this.#rows, rows, (lane) => lanes.find(({ key }) => key === lane)?.width);
    this.#rows = rows;
    await this.#same("everything", async (stage) => [await stage.all(), await stage.counts()]);
  }

  /** Work goes on until nothing is left to do; then a person redrives what is parked, until all jobs have ended. */
  async drain(): Promise<void> {
    const resume = [...queues.map(pausedQueue), ...tasks.map(pausedTask)].map((key) => ({ key, value: undefined }));
    await this.#each("resume", (stage) => stage.store({ works: [], notes: resume }));
    for (let round = 0; round < 60; round += 1) {
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
    const works = Array.from({ length: 1 + this.#below(3) }, () => this.#work());
    await this.#store({ works });
  }

  #work(): NewWork {
    if (this.#chance(0.15)) {
      const id = `event-${this.#steps}-${this.#below(3)}`;
      return event(id, {
        name: this.#pick(["order.placed", "order.paid"]),
        payload: `{"account":${this.#below(3)}}`,
        orderedBy: ["account"],
        rememberMs: this.#below(3) * 2_000,
      });
    }
    const content = this.#chance(0.05) ? "other" : "same";
    return job(`job-${this.#below(40)}`, {
      content,
      payload: `"${this.#steps}"`,
      task: this.#pick(tasks),
      queue: this.#pick(queues),
      keep: shortKeep,
      headStartMs: this.#pick([0, 0, 0, 700, -700]),
      rememberMs: this.#pick([0, 0, 10_000]),
      ...(this.#chance(0.3) && { delayMs: this.#below(2_000) }),
      ...(this.#chance(0.1) && { dueAt: this.#first.now + 1_000 - this.#below(2_000) }),
      ...(this.#chance(0.2) && { startWithinMs: this.#below(4_000) }),
      ...(this.#chance(0.5) && { lane: this.#pick(lanes) }),
      ...(this.#chance(0.3) && { unique: { key: `key-${this.#below(3)}`, mode: this.#pick(modes) } }),
    });
  }

  async #write(): Promise<void> {
    const subscription = this.#pick(["s1", "s2", "s3"]);
    // The id of a death is each engine's own, and with it the ids of the jobs that it makes.
    const name = this.#pick(["order.placed", "order.paid", this.#stages.length > 1 ? "order.paid" : jobDiedName]);
    const stored = {
      name: subscription,
      event: name,
      since: this.#pick(["now", "beginning"]),
      task: this.#pick(tasks),
      queue: this.#pick(queues),
      headStartMs: 0,
      delayMs: this.#pick([0, 300]),
      isMapped: this.#chance(0.3),
      keep: name === jobDiedName ? keep : shortKeep,
      ...(this.#chance(0.5) && { orderedBy: ["account"], ifDead: "block" }),
      ...(this.#chance(0.3) && { uniqueBy: ["account"] }),
    };
    const note: NoteWrite = this.#pick([
      { key: pausedQueue(this.#pick(queues)), value: this.#chance(0.4) ? "{}" : undefined },
      { key: pausedTask(this.#pick(tasks)), value: this.#chance(0.4) ? "{}" : undefined },
      { key: subscriptionKey(subscription), value: this.#chance(0.7) ? JSON.stringify(stored) : undefined },
      { key: "plain", value: "1", ifVersion: this.#below(4) },
    ]);
    await this.#store({ works: this.#chance(0.3) ? [this.#work()] : [], notes: [note] });
  }

  async #store(atom: Atom): Promise<void> {
    await this.#same(`enqueue ${JSON.stringify(atom)}`, async (stage) =>
      (await stage.atoms(atom)).map((answer) => (answer instanceof ErrandError ? answer.code : answer)),
    );
  }

  async #claim(): Promise<void> {
    const slots = this.#below(4);
    await this.#hand(
      this.#newClaim({
        process: this.#process(),
        alone: this.#chance(0.2) ? "only" : "no",
        queues: queues.filter(() => this.#chance(0.8)).map((queue) => ({ queue, slots, ahead: this.#below(3) })),
        tasks: tasks.filter(() => this.#chance(0.8)),
      }),
      this.#chance(0.4) ? this.#someOutcomes() : [],
    );
  }

  #newClaim(wanted: Pick<Claim, "process" | "alone" | "queues" | "tasks">): Claim {
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
        ...(mayFollow && this.#chance(0.3) && { follow: [this.#work()] }),
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
    await this.#each(`tidy ${items} ${mayExpire}`, (stage) => stage.tidy(items, mayExpire));
  }

  async #change(): Promise<void> {
    const change: Change = this.#pick([
      { do: "cancel", reason: "not wanted" },
      { do: "retry" },
      { do: "retry" },
      { do: "prioritise", headStartMs: this.#below(2_000) },
      { do: "delete" },
    ]);
    const ids = (await this.#first.all()).map(({ id }) => id);
    const which = this.#chance(0.7)
      ? { ids: [this.#pick([...ids, "nobody"]), this.#pick([...ids, "nobody"])] }
      : { jobs: { task: this.#pick(tasks), queue: this.#pick(queues) } };
    const limit = this.#pick([1, 2, 1_000]);
    await this.#same(`change ${JSON.stringify({ which, change, limit })}`, (stage) => stage.change(which, change, limit));
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

  async #pass(ms: number = this.#pick([1, 50, 400, 1_500, 3_000, leaseMs])): Promise<void> {
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
    return from[this.#below(from.length)] as T;
  }

  #chance(share: number): boolean {
    return this.#below(1_000) < share * 1_000;
  }

  /** mulberry32 */
  #below(limit: number): number {
    this.#random = (this.#random + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#random ^ (this.#random >>> 15), this.#random | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
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
