/** G17, as a broker's locks keep it: held by one, renewed, given back, lost with its process, and told of its loss. */
import { ErrandError } from "../../core/errors.ts";
import type { HeldLock } from "../../core/lock/hold.ts";
import type { LockOptions } from "../../core/lock/locks.ts";
import type { Instant } from "../../core/runtime.ts";
import { between, equal, grows, holds, LawBroken, present, refused } from "../expect.ts";
import { law, type Law } from "../law.ts";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";

const long: LockOptions = { for: "1h", wait: "1h" };

/** Takes the lock, letting time pass. */
async function take(world: World, process: Process, options: Partial<LockOptions> = {}, name: string = "catalogue"): Promise<HeldLock> {
  const claim = `a lock for ${process.name}`;
  try {
    return await world.finished(process.broker.lock(name, { ...long, ...options }), claim);
  } catch (error) {
    throw error instanceof LawBroken ? error : new LawBroken(claim, "to have it", error);
  }
}

/** A lock that is waited for: when it came, and with what. */
interface Awaited {
  at: Instant | undefined;
  lock: HeldLock | undefined;
  error: unknown;
}

function awaited(world: World, process: Process, options: Partial<LockOptions> = {}): Awaited {
  const waiting: Awaited = { at: undefined, lock: undefined, error: undefined };
  process.broker.lock("catalogue", { ...long, ...options }).then(
    (lock) => Object.assign(waiting, { lock, at: world.now }),
    (error: unknown) => Object.assign(waiting, { error }),
  );
  return waiting;
}

function reasonOf(lock: { readonly signal: AbortSignal } | undefined): string | undefined {
  const reason: unknown = lock?.signal.reason;
  return ErrandError.is(reason) ? reason.code : undefined;
}

/** When its signal fired. */
function endOf(world: World, lock: HeldLock): { at: Instant | undefined } {
  const end: { at: Instant | undefined } = { at: undefined };
  lock.signal.addEventListener("abort", () => (end.at = world.now));
  return end;
}

