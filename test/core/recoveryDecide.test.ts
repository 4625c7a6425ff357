/** A breaker's state machine, without a store: what opens it, what it lets through, and how it grows and is lowered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changesAt, limitOf, unknownState, type BreakerState } from "../../src/core/recovery/breakerState.ts";
import { decide } from "../../src/core/recovery/decide.ts";
import { Evidence } from "../../src/core/recovery/evidence.ts";
import { LearnedRate } from "../../src/core/recovery/learnedRate.ts";
import { RetryBudget } from "../../src/core/recovery/retryBudget.ts";

const policy = { name: "task/work", failing: 10, of: 20, withinMs: 60_000, isRated: false, isGiven: false };
const start = 1_000_000;

/** One process, its breaker, and a clock. */
class Scene {
  state: BreakerState;
  now = start;
  isBinding = true;
  backlogAt = 0;
  rate = 100;
  evidence = new Evidence(policy);
  jobs = 0;

  constructor(state: Partial<BreakerState> = {}) {
    this.state = { ...unknownState, ...state };
  }

  /** So many runs, claimed now, have ended; each of a job of its own. */
  ran(isGood: boolean, count = 1): this {
    for (let n = 0; n < count; n++) this.runOf(`job ${this.jobs++}`, isGood);
    return this;
  }

  runOf(job: string, isGood: boolean, claimedAt: number = this.now): this {
    this.evidence.add({ job, isGood, claimedAt, reason: isGood ? "" : "503" }, this.now);
    return this;
  }

  after(ms: number): this {
    this.now += ms;
    return this;
  }

  /** Looks, once. */
  look(): BreakerState["is"] {
    this.state =
      decide(this.state, this.now, {
        evidence: this.evidence,
        told: { process: "a", rate: this.rate },
        isBinding: this.isBinding,
        backlogAt: this.backlogAt,
      }) ?? this.state;
    return this.state.is;
  }
}

const openings: readonly { readonly name: string; readonly play: (scene: Scene) => unknown; readonly is: BreakerState["is"] }[] = [
  { name: "20 failures of 20 jobs", play: (scene) => scene.ran(false, 20), is: "open" },
  {
    name: "every second of 20 fails, the last one too",
    play: (scene) => Array.from({ length: 20 }, (_, n) => scene.ran(n % 2 === 0)).concat(scene.ran(false)),
    is: "open",
  },
  { name: "19 failures", play: (scene) => scene.ran(false, 19), is: "healthy" },
  { name: "every third fails", play: (scene) => Array.from({ length: 60 }, (_, n) => scene.ran(n % 3 !== 2)), is: "healthy" },
  { name: "one poison job fails a hundred times", play: (scene) => Array.from({ length: 100 }, () => scene.runOf("poison", false)), is: "healthy" },
  {
    name: "nine poison jobs fail a hundred times",
    play: (scene) => Array.from({ length: 100 }, (_, n) => scene.runOf(`poison ${n % 9}`, false)),
    is: "healthy",
  },
  { name: "20 failures, one every 10 s", play: (scene) => Array.from({ length: 20 }, () => scene.after(10_000).ran(false)), is: "healthy" },
  { name: "the trouble is over: the last one is good", play: (scene) => scene.ran(false, 19).ran(true), is: "healthy" },
];

for (const { name, play, is } of openings) {
  test(`${name}: ${is}`, () => {
    const scene = new Scene();
    play(scene);
    assert.equal(scene.look(), is);
  });
}

test("an open breaker lets nothing start, then one at a time, then a tenth of what was done before", () => {
  const scene = new Scene().ran(false, 20);
  scene.look();
  assert.deepEqual([scene.state.reason, limitOf(scene.state), changesAt(scene.state)], ["503", { running: 0 }, start + 1_000]);
  assert.equal(scene.after(999).look(), "open");
  assert.equal(scene.after(1).look(), "probing");
  assert.deepEqual(limitOf(scene.state), { running: 1 });
  assert.equal(scene.after(60_000).look(), "probing");
  assert.equal(scene.ran(true).look(), "ramping");
  assert.deepEqual([scene.state.startRate, limitOf(scene.state)], [10, { starts: 2, everyMs: 200 }]);
});

