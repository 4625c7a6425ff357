/** A breaker's state machine, without a store: what opens it, what it lets through, and how it grows and is lowered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Breaker } from "../../src/core/recovery/breaker.ts";
import { changesAt, limitOf, ramped, unknownState, type BreakerState } from "../../src/core/recovery/breakerState.ts";
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
  ranMs = 50;
  untriedAt = 0;

  constructor(state: Partial<BreakerState> = {}) {
    this.state = { ...unknownState, ...state };
  }

  /** So many runs, claimed now, have ended; each of a job of its own. */
  ran(isGood: boolean, count = 1): this {
    for (let n = 0; n < count; n++) this.runOf(`job ${this.jobs++}`, isGood);
    return this;
  }

  runOf(job: string, isGood: boolean, claimedAt: number = this.now): this {
    this.evidence.add({ job, isGood, claimedAt, ranMs: this.ranMs, reason: isGood ? "" : "503" }, this.now);
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
        untriedAt: this.untriedAt,
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
  assert.deepEqual([scene.state.startRate, limitOf(scene.state)], [10, { starts: 1, everyMs: 100 }]);
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
  readonly is: BreakerState["is"];
  readonly startRate: number;
  readonly tooMuch: number;
}[] = [
  { name: "two failing jobs of many change nothing", play: (scene) => scene.ran(true, 10).ran(false, 2), is: "ramping", startRate: 80, tooMuch: 0 },
  {
    name: "one job that fails again and again changes nothing",
    play: (scene) => scene.ran(true, 10).runOf("p", false).runOf("p", false).runOf("p", false).runOf("p", false),
    is: "ramping",
    startRate: 80,
    tooMuch: 0,
  },
  {
    name: "a third that fails halves the rate, and what was too much is remembered",
    play: (scene) => scene.ran(true, 8).ran(false, 4),
    is: "ramping",
    startRate: 40,
    tooMuch: 80,
  },
  { name: "so do most, for once", play: (scene) => scene.ran(true, 3).ran(false, 5), is: "ramping", startRate: 40, tooMuch: 80 },
];

for (const { name, play, is, startRate, tooMuch } of lowerings) {
  test(`at 80 starts a second, of 100 before: ${name}`, () => {
    const scene = ramping({ startRate: 80 }).after(6_000);
    play(scene);
    scene.state = { ...scene.state, steppedAt: scene.now };
    scene.look();
    assert.deepEqual([scene.state.is, Math.round(scene.state.startRate), Math.round(scene.state.tooMuch)], [is, startRate, tooMuch]);
  });
}

test("what was claimed before the rate was lowered, or within a second of it, does not lower it again", () => {
  const scene = ramping({ startRate: 80 }).after(100).ran(true, 8).ran(false, 4);
  scene.look();
  assert.equal(scene.state.startRate, 40);
  scene.after(900);
  for (let n = 0; n < 10; n++) scene.runOf(`early ${n}`, false, scene.now);
  scene.look();
  assert.equal(scene.state.startRate, 40);
  scene.after(200).ran(true, 14).ran(false, 6).look();
  assert.equal(scene.state.startRate, 20);
});

test("what fails at half of the rate too is down: it opens, and no rate was too much, unless it was before", () => {
  const scene = ramping({ startRate: 80 }).after(6_000).ran(false, 20);
  scene.look();
  assert.equal(scene.after(1_100).ran(false, 20).look(), "open");
  assert.deepEqual([scene.state.tooMuch, scene.state.timesTooMuch], [80, 0]);
  scene.state = { ...ramping({ startRate: 75 }).state, tooMuch: 80 };
  scene.after(60_000).ran(false, 20).look();
  assert.deepEqual([scene.state.is, scene.state.tooMuch, scene.state.timesTooMuch], ["ramping", 75, 2]);
  scene.after(1_100).ran(false, 20).look();
  assert.deepEqual([scene.state.is, scene.state.timesTooMuch], ["open", 1]);
});

/** So many steps, each with a success. */
function steps(scene: Scene, count: number): Scene {
  for (let step = 0; step < count; step++) scene.after(500).ran(true).look();
  return scene;
}

const about = (actual: number, expected: number): void => assert.ok(Math.abs(actual - expected) < expected * 0.001, `${actual}, not ${expected}`);

test("what was lowered goes back to a little below what was too much in seconds, and stays there for half a minute", () => {
  const scene = ramping({ startRate: 100 }).after(6_000).ran(true, 8).ran(false, 4);
  scene.look();
  assert.equal(scene.state.startRate, 50);
  steps(scene.after(600), 8);
  about(scene.state.startRate, 95);
  steps(scene, 50);
  about(scene.state.startRate, 95);
  steps(scene, 4);
  assert.ok(scene.state.startRate > 95 && scene.state.startRate < 95 * 1.04, `${scene.state.startRate}`);
});

test("each time that about the same is too much, it stays below it twice as long", () => {
  const scene = ramping({ startRate: 100 });
  const staysS = [1, 2, 3].map(() => {
    scene.after(6_000).ran(true, 8).ran(false, 12).look();
    const loweredAt = scene.now;
    steps(scene.after(1_100), 10);
    const { startRate } = scene.state;
    while (scene.state.startRate === startRate) steps(scene, 1);
    return Math.floor((scene.now - loweredAt) / 1_000);
  });
  assert.deepEqual(staysS, [30, 60, 120]);
});

