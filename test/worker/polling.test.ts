/** How soon a worker finds work that it is not told of. */
import assert from "node:assert/strict";
import test from "node:test";
import { task } from "../../src/core/task.ts";
import { Stage } from "./stage.ts";

const minute = 60_000;

/** Work that is stored at random moments, and how long each of it waited for its start. */
class Arrivals implements AsyncDisposable {
  readonly stage: Stage;
  readonly waits: number[] = [];
  readonly #work = task("work", ({ at }: { at: number }) => void this.waits.push(this.stage.runtime.now() - at));

  private constructor() {
    this.stage = new Stage({ work: this.#work }, { isAsync: true });
  }

  static async on({ isHearing }: { isHearing: boolean }): Promise<Arrivals> {
    const own = new Arrivals();
    own.stage.isHearing = isHearing;
    await own.stage.start();
    await own.stage.advance(100);
    return own;
  }

  async come(times: number, everyMs: number): Promise<void> {
    for (let n = 0; n < times; n++) {
      await this.stage.advance(Math.round(2 * everyMs * this.stage.runtime.random()));
      await this.stage.enqueue(this.#work.with({ at: this.stage.runtime.now() }));
    }
    await this.stage.advance(2_000);
    assert.equal(this.waits.length, times, "all have started");
  }

  async looksWithin(ms: number): Promise<number> {
    const from = claims(this.stage);
    await this.stage.advance(ms);
    return claims(this.stage) - from;
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.stage[Symbol.asyncDispose]();
  }
}

test("where no wake-ups are heard, work starts within 20 ms while some came in the last minute", async () => {
  await using arrivals = await Arrivals.on({ isHearing: false });
  await arrivals.come(60, 5_000);
  const [first = 0, ...others] = arrivals.waits;
  assert.ok(first <= 1_300, `the first waited ${first} ms`);
  assert.ok(others.length > 50 && Math.max(...others) <= 20, `others waited up to ${Math.max(...others)} ms`);
});

test("where no wake-ups are heard, a worker looks once a second when no work has come for a minute, and often again when some comes", async () => {
  await using arrivals = await Arrivals.on({ isHearing: false });
  const before = await arrivals.looksWithin(minute);
  assert.ok(before >= 45 && before <= 75, `${before} looks in a minute without work`);
  await arrivals.come(1, 100);
  const busy = await arrivals.looksWithin(minute - 5_000);
  assert.ok(busy >= 3_500 && busy <= 5_500, `${busy} looks in 55 s after work`);
  await arrivals.stage.advance(10_000);
  const after = await arrivals.looksWithin(minute);
  assert.ok(after >= 45 && after <= 75, `${after} looks in a minute, one after work`);
});

test("where wake-ups are heard, work starts at once, and a worker looks for more once a second", async () => {
  await using arrivals = await Arrivals.on({ isHearing: true });
  await arrivals.come(10, 500);
  assert.equal(Math.max(...arrivals.waits), 0);
  const looks = await arrivals.looksWithin(minute - 5_000);
  assert.ok(looks >= 40 && looks <= 75, `${looks} looks in 55 s after work`);
});

test("a worker that stops hearing wake-ups looks often within a second, and seldom again when it hears them", async () => {
  await using arrivals = await Arrivals.on({ isHearing: true });
  await arrivals.come(1, 100);
  arrivals.stage.isHearing = false;
  await arrivals.stage.advance(1_300);
  const deaf = await arrivals.looksWithin(10_000);
  assert.ok(deaf >= 500, `${deaf} looks in 10 s`);
  arrivals.stage.isHearing = true;
  const hearing = await arrivals.looksWithin(10_000);
  assert.ok(hearing <= 15, `${hearing} looks in 10 s`);
});

test("workers that found work at the same moment do not look at the same moments from then on", async () => {
  const work = task("work", () => new Promise<void>((resolve) => stage.runtime.after(2_000, resolve)));
  const stage = new Stage({ work }, { isAsync: true });
  await using _ending = stage;
  stage.isHearing = false;
  await stage.enqueue(...Array.from({ length: 8 }, () => work.with({})));
  const workers = 8;
  for (let n = 0; n < workers; n++) await stage.start({ queues: { default: 1 } });
  await stage.advance(3_000);
  const moments = new Map<number, number>();
  for (let ms = 0; ms < 1_000; ms++) {
    const from = claims(stage);
    await stage.advance(1);
    moments.set(ms, claims(stage) - from);
  }
  const looks = [...moments.values()].reduce((sum, n) => sum + n, 0);
  const crowded = [...moments.values()].filter((n) => n > workers / 2).length;
  assert.ok(looks > workers * 50, `${looks} looks in a second`);
  assert.ok(crowded < 10, `at ${crowded} moments more than half of them looked`);
});

function claims(stage: Stage): number {
  return stage.calls.filter(({ verb }) => verb === "claim").length;
}