test("a failing probe opens it again, for a sixtieth of the time of the trouble, from 1 s to 30 s", () => {
  const scene = new Scene().ran(false, 20);
  scene.look();
  const waits: number[] = [];
  for (let probes = 0; probes < 400; probes++) {
    scene.after(scene.state.waitMs).look();
    scene.after(10).ran(false).look();
    waits.push(scene.state.waitMs);
  }
  assert.deepEqual([waits[0], waits.at(-1)], [1_000, 30_000]);
  const part = scene.state.since - scene.state.troubleAt;
  assert.ok(part > 1_800_000 && waits.every((wait, index) => wait >= (waits[index - 1] ?? 0)));
});

test("runs that were claimed before a state began say nothing of it", () => {
  const scene = new Scene().ran(false, 20);
  scene.look();
  scene.after(1_000).look();
  scene.after(500).runOf("from before", false, start + 900);
  assert.equal(scene.look(), "probing");
  scene.runOf("also from before", true, start + 900);
  assert.equal(scene.look(), "probing");
  assert.equal(scene.runOf("the probe", true, start + 1_000).look(), "ramping");
  scene.after(500);
  for (let n = 0; n < 9; n++) scene.runOf(`late ${n}`, false, start + 1_000);
  assert.equal(scene.look(), "ramping");
});

function ramping(state: Partial<BreakerState> = {}): Scene {
  return new Scene({
    is: "ramping",
    since: start,
    troubleAt: start - 60_000,
    rate: 100,
    told: ["a"],
    startRate: 10,
    steppedAt: start,
    loweredAt: start,
    recoveringAt: start,
    ...state,
  });
}

test("the rate grows by half in 5 s, in small steps, while it is used with success", () => {
  const scene = ramping();
  for (let steps = 0; steps < 10; steps++) scene.after(500).ran(true).look();
  assert.ok(Math.abs(scene.state.startRate - 15) < 1e-9, `${scene.state.startRate}`);
});

test("it does not grow without a success, but for a quiet minute", () => {
  const scene = ramping();
  scene.after(59_000).look();
  assert.equal(scene.state.startRate, 10);
  scene.after(1_000).look();
  assert.ok(Math.abs(scene.state.startRate - 15) < 1e-9);
});

test("nothing is held back any more when what was done before is passed and nothing waits for more", () => {
  const scene = ramping({ startRate: 99 });
  scene.isBinding = false;
  assert.equal(scene.after(500).ran(true).look(), "ramping");
  assert.equal(scene.after(500).ran(true).look(), "draining");
  assert.equal(limitOf(scene.state), undefined);
  assert.equal(scene.after(29_999).look(), "draining");
  scene.backlogAt = scene.now;
  assert.equal(scene.after(1).look(), "draining");
  assert.equal(scene.after(29_999).look(), "healthy");
});

test("while jobs wait for more it goes on growing, and never jumps", () => {
  const scene = ramping({ startRate: 99 });
  for (let steps = 0; steps < 40; steps++) {
    const before = scene.state.startRate;
    scene.after(500).ran(true).look();
    assert.ok(scene.state.startRate / before < 1.05);
  }
  assert.equal(scene.state.is, "ramping");
  assert.ok(scene.state.startRate > 400);
});

const lowerings: readonly {
  readonly name: string;
  readonly play: (scene: Scene) => unknown;
  readonly is: string;
  readonly startRate: number;
  readonly rate: number;
}[] = [
  { name: "two failing jobs of many change nothing", play: (scene) => scene.ran(true, 10).ran(false, 2), is: "ramping", startRate: 80, rate: 100 },
  {
    name: "one job that fails again and again changes nothing",
    play: (scene) => scene.ran(true, 10).runOf("p", false).runOf("p", false).runOf("p", false).runOf("p", false),
    is: "ramping",
    startRate: 80,
    rate: 100,
  },
  {
    name: "a third that fails halves the rate, and what was too much is remembered",
    play: (scene) => scene.ran(true, 8).ran(false, 4),
    is: "ramping",
    startRate: 40,
    rate: 68,
  },
  { name: "if most fail it opens again", play: (scene) => scene.ran(true, 3).ran(false, 5), is: "open", startRate: 80, rate: 100 },
];

