/** Locks and leadership beyond the laws: what is refused, what they cost, and what they leave behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { locksMax } from "../../src/core/defaults.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { HeldLock } from "../../src/core/lock/hold.ts";
import type { Leader } from "../../src/core/lock/leadership.ts";
import { testBroker } from "../../src/testing/index.ts";
import { BrokerStage } from "./brokerStage.ts";

const refusals: readonly { readonly claim: string; readonly name?: string; readonly options: object; readonly says: RegExp }[] = [
  { claim: "no time to hold it", options: {}, says: /lock\("x"\)\.for is undefined; give how long/ },
  { claim: "no time at all to hold it", options: { for: "0s" }, says: /for is "0s"; give more than nothing/ },
  { claim: "a time that is none", options: { for: "soon" }, says: /for is "soon", which is no duration/ },
  { claim: "a mode that is none", options: { for: "1s", mode: "rw" }, says: /mode is "rw"; give "read" or "write"/ },
  { claim: "no permits", options: { for: "1s", permits: 0 }, says: /permits is 0; give a whole number from 1/ },
  { claim: "permits to a reader", options: { for: "1s", mode: "read", permits: 2 }, says: /no permits to a reader/ },
  { claim: "a misspelt option", options: { for: "1s", waits: "1s" }, says: /no option "waits", did you mean "wait"/ },
  { claim: "a name with a space", name: "my lock", options: { for: "1s" }, says: /the lock "my lock" cannot be an id/ },
];
for (const { claim, name = "x", options, says } of refusals) {
  test(`a lock with ${claim} is refused, and nothing is asked of the store`, async () => {
    await using stage = new BrokerStage();
    await assert.rejects(stage.broker().lock(name, options as never), says);
    assert.equal(stage.countOf("lock"), 0);
  });
}

test("lead refuses a name, a function or a signal that is none", async () => {
  await using stage = new BrokerStage();
  const work = stage.broker();
  await assert.rejects(
    work.lead("", () => undefined),
    { code: "name-invalid" },
  );
  await assert.rejects(work.lead("x", "y" as never), { code: "option-invalid" });
  await assert.rejects(
    work.lead("x", () => undefined, { signal: 7 as never }),
    { code: "option-invalid" },
  );
  await assert.rejects(
    work.lead("x", () => undefined, { singal: new AbortController().signal } as never),
    { code: "option-unknown" },
  );
});

test("a broker that holds nothing any more stops beating after a lease, and beats again for the next lock, as another process", async () => {
  await using stage = new BrokerStage();
  const work = stage.broker();
  const first = await stage.finished(work.lock("a", { for: "1h" }));
  await stage.advance(20_000);
  const held = stage.countOf("beat");
  assert.ok(held >= 10 && held <= 12, `${held} beats in 20 s`);
  await stage.finished(first.release());
  await stage.advance(9_000);
  const rested = stage.countOf("beat");
  await stage.advance(600_000);
  assert.equal(stage.countOf("beat"), rested);
  await stage.finished(work.lock("a", { for: "1h" }));
  await stage.advance(10_000);
  assert.ok(stage.countOf("beat") > rested);
  const processes = new Set(stage.calls.filter(({ verb }) => verb === "lock").map(({ args }) => (args[0] as { process: string }).process));
  assert.equal(processes.size, 2);
});

test("a call for a lock that the store does after it was given up keeps the lock from nobody", async () => {
  await using stage = new BrokerStage();
  const [app, other] = [stage.broker(), stage.broker()];
  await stage.finished(app.lock("beating", { for: "1h" }));
  let late: (() => unknown) | undefined;
  stage.before = (verb, args) => {
    if (verb !== "lock") return;
    late ??= () => stage.store.lock(args[0] as never, { now: stage.runtime.now() });
    throw new ErrandError("store-failed", "the store did not answer in time");
  };
  await assert.rejects(stage.finished(app.lock("a", { for: "1m", wait: "1s" })), { code: "store-failed" });
  stage.before = () => undefined;
  await stage.advance(3_000);
  late?.();
  const lock = await stage.finished(other.lock("a", { for: "1m", wait: "1m" }));
  await lock.release();
});

test("a lock that was held and given back is not held again by an earlier call for it that comes late", async () => {
  await using stage = new BrokerStage();
  const [app, other] = [stage.broker(), stage.broker()];
  await stage.finished(app.lock("beating", { for: "1h" }));
  let late: (() => unknown) | undefined;
  stage.before = (verb, args) => {
    if (verb !== "lock" || late !== undefined) return;
    late = () => stage.store.lock(args[0] as never, { now: stage.runtime.now() });
    throw new ErrandError("store-failed", "the store did not answer in time");
  };
  const held = await stage.finished(app.lock("a", { for: "1m", wait: "1m" }));
  await stage.finished(held.release());
  late?.();
  const lock = await stage.finished(other.lock("a", { for: "1m", wait: "1m" }));
  await lock.release();
});

test("where no hints are heard, one that waits for a lock asks as often as it would heed them, and has it soon", async () => {
  await using stage = new BrokerStage();
  stage.isHearing = false;
  const [one, two] = [stage.broker(), stage.broker()];
  const lock = await stage.finished(one.lock("a", { for: "1h" }));
  const next = two.lock("a", { for: "1h", wait: "1h" });
  await stage.advance(1_000);
  const from = stage.runtime.now();
  const asked = stage.countOf("lock");
  assert.ok(asked >= 10 && asked <= 40, `${asked} calls in the first second`);
  await lock.release();
  const got = await stage.finished(next);
  assert.ok(stage.runtime.now() - from <= 150, `served after ${stage.runtime.now() - from} ms`);
  await stage.finished(got.release());
});

test("one that waits for long asks about once a second, however busy the store is; one that waits briefly is served at once", async () => {
  await using stage = new BrokerStage();
  const [one, two] = [stage.broker(), stage.broker()];
  const lock = await stage.finished(one.lock("a", { for: "1h" }));
  const next = two.lock("a", { for: "1h", wait: "1h" });
  await stage.advance(200);
  const from = stage.runtime.now();
  await lock.release();
  const got = await stage.finished(next);
  assert.ok(stage.runtime.now() - from <= 100, `served after ${stage.runtime.now() - from} ms`);
  const asked = stage.countOf("lock");
  const third = one.lock("a", { for: "1h", wait: "1h" });
  // Every other lock that comes and goes is a hint to all who wait.
  for (let n = 0; n < 600; n++) {
    await stage.advance(100);
    const other = await one.lock(`other-${n}`, { for: "1h", wait: "0s" });
    await other.release();
  }
  const asks = stage.countOf("lock") - asked - 600;
  assert.ok(asks >= 50 && asks <= 110, `${asks} asks in a minute`);
  await got.release();
  await stage.finished(third);
});

test("a grant whose answer comes when its process was given up is no grant: it asks again, as another", async () => {
  await using stage = new BrokerStage();
  const [one, two] = [stage.broker(), stage.broker()];
  await stage.finished(one.lock("other", { for: "1h" }));
  const late = Promise.withResolvers<void>();
  stage.afterwards = (verb, answer) => {
    if (verb !== "lock") return answer;
    stage.afterwards = (_verb, rest) => rest;
    return late.promise.then(() => answer);
  };
  const lock = one.lock("a", { for: "1h", wait: "1m" });
  await stage.advance(1_000);
  const [asked] = stage.calls.filter(({ verb }) => verb === "lock").map(({ args }) => (args[0] as { process: string }).process);
  await stage.finished(two.start({ signals: false }));
  stage.before = (verb, [process]) => {
    if (verb === "beat" && process === asked) throw new Error("no way through");
  };
  await stage.advance(20_000); // the worker takes back what the silent process held
  stage.before = () => undefined;
  await stage.advance(3_000); // and that one hears of it
  late.resolve();
  const held = await stage.finished(lock);
  await stage.advance(5_000);
  assert.equal(held.signal.aborted, false);
  await assert.rejects(stage.finished(two.lock("a", { for: "1h", wait: "1s" })), { code: "lock-timeout" });
  await held.release();
});

test("above so many locks the next is refused, and one that is given back makes room", async () => {
  await using stage = new BrokerStage();
  const work = stage.broker();
  const locks: HeldLock[] = [];
  for (let n = 0; n < locksMax; n++) locks.push(await work.lock(`l-${n}`, { for: "1h" }));
  await assert.rejects(work.lock("more", { for: "1h" }), { code: "lock-too-many" });
  await locks[0]?.release();
  await work.lock("more", { for: "1h" });
});

test("what cannot be given back now is given back when the store is there again", async () => {
  await using stage = new BrokerStage();
  const [one, two] = [stage.broker(), stage.broker()];
  const lock = await stage.finished(one.lock("a", { for: "1h" }));
  await stage.finished(one.lock("other", { for: "1h" })); // its process goes on beating
  const heal = stage.cut();
  await assert.rejects(lock.release(), { code: "store-failed" });
  await assert.rejects(lock.release(), { code: "lock-not-held" });
  await stage.advance(2_000);
  heal();
  await stage.finished(two.lock("a", { for: "1h", wait: "3s" }));
});

test("`await using` gives it back; of a lock that was lost inside, the block's own end is told", async () => {
  await using stage = new BrokerStage();
  const work = stage.broker();
  await stage.finished(
    (async () => {
      await using lock = await work.lock("a", { for: "1h" });
      assert.equal(lock.signal.aborted, false);
    })(),
  );
  const short = (async () => {
    await using lock = await work.lock("a", { for: "1s", wait: "0s" });
    await new Promise((resolve) => lock.signal.addEventListener("abort", resolve));
    throw new Error("the work noticed");
  })();
  await assert.rejects(stage.finished(short), /the work noticed/);
  assert.equal(stage.said("no longer held").length, 1);
});

test("a lock that is given back fires no signal, then or later", async () => {
  await using stage = new BrokerStage();
  const work = stage.broker();
  const lock = await stage.finished(work.lock("a", { for: "5s" }));
  await lock.release();
  await stage.advance(60_000);
  await stage.finished(work.close());
  assert.equal(lock.signal.aborted, false);
});

test("a leader that fails after it lost its leadership is told in the log, and stands again", async () => {
  await using stage = new BrokerStage();
  const work = stage.broker();
  const leaders: Leader[] = [];
  const over = work.lead("a", async (leader) => {
    leaders.push(leader);
    await new Promise((resolve) => leader.signal.addEventListener("abort", resolve));
    throw new Error("too late");
  });
  over.catch(() => undefined);
  await stage.advance(3_000);
  const heal = stage.cut();
  await stage.advance(12_000);
  heal();
  await stage.advance(15_000);
  assert.deepEqual([leaders.length, (leaders[0]?.signal.reason as ErrandError | undefined)?.code, stage.said("a leader failed").length], [2, "lease-lost", 1]);
  assert.ok((leaders[1]?.fence ?? 0) > (leaders[0]?.fence ?? 0));
});

test("a leader that is stopped before it was elected never leads; with a signal that has fired, it does not even ask", async () => {
  await using stage = new BrokerStage();
  const [one, two] = [stage.broker(), stage.broker()];
  await stage.finished(one.lock("a", { for: "1h" }));
  const stop = new AbortController();
  let terms = 0;
  const waiting = two.lead("a", () => void terms++, { signal: stop.signal });
  await stage.advance(2_000);
  stop.abort();
  await stage.finished(waiting);
  const asked = stage.countOf("lock");
  await stage.finished(two.lead("a", () => void terms++, { signal: AbortSignal.abort() }));
  assert.deepEqual([terms, stage.countOf("lock")], [0, asked]);
});

test("in a test the virtual clock moves a lock's time", async () => {
  await using work = testBroker();
  const lock = await work.lock("a", { for: "1m" });
  await work.advance("59s");
  assert.equal(lock.signal.aborted, false);
  await work.advance("1s");
  assert.ok(ErrandError.is(lock.signal.reason, "lock-expired"));
  await work.lock("a", { for: "1m", wait: "0s" });
});

test("a lock that is granted when its broker has closed meanwhile is refused, and nobody beats for it", async () => {
  await using stage = new BrokerStage();
  const [closing, other] = [stage.broker(), stage.broker()];
  await stage.finished(other.open());
  const isAnswered = Promise.withResolvers<void>();
  stage.afterwards = (verb, answer) => (verb === "lock" ? isAnswered.promise.then(() => answer) : answer);
  const late = closing.lock("a", { for: "1h" });
  const refused = assert.rejects(late, { code: "broker-closed" });
  await stage.advance(50);
  await stage.finished(closing.close());
  stage.afterwards = (_verb, answer) => answer;
  isAnswered.resolve();
  await stage.finished(refused);
  await stage.finished(stage.finished(other.lock("a", { for: "1h", wait: "20s" })).then((lock) => lock.release()));
  await stage.advance(20_000);
  const rested = stage.countOf("beat");
  await stage.advance(60_000);
  assert.equal(stage.countOf("beat"), rested);
});

test("in another era a lock is lost, with what that means, and can be had again", async () => {
  await using stage = new BrokerStage();
  const work = stage.broker();
  const held = await stage.finished(work.lock("till", { for: "1h" }));
  await stage.advance(5_000);
  assert.equal(held.signal.aborted, false);
  stage.afterwards = (verb, answer) => (verb === "beat" ? { ...(answer as object), era: "another" } : answer);
  await stage.advance(3_000);
  assert.ok(ErrandError.is(held.signal.reason, "lease-lost"));
  assert.match(held.signal.reason.message, /wiped, rolled back or failed over/);
  // Whoever worked under it has the rest of its lease to stop.
  const again = await stage.finished(stage.broker().lock("till", { for: "1h", wait: "20s" }));
  assert.ok(again.fence > held.fence);
});

test("a ticket that the store does not take back is given again, about twice a second for as long as that lasts", async () => {
  await using stage = new BrokerStage();
  const work = stage.broker();
  const lock = await stage.finished(work.lock("a", { for: "1h" }));
  stage.before = (verb) => {
    if (verb === "unlock") throw new ErrandError("store-failed", "the store is away; wait for it");
  };
  await assert.rejects(stage.finished(lock.release()), { code: "store-failed" });
  const before = stage.countOf("unlock");
  await stage.advance(60_000);
  const tries = stage.countOf("unlock") - before;
  assert.ok(tries >= 60 && tries <= 240, `${tries} tries in a minute`);
});

test("one whose process the store has given up asks again as another, and has the lock", async () => {
  await using stage = new BrokerStage();
  const work = stage.broker();
  let refused = 0;
  stage.before = (verb) => {
    if (verb === "lock" && refused++ === 0) throw new ErrandError("lease-lost", "the lease of this process was taken back; ask as a new process");
  };
  const lock = await stage.finished(work.lock("a", { for: "1h", wait: "10s" }));
  const asked = stage.calls.filter(({ verb }) => verb === "lock").map(({ args }) => (args[0] as { process: string }).process);
  assert.deepEqual([asked.length, new Set(asked).size], [2, 2]);
  await stage.finished(lock.release());
});
