/** Claims, outcomes, cancels and the app's transactions in random order, by two processes: held to a model step by step; and all at once, held to what must come out. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NewWork, Outcome } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { job, leaseMs } from "../port/stage.ts";
import { ClaimModel } from "./claimModel.ts";
import { onClaimScene } from "./claimScene.ts";
import type { Caller, ClaimScene } from "./claimScene.ts";
import { postgresMissing } from "./server.ts";

const skip = postgresMissing ?? false;
const seeds = [1, 2, 3, 4, 5];
const steps = 120;
const callersMost = 4;
/** Within a transaction of the app's: who waits for another one fails after so long. */
const waitMs = 15;

type Open = { readonly name: string; readonly caller: Caller; readonly isOld: boolean };

describe("claims and callers at random", { skip }, () => {
  for (const seed of seeds) it(`stay with the model: seed ${seed}`, () => onClaimScene((scene) => new Walk(scene, seed).run()));
  for (const seed of seeds.slice(0, 2))
    it(`all at once: each job completes once, and what a caller committed counts: seed ${seed}`, () => onClaimScene((scene) => rush(scene, seed)));
});

class Walk {
  readonly #scene: ClaimScene;
  readonly #model = new ClaimModel();
  readonly #random: () => number;
  readonly #outcomes: Outcome[] = [];
  readonly #open: Open[] = [];
  readonly #told: string[] = [];
  readonly #seed: number;
  #made = 0;
  #era = 0;

  constructor(scene: ClaimScene, seed: number) {
    this.#scene = scene;
    this.#seed = seed;
    this.#random = randomOf(seed);
  }