for (const { name, play, is, startRate, rate } of lowerings) {
  test(`at 80 starts a second, of 100 before: ${name}`, () => {
    const scene = ramping({ startRate: 80 }).after(100);
    play(scene);
    scene.look();
    assert.deepEqual([scene.state.is, Math.round(scene.state.startRate), Math.round(scene.state.rate)], [is, startRate, rate]);
  });
}

test("what was claimed before the rate was lowered, or within a second of it, does not lower it again", () => {
  const scene = ramping({ startRate: 80 }).after(100).ran(true, 8).ran(false, 4);
  scene.look();
  const { startRate } = scene.state;
  scene.after(900);
  for (let n = 0; n < 10; n++) scene.runOf(`early ${n}`, false, scene.now);
  scene.look();
  assert.equal(scene.state.startRate, startRate);
  scene.after(200).ran(true, 14).ran(false, 6).look();
  assert.ok(scene.state.startRate < startRate);
});

test("after an overload it grows quickly up to what held, and with care beyond", () => {
  const scene = ramping({ startRate: 100, hasOverloaded: true, rate: 100 });
  for (let steps = 0; steps < 10; steps++) scene.after(500).ran(true).look();
  assert.ok(Math.abs(scene.state.startRate - 103) < 1e-6, `${scene.state.startRate}`);
});

test("a rate that cannot be halved any more is closed", () => {
  const scene = ramping({ startRate: 1.5, rate: 1 }).after(100).ran(true, 8).ran(false, 4);
  assert.equal(scene.look(), "open");
});

test("trouble within a minute of a recovery is taken for an overload", () => {
  const scene = new Scene({ is: "draining", since: start, recoveringAt: start - 30_000 }).after(20_000).ran(false, 20);
  scene.look();
  assert.deepEqual([scene.state.is, scene.state.hasOverloaded], ["open", true]);
});

test("each process tells once what it did before the trouble", () => {
  const scene = new Scene().ran(false, 20);
  scene.look();
  const other = (process: string, state: BreakerState): BreakerState =>
    decide(state, scene.now, { evidence: new Evidence(policy), told: { process, rate: 50 }, isBinding: true, backlogAt: 0 }) ?? state;
  const told = other("c", other("b", other("b", scene.state)));
  assert.deepEqual([told.rate, told.told], [200, ["a", "b", "c"]]);
});

test("the learned rate is the best five seconds of the last five minutes", () => {
  const learned = new LearnedRate();
  for (let ms = 0; ms < 10_000; ms += 100) learned.add(ms);
  for (let ms = 10_000; ms < 60_000; ms += 1_000) learned.add(ms);
  assert.equal(learned.perSecond(60_000), 10);
  assert.equal(learned.perSecond(310_001), 1);
  assert.equal(learned.perSecond(1_000_000), 0);
});

test("of the starts while it ramps, at most a fifth are second tries", () => {
  const budget = new RetryBudget();
  let starts = 0;
  let retries = 0;
  for (let n = 0; n < 1_000; n++) {
    const isRetry = n % 2 === 1;
    if (!budget.admits(isRetry ? 2 : 1, 1)) continue;
    starts++;
    if (isRetry) retries++;
    assert.ok(retries <= starts * 0.2 + 1, `${retries} of ${starts}`);
  }
  assert.ok(retries > starts * 0.19);
});

test("where there is nothing else, all of the second tries start", () => {
  const budget = new RetryBudget();
  assert.ok(Array.from({ length: 1_000 }, () => budget.admits(3, 2)).every(Boolean));
});

test("one second try is put off for each new one that has started, and no more than so many in a row", () => {
  const budget = new RetryBudget();
  const retries = (count: number): boolean[] => Array.from({ length: count }, () => budget.admits(2, 3));
  budget.admits(2, 3);
  budget.admits(1, 3);
  assert.deepEqual(retries(3), [false, true, true]);
  for (let news = 0; news < 3; news++) budget.admits(1, 3);
  assert.deepEqual(retries(6), [true, false, false, false, true, true]);
});