const held: readonly Law[] = [
  law("G17", "a lock keeps other processes out until it is given back, and the next has it at once", async (world) => {
    const [one, two] = [world.process({}), world.process({})];
    const lock = await take(world, one);
    const next = awaited(world, two);
    await world.advance("20s");
    equal(next.lock, undefined, "the lock of the second while the first holds it");
    const from = world.now;
    await world.finished(lock.release(), "a release");
    await world.until("the second has it", () => next.lock !== undefined, "2s");
    between((next.at ?? 0) - from, 0, 1_300, "ms until the next has it");
    grows([lock.fence, present(next.lock, "a lock").fence], "the fences");
  }),
  law("G17", "one that has not waited for long is woken when the lock is given back", async (world) => {
    const [one, two] = [world.process({}), world.process({})];
    const lock = await take(world, one);
    const next = awaited(world, two);
    await world.advance("700ms");
    const from = world.now;
    await world.finished(lock.release(), "a release");
    await world.until("the second has it", () => next.lock !== undefined, "2s");
    between((next.at ?? 0) - from, 0, 150, "ms until the next has it");
  }),
  law("G17", "a lock is renewed for as long as it is held", async (world) => {
    const [one, two] = [world.process({}), world.process({})];
    await world.worker({});
    const lock = await take(world, one);
    await refused(() => world.finished(two.broker.lock("catalogue", { for: "1m", wait: "5m" }), "a refusal", 400_000), "lock-timeout", "the second");
    equal(reasonOf(lock), undefined, "what the first lost it by");
    await world.finished(lock.release(), "a release");
  }),
  law("G17", "one that gave up waiting keeps nobody out", async (world) => {
    const [one, two, three] = [world.process({}), world.process({}), world.process({})];
    const reader = await take(world, one, { mode: "read" });
    await refused(() => world.finished(two.broker.lock("catalogue", { for: "1m", wait: "3s" }), "a refusal"), "lock-timeout", "the writer");
    await take(world, three, { mode: "read", wait: "1s" });
    equal(reasonOf(reader), undefined, "what the reader lost it by");
  }),
  law("G17", "one that waits for no time takes what is free, and is told at once what is not", async (world) => {
    const [one, two] = [world.process({}), world.process({})];
    const from = world.now;
    const lock = await take(world, one, { wait: "0s" });
    await refused(() => world.finished(two.broker.lock("catalogue", { for: "1m", wait: "0s" }), "a refusal"), "lock-timeout", "the second");
    equal(world.now - from, 0, "ms that passed");
    await world.finished(lock.release(), "a release");
    await take(world, two, { wait: "0s" });
  }),
  law("G17", "a lock is given back, and its signal fires, when its time is over", async (world) => {
    const [one, two] = [world.process({}), world.process({})];
    const lock = await take(world, one, { for: "30s" });
    const end = endOf(world, lock);
    const next = awaited(world, two);
    const from = world.now;
    await world.until("the second has it", () => next.lock !== undefined, "33s");
    equal([(end.at ?? 0) - from, reasonOf(lock)], [30_000, "lock-expired"], "ms until the signal, and its reason");
    await refused(() => lock.release(), "lock-not-held", "a release after that");
  }),
  law("G17", "a lock that is given back twice is told apart", async (world) => {
    const process = world.process({});
    const lock = await take(world, process);
    await world.finished(lock.release(), "a release");
    await refused(() => lock.release(), "lock-not-held", "the second release");
    equal(reasonOf(lock), undefined, "the reason of its signal");
  }),
  law("G17", "readers of several processes share a lock; a writer waits for all, and no later reader passes it", async (world) => {
    const [one, two, three, four] = [world.process({}), world.process({}), world.process({}), world.process({})];
    const readers = [await take(world, one, { mode: "read" }), await take(world, two, { mode: "read" })];
    const writer = awaited(world, three);
    await world.advance("1s");
    const later = awaited(world, four, { mode: "read" });
    await world.advance("5s");
    equal([writer.lock, later.lock], [undefined, undefined], "the locks of the writer and the later reader");
    for (const reader of readers) await world.finished(reader.release(), "a release");
    await world.until("the writer has it", () => writer.lock !== undefined);
    await world.advance("3s");
    equal(later.lock, undefined, "the lock of the later reader beside the writer");
    await world.finished(present(writer.lock, "a lock").release(), "a release");
    await world.until("the later reader has it", () => later.lock !== undefined);
  }),
  law("G17", "a lock of three permits is held by three at once, and by a fourth when one gives it back", async (world) => {
    const processes = Array.from({ length: 4 }, () => world.process({}));
    const locks: HeldLock[] = [];
    for (const process of processes.slice(0, 3)) locks.push(await take(world, process, { permits: 3 }));
    const fourth = awaited(world, present(processes[3], "a process"), { permits: 3 });
    await world.advance("5s");
    equal(fourth.lock, undefined, "the lock of the fourth");
    await world.finished(present(locks[1], "a lock").release(), "a release");
    await world.until("the fourth has it", () => fourth.lock !== undefined);
    equal(locks.map(reasonOf), [undefined, undefined, undefined], "what the first three lost it by");
  }),
  law("G17", "locks of one process are apart: it waits for itself", async (world) => {
    const process = world.process({});
    const lock = await take(world, process);
    await refused(
      () => world.finished(process.broker.lock("catalogue", { for: "1m", wait: "2s" }), "a refusal"),
      "lock-timeout",
      "the second of the same process",
    );
    await take(world, process, {}, "orders");
    await world.finished(lock.release(), "a release");
    await take(world, process);
  }),
];

