import assert from "node:assert/strict";
import { test } from "node:test";
import { realRuntime } from "../../src/runtime/real.ts";
import { Ids } from "../../src/runtime/ids.ts";

test("ids are UUIDv7 of the moment they are made", () => {
  const before = Date.now();
  const id = realRuntime().id();
  assert.match(id, /^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  const ms = Number.parseInt(id.slice(0, 12), 16);
  assert.ok(ms >= before && ms <= Date.now() + 5);
});

test("each id is greater than the one before it, across runtimes, in one millisecond, and when the clock goes back", () => {
  const [one, other] = [realRuntime(), realRuntime()];
  let last = "";
  for (let i = 0; i < 50_000; i++) {
    const id = (i % 2 === 0 ? one : other).id();
    assert.ok(id > last);
    last = id;
  }
  const ids = new Ids();
  for (const now of [5_000, ...Array.from({ length: 20_000 }, () => 5_000), 4_000, 4_999, 5_001, 9_000]) {
    const id = ids.next(now);
    assert.ok(id > last || now === 5_000);
    last = id;
  }
  assert.equal(Number.parseInt(last.slice(0, 12), 16), 9_000);
});

test("ids of two processes that share a millisecond differ", () => {
  const made = new Set<string>();
  for (let process = 0; process < 2_000; process++) {
    const ids = new Ids();
    made.add(ids.next(1)).add(ids.next(1));
  }
  assert.equal(made.size, 4_000);
});

test("ids of some milliseconds end in the same digits, later ones in others", () => {
  const ids = new Ids();
  const lots = Array.from({ length: 300 }, (_, n) => ids.next(1_000 + Math.floor(n / 3)).slice(28));
  for (let n = 0; n < 300; n += 6) assert.equal(new Set(lots.slice(n, n + 6)).size, 1);
  assert.ok(new Set(lots).size > 40);
});