  async run(): Promise<void> {
    const acts = [
      this.#enqueue,
      this.#claim,
      this.#claim,
      this.#settle,
      this.#settle,
      this.#settle,
      this.#cancel,
      this.#begin,
      this.#within,
      this.#within,
      this.#within,
      this.#end,
      this.#tidy,
    ];
    try {
      await this.#enqueue();
      for (let step = 0; step < steps; step += 1) {
        await (step === steps / 2 ? this.#crash() : this.#pick(acts).call(this));
        await this.#agree();
      }
      for (const open of [...this.#open]) await this.#finish(open, this.#chance(0.5) ? "COMMIT" : "ROLLBACK");
      await this.#agree();
    } catch (error) {
      throw new Error(`seed ${this.#seed}, after:\n${this.#told.join("\n")}`, { cause: error });
    }
  }

  async #enqueue(): Promise<void> {
    const works: NewWork[] = Array.from({ length: 1 + this.#below(12) }, () => job(this.#id()));
    const running = this.#model.idsOf("running");
    if (running.length > 0 && this.#chance(0.3)) works.push(job(this.#id(), { after: [{ id: this.#pick(running), when: "ended" }] }));
    this.#tell(
      "enqueue",
      works.map(({ id }) => id),
    );
    this.#model.takeIn();
    for (const work of works) if (work.kind === "job") this.#model.enqueue(work.id, work.after?.[0]?.id);
    await this.#scene.enqueue(...works);
  }

  async #claim(): Promise<void> {
    const process = `process ${this.#era} ${this.#below(2)}`;
    const slots = 1 + this.#below(15);
    const ids = await this.#scene.claim(slots, process, {}, this.#engine());
    this.#tell("claim", process, slots, ids);
    this.#model.takeIn();
    const ready = this.#model.idsOf("ready");
    assert.equal(ids.length, Math.min(slots, ready.length));
    for (const id of ids) assert.ok(ready.includes(id), `${id} was not ready`);
    this.#model.claim(ids, ids.length > 0 ? this.#scene.held(ids[0] ?? "").claim : "", process);
    this.#outcomes.push(...ids.map((id) => this.#scene.outcome(id)));
  }

  async #settle(): Promise<void> {
    const outcomes = Array.from({ length: 1 + this.#below(12) }, () => this.#outcome()).filter((outcome) => outcome !== undefined);
    if (outcomes.length === 0) return;
    this.#tell(
      "settle",
      outcomes.map(({ id, is, claim }) => `${id} ${is} ${claim}`),
    );
    const told = await this.#scene.settle(outcomes, this.#engine());
    this.#model.takeIn();
    const met = new Set<string>();
    // Plain completions come first: those that are met once, and are nothing more.
    const isPlain = ({ id, is, follow }: Outcome): boolean =>
      is === "completed" && follow === undefined && outcomes.filter((other) => other.id === id).length === 1;
    const expected = new Map<Outcome, string>();
    for (const outcome of [...outcomes.filter(isPlain), ...outcomes.filter((each) => !isPlain(each))]) {
      met.add(outcome.id);
      expected.set(outcome, this.#model.settle(outcome));
    }
    assert.deepEqual(
      told.map(({ id, is }) => `${id} ${is}`),
      outcomes.map((outcome) => `${outcome.id} ${expected.get(outcome)}`),
    );
  }

  async #cancel(): Promise<void> {
    const ids = [...this.#model.jobs.keys()];
    const id = this.#pick(ids);
    this.#tell("cancel", id);
    this.#model.takeIn();
    assert.equal(await this.#scene.cancel(id), this.#model.cancel(id));
  }

  async #begin(): Promise<void> {
    if (this.#open.length >= callersMost) return;
    const isOld = this.#chance(0.3);
    const name = `caller ${(this.#made += 1)}${isOld ? " of its snapshot" : ""}`;
    const caller = await this.#scene.open(
      `BEGIN ISOLATION LEVEL ${isOld ? "REPEATABLE READ" : "READ COMMITTED"}; SET LOCAL lock_timeout = ${waitMs}; SELECT 1`,
    );
    this.#tell(name, "begins");
    this.#open.push({ name, caller, isOld });
  }

  async #within(): Promise<void> {
    const open = this.#open[this.#below(this.#open.length)];
    const outcome = this.#outcome();
    if (open === undefined || outcome === undefined) return;
    const told = await open.caller.hand(outcome).catch((error: unknown) => (error instanceof ErrandError ? error.code : String(error)));
    this.#tell(open.name, outcome.id, outcome.is, outcome.claim, told);
    // An old snapshot does not show a claim that came since, and shows one that is over: who has the job now is waited for.
    if (open.isOld && told === "lease-lost") return;
    if (open.isOld && (told === "conflict-retry" || told === "store-busy")) return this.#finish(open, "ROLLBACK");
    const expected = this.#model.settle(outcome, open.name);
    assert.equal(told, expected === "waits" ? "store-busy" : expected);
    if (expected === "waits") await this.#finish(open, "ROLLBACK");
  }

  async #end(): Promise<void> {
    const open = this.#open[this.#below(this.#open.length)];
    if (open !== undefined) await this.#finish(open, this.#chance(0.6) ? "COMMIT" : "ROLLBACK");
  }

  async #finish(open: Open, how: "COMMIT" | "ROLLBACK"): Promise<void> {
    this.#tell(open.name, how);
    this.#open.splice(this.#open.indexOf(open), 1);
    await open.caller.end(how);
    if (how === "COMMIT") this.#model.commit(open.name);
    else this.#model.rollBack(open.name);
  }

  async #tidy(): Promise<void> {
    this.#tell("tidy");
    await this.#scene.tidy();
    this.#model.takeIn();
    this.#model.takeBack();
  }