const lost: readonly Law[] = [
  law("G17", "a killed holder's lock is another's within a lease, though no worker runs anywhere", async (world) => {
    const [one, two] = [world.process({}), world.process({})];
    const first = await take(world, one);
    const next = awaited(world, two);
    await world.advance("20s");
    const from = world.now;
    world.crash(one);
    await world.until("the second has it", () => next.lock !== undefined);
    between((next.at ?? 0) - from, 0, 10_000, "ms until the second has it");
    grows([first.fence, present(next.lock, "a lock").fence], "the fences");
  }),
  law("G17", "a holder that stood still beyond its lease is told that it lost the lock, and its fence is the smaller one", async (world) => {
    const [one, two] = [world.process({}), world.process({})];
    const first = await take(world, one);
    const next = awaited(world, two);
    await world.advance("1s");
    world.pause(one);
    await world.until("the second has it", () => next.lock !== undefined);
    await world.resume(one);
    await world.advance("3s");
    equal([reasonOf(first), reasonOf(next.lock)], ["lease-lost", undefined], "what they lost it by");
    grows([first.fence, present(next.lock, "a lock").fence], "the fences");
    await refused(() => first.release(), "lock-not-held", "the release of the one that lost it");
    equal(reasonOf(next.lock), undefined, "what the second lost it by");
  }),
  law("G17", "a holder that is cut off from the store is told before another can have the lock", async (world) => {
    const [one, two] = [world.process({}), world.process({})];
    await world.worker({});
    const first = await take(world, one);
    const end = endOf(world, first);
    const next = awaited(world, two);
    await world.advance("10s");
    world.cutStore(one);
    await world.until("the second has it", () => next.lock !== undefined);
    equal(reasonOf(first), "lease-lost", "what the first lost it by");
    holds((end.at ?? Number.POSITIVE_INFINITY) <= (next.at ?? 0), "the first is told first", [end.at, next.at]);
  }),
  law("G17", "what a holder that was cut off and came back held keeps nobody out", async (world) => {
    const [one, two] = [world.process({}), world.process({})];
    const first = await take(world, one);
    const other = await take(world, one, {}, "orders");
    await world.advance("5s");
    world.cutStore(one);
    await world.until("it is told", () => first.signal.aborted && other.signal.aborted, "20s");
    world.healStore(one);
    await take(world, one, {}, "third");
    await take(world, two, { wait: "5s" });
  }),
  law("G17", "a lock whose grant was answered to nobody keeps nobody out", async (world) => {
    const [one, two] = [world.process({}), world.process({})];
    await take(world, one, {}, "orders");
    world.loseAnswers(one);
    await refused(() => world.finished(one.broker.lock("catalogue", { for: "1m", wait: "2s" }), "a refusal"), "store-failed", "the lock without an answer");
    await world.advance("1s");
    world.healStore(one);
    const lock = await take(world, two, { wait: "5s" });
    equal(reasonOf(lock), undefined, "what the second lost it by");
  }),
  law("G17", "one that waits goes on waiting through an outage of the store, and keeps its place", async (world) => {
    const [one, two, three] = [world.process({}), world.process({}), world.process({})];
    const first = await take(world, one);
    const second = awaited(world, two);
    await world.advance("1s");
    const third = awaited(world, three);
    await world.advance("1s");
    world.cutStore(two);
    await world.advance("4s");
    world.healStore(two);
    await world.advance("2s");
    await world.finished(first.release(), "a release");
    await world.until("the second has it", () => second.lock !== undefined);
    equal(third.lock, undefined, "the lock of the third");
  }),
  law("G17", "closing a broker gives its locks back, and tells those who hold and wait", async (world) => {
    const [one, two] = [world.process({}), world.process({})];
    const first = await take(world, one);
    const waiting = awaited(world, one);
    await world.advance("1s");
    await world.finished(one.broker.close(), "the close of a broker");
    equal(
      [reasonOf(first), ErrandError.is(waiting.error, "broker-closed")],
      ["broker-closed", true],
      "the holder's reason, and the refusal of the one that waited",
    );
    await take(world, two, { wait: "0s" });
  }),
];

export const heldLockLaws: readonly Law[] = [...held, ...lost];
