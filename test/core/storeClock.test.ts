/** The store's time between two answers of the store (G21). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StoreClock } from "../../src/core/limits/storeClock.ts";

const hour = 3_600_000;

class Platform {
  ms = 0;

  monotonic(): number {
    return this.ms;
  }
}

test("an answer that was under way for long does not put the clock back", () => {
  const platform = new Platform();
  const clock = new StoreClock(platform);
  clock.heard(1_000_000);
  platform.ms = 10_000;
  clock.heard(1_007_000);
  assert.equal(clock.now(), 1_010_000);
});

for (const [claim, perHour] of [
  ["too fast", 3_600],
  ["too slow", -3_600],
] as const) {
  test(`a platform whose monotonic clock goes ${claim} keeps the store's time over a month`, () => {
    const platform = new Platform();
    const clock = new StoreClock(platform);
    for (let store = 0; store < 30 * 24 * hour; store += 60_000) {
      platform.ms = store * (1 + perHour / hour);
      clock.heard(store);
      assert.ok(Math.abs(clock.now() - store) < 1_000, `${clock.now() - store} ms apart after ${store / hour} h`);
    }
  });
}