  /** All processes are gone, once: a job that is suspect twice would run alone. */
  async #crash(): Promise<void> {
    this.#tell("crash");
    this.#scene.now += leaseMs;
    for (const process of [0, 1]) this.#model.lose(`process ${this.#era} ${process}`);
    this.#era += 1;
    await this.#tidy();
  }

  async #agree(): Promise<void> {
    this.#model.takeIn();
    const ids = [...this.#model.jobs.keys()];
    const expected = ids.map((id) => `${id} ${this.#model.jobs.get(id)?.state}`);
    const states = (await this.#scene.states(...ids)).split(" ");
    assert.deepEqual(
      ids.map((id, n) => `${id} ${states[n]}`),
      expected,
    );
    const counted = Object.fromEntries((await this.#scene.engine.count(this.#scene.at)).map(({ state, jobs }) => [state, jobs]));
    for (const state of ["ready", "running", "completed", "dead", "cancelled", "blocked"] as const)
      assert.equal(counted[state] ?? 0, this.#model.idsOf(state).length, state);
  }

  /** Of a run that was handed out: mostly one of the last, which may be over. */
  #outcome(): Outcome | undefined {
    const handed = this.#outcomes[Math.max(0, this.#outcomes.length - 1 - this.#below(this.#chance(0.8) ? 30 : this.#outcomes.length))];
    if (handed === undefined) return undefined;
    const is = this.#pick(["completed", "completed", "completed", "retry", "dead", "released", "saved"] as const);
    const follow = is === "completed" && this.#chance(0.15) ? { follow: [job(this.#id())] } : {};
    return { ...handed, is, ...(is === "retry" && { delayMs: 0 }), ...(is === "saved" && { checkpoint: "1" }), ...follow };
  }

  #engine(): ClaimScene["engine"] {
    return this.#chance(0.6) ? this.#scene.engine : this.#scene.other;
  }

  #id(): string {
    return `job-${(this.#made += 1)}`;
  }

  #tell(...words: readonly unknown[]): void {
    this.#told.push(words.map((word) => (Array.isArray(word) ? word.join(", ") : String(word))).join(" "));
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T;
  }

  #below(most: number): number {
    return Math.floor(this.#random() * most);
  }

  #chance(of: number): boolean {
    return this.#random() < of;
  }
}

/** Two workers complete all they claim, in parts, while callers settle some of the same runs. Which comes first is left to the server. */
async function rush(scene: ClaimScene, seed: number): Promise<void> {
  const random = randomOf(seed);
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
  const jobs = 300;
  const ids = Array.from({ length: jobs }, (_, n) => `job-${n}`);
  await scene.enqueue(...ids.map((id) => job(id)));
  const completed = new Map<string, number>(ids.map((id) => [id, 0]));
  const late = new Set<string>();
  const running: string[] = [];
  let isOver = false;
  const counts = (id: string): void => void completed.set(id, (completed.get(id) ?? 0) + 1);

  const works = async (process: string, engine: ClaimScene["engine"]): Promise<void> => {
    for (let claimed = await scene.claim(30, process, {}, engine); claimed.length > 0; claimed = await scene.claim(30, process, {}, engine)) {
      running.push(...claimed);
      while (claimed.length > 0) {
        const part = claimed.splice(0, 1 + Math.floor(random() * claimed.length));
        const settled = await scene.settle(
          part.map((id) => scene.outcome(id)),
          random() < 0.5 ? scene.engine : scene.other,
        );
        for (const { id, is, state } of settled) {
          if (is === "settled" && state === "completed") counts(id);
          else if (is === "settled") late.add(id);
        }
      }
    }
  };
  const calls = async (): Promise<void> => {
    while (!isOver) {
      const [one, two] = [pick(running), pick(running)];
      if (one === undefined || two === undefined) {
        await new Promise((resolve) => void setImmediate(resolve));
        continue;
      }
      const caller = await scene.open(`BEGIN ISOLATION LEVEL ${pick(["READ COMMITTED", "REPEATABLE READ"])}; SET LOCAL deadlock_timeout = '5ms'; SELECT 1`);
      const how = random() < 0.7 ? "COMMIT" : "ROLLBACK";
      const told: string[] = [];
      for (const id of new Set([one, two])) {
        const is = await caller.settle(id).catch((error: unknown) => (error instanceof ErrandError ? error.code : String(error)));
        assert.ok(["settled", "lease-lost", "conflict-retry"].includes(is), is);
        if (is === "conflict-retry") told.length = 0;
        if (is === "conflict-retry") break;
        if (is === "settled") told.push(id);
      }
      await caller.end(how);
      if (how === "COMMIT") told.forEach(counts);
      await caller.client.end();
    }
  };

  const workers = Promise.all([works("p", scene.engine), works("q", scene.other)]).finally(() => (isOver = true));
  await Promise.all([workers, calls(), calls(), calls(), calls()]);
  await scene.tidy();
  assert.equal(await scene.states(...ids), ids.map(() => "completed").join(" "));
  for (const [id, times] of completed) assert.ok(times === 1 || (times === 0 && late.has(id)), `${id} was told ${times} times that it completed`);
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
