/** The claim that goes straight on answers and does what the one by the modules does: two stores, alike but for a queue without jobs that asks for more than it is for. */
import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import type { Claimed, ClaimQueue, Engine, NewJob, Outcome } from "../../src/core/engine.ts";
import { pausedQueue } from "../../src/core/notes.ts";
import { redis } from "../../src/redis/index.ts";
import { realRuntime } from "../../src/runtime/real.ts";
import { freshPlace } from "./places.ts";
import { redisMissing } from "./server.ts";

const skip = redisMissing ?? false;
const seed = Number(process.env["ERRAND_SEED"] ?? 7);
const leaseMs = 30_000;
const idle: ClaimQueue = { queue: "idle", slots: 100, ahead: 0 };

type Step =
  | { readonly do: "enqueue"; readonly count: number; readonly task: string; readonly headStartMs: number; readonly delayMs: number; readonly isLaned: boolean }
  | { readonly do: "claim"; readonly slots: number; readonly ahead: number; readonly settles: "all" | "some" | "none" | "wrongly"; readonly is: Outcome["is"] }
  | { readonly do: "pause" | "resume" }
  | { readonly do: "wait"; readonly ms: number };

const task = fc.constantFrom("send", "send", "send", "print");
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("enqueue" as const),
      count: fc.integer({ min: 1, max: 12 }),
      task,
      headStartMs: fc.constantFrom(0, 0, 0, 50),
      delayMs: fc.constantFrom(0, 0, 0, 0, 40),
      isLaned: fc.constantFrom(false, false, false, false, false, false, true),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("claim" as const),
      slots: fc.integer({ min: 0, max: 9 }),
      ahead: fc.constantFrom(0, 3),
      settles: fc.constantFrom("all", "all", "all", "some", "none", "wrongly"),
      is: fc.constantFrom("completed", "completed", "completed", "completed", "completed", "completed", "retry"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("pause" as const, "resume" as const, "resume" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 60 }) }) },
);

/** One store, and what it handed out last. */
class Twin {
  readonly engine: Engine;
  readonly #more: readonly ClaimQueue[];
  #held: readonly Outcome[] = [];
  #claims = 0;

  constructor(engine: Engine, more: readonly ClaimQueue[]) {
    this.engine = engine;
    this.#more = more;
  }

  async claim({ slots, ahead, settles, is }: Extract<Step, { do: "claim" }>, now: number): Promise<Omit<Claimed, "fence">> {
    const claim = `claim ${(this.#claims += 1)}`;
    const count = settles === "all" || settles === "wrongly" ? this.#held.length : settles === "some" ? Math.ceil(this.#held.length / 2) : 0;
    const settling = this.#held.slice(0, count).map((held) => ({ ...held, is, ...(settles === "wrongly" && { claim: "another" }) }));
    const queues = [{ queue: "mail", slots, ahead }, ...this.#more];
    const wanted = { process: "p", leaseMs, claim, lastFence: 0, queues, tasks: ["send", "print"], alone: "no", settling } as const;
    const { fence, ...claimed } = await this.engine.claim(wanted, { now });
    this.#held = [...this.#held.slice(count), ...claimed.jobs.map(({ id }): Outcome => ({ id, claim, fence, is: "completed", ranMs: 1 }))];
    return claimed;
  }
}

it("a plain claim answers and does what the modules do, whatever was stored, handed out and settled before", { skip, timeout: 120_000 }, async () => {
  for (const steps of fc.sample(fc.array(step, { minLength: 60, maxLength: 60 }), { numRuns: 12, seed })) {
    const places = [await freshPlace(), await freshPlace()];
    const twins = places.map(({ url, prefix }, nth) => new Twin(redis(url, { prefix }), nth === 0 ? [] : [idle]));
    const runtime = realRuntime();
    for (const { engine } of twins) await engine.open({ runtime });
    try {
      await both(twins, steps);
    } finally {
      for (const { engine } of twins) await engine.close();
      for (const place of places) await place.done();
    }
  }
});

async function both(twins: readonly Twin[], steps: readonly Step[]): Promise<void> {
  let now = Date.now() + 1_000;
  let stored = 0;
  for (const [nth, one] of steps.entries()) {
    if (one.do === "wait") now += one.ms;
    const jobs = one.do === "enqueue" ? Array.from({ length: one.count }, () => jobOf(one, (stored += 1))) : [];
    const answers = await Promise.all(twins.map((twin) => done(twin, one, jobs, now)));
    assert.deepEqual(answers[0], answers[1], `step ${nth}: ${JSON.stringify(one)}`);
  }
  const ends = await Promise.all(twins.map(async ({ engine }) => (await engine.count({ now })).map((row) => JSON.stringify(row)).sort()));
  assert.deepEqual(ends[0], ends[1]);
}

async function done(twin: Twin, one: Step, jobs: readonly NewJob[], now: number): Promise<unknown> {
  if (one.do === "claim") return twin.claim(one, now);
  if (one.do === "enqueue") return twin.engine.enqueue([{ works: jobs }], { now });
  if (one.do === "wait") return undefined;
  const value = one.do === "pause" ? "{}" : undefined;
  return twin.engine.enqueue([{ works: [], notes: [{ key: pausedQueue("mail"), value }] }], { now });
}

function jobOf({ task: name, headStartMs, delayMs, isLaned }: Extract<Step, { do: "enqueue" }>, nth: number): NewJob {
  const keep = { completed: leaseMs, skipped: leaseMs, cancelled: leaseMs, dead: leaseMs };
  const lane = isLaned ? { lane: { key: `lane[${nth % 2}]`, width: 1, ifDead: "block" } as const } : {};
  const id = `job ${nth}`;
  return { kind: "job", id, content: id, rememberMs: 0, task: name, queue: "mail", payload: "{}", headStartMs, keep, ...(delayMs > 0 && { delayMs }), ...lane };
}