test("what was too much once and is not any more is forgotten", () => {
  const scene = steps(ramping({ startRate: 119, rate: 100, tooMuch: 100, timesTooMuch: 3, tooMuchAt: start - 600_000 }), 4);
  assert.equal(scene.state.timesTooMuch, 0);
  const { startRate } = scene.state;
  about(steps(scene, 10).state.startRate, startRate * 1.5);
});

test("where runs take twice as long as at lower rates, the rate gives way a little, but not below what was done before", () => {
  const scene = steps(ramping({ startRate: 70 }).ran(true, 10), 20);
  const { startRate } = scene.state;
  assert.ok(startRate > 110);
  scene.ranMs = 101;
  scene.ran(true, 9);
  about(steps(scene, 1).state.startRate, startRate * 0.95);
  assert.equal(steps(scene, 20).state.startRate, 100);
  scene.ranMs = 60;
  scene.ran(true, 20);
  assert.ok(steps(scene, 1).state.startRate > 100);
});

test("how long runs took before the ramp, or at high rates, is not what is usual", () => {
  const scene = ramping({ startRate: 70, usualMs: 5_000 });
  scene.state = ramped({ ...scene.state, is: "probing" }, scene.now);
  assert.equal(scene.state.usualMs, 0);
  scene.state = { ...scene.state, startRate: 70 };
  steps(scene.ran(true, 10), 20);
  assert.equal(scene.state.usualMs, 50);
  scene.ranMs = 90;
  assert.equal(steps(scene, 20).state.usualMs, 50);
});

test("a rate that cannot be halved any more is closed", () => {
  const scene = ramping({ startRate: 1.5, rate: 1 }).after(100).ran(true, 8).ran(false, 4);
  assert.equal(scene.look(), "open");
});

test("trouble within a minute of a recovery is taken for an overload", () => {
  const scene = new Scene({ is: "draining", since: start, recoveringAt: start - 30_000 }).after(20_000).ran(false, 20);
  scene.look();
  assert.deepEqual([scene.state.is, scene.state.tooMuch, scene.state.timesTooMuch], ["open", 100, 1]);
});

test("each process tells once what it did before the trouble", () => {
  const scene = new Scene().ran(false, 20);
  scene.look();
  const other = (process: string, state: BreakerState): BreakerState =>
    decide(state, scene.now, { evidence: new Evidence(policy), told: { process, rate: 50 }, isBinding: true, untriedAt: 0, backlogAt: 0 }) ?? state;
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

test("each step tells when jobs that were not tried before last came up, as far as is known", () => {
  const scene = ramping({ untriedAt: start });
  scene.untriedAt = start + 300;
  assert.equal(steps(scene, 1).state.untriedAt, start + 300);
  scene.untriedAt = 0;
  assert.equal(steps(scene, 1).state.untriedAt, start + 300);
});

test("of the starts while it ramps, at most a fifth are second tries, and none is lent", () => {
  const budget = new RetryBudget();
  assert.equal(budget.most, 0);
  let [starts, retries] = [0, 0];
  for (let n = 0; n < 1_000; n++) {
    const wasTried = n % 2 === 1;
    if (wasTried && budget.most < 1) continue;
    budget.started(wasTried);
    starts++;
    if (wasTried) retries++;
    assert.ok(retries <= starts * 0.2, `${retries} of ${starts}`);
  }
  assert.ok(retries > starts * 0.19);
});

test("what second tries do not use is kept for them, up to ten", () => {
  const budget = new RetryBudget();
  for (let n = 0; n < 1_000; n++) budget.started(false);
  assert.equal(budget.most, 10);
});

/** A breaker that has just begun to ramp, at ten of a hundred a second, and what it says of second tries. */
function atRamp(state: Partial<BreakerState> = {}): Breaker {
  const breaker = new Breaker(policy, { evidence: new Evidence(policy), learned: new LearnedRate() });
  breaker.take({ ...ramping({ untriedAt: start, ...state }).state }, 1);
  return breaker;
}

test("second tries wait for others to start first, all of them start where no others come up for two seconds", () => {
  const breaker = atRamp();
  assert.deepEqual([breaker.retriesMost(start), breaker.retriesMost(start + 1_999), breaker.retriesMost(start + 2_000)], [0, 0, undefined]);
  for (let n = 0; n < 4; n++) breaker.handedOut({ attempt: 1, dueAt: 0 }, start + 5_000);
  assert.deepEqual([breaker.retriesMost(start + 5_000), breaker.retriesMost(start + 7_000)], [1, undefined]);
  breaker.handedOut({ attempt: 2, dueAt: 0 }, start + 5_000);
  assert.equal(breaker.retriesMost(start + 5_000), 0);
});

test("that others come up in another process counts too", () => {
  const breaker = atRamp();
  breaker.take(ramping({ untriedAt: start + 5_000 }).state, 2);
  assert.equal(breaker.retriesMost(start + 6_000), 0);
});

for (const [name, state, most] of [
  ["below what was done before", { startRate: 99 }, 0],
  ["at what was done before", { startRate: 100 }, undefined],
  ["a little below what was too much", { startRate: 57, tooMuch: 60, timesTooMuch: 1 }, undefined],
  ["while it drains", { is: "draining" }, undefined],
] as const)
  test(`second tries, ${name}: ${most ?? "all"} of them may start`, () => assert.equal(atRamp(state).retriesMost(start), most));
