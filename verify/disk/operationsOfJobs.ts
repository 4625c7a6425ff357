/** What the engine writes for those who hand work in, and for those who do it. */
import assert from "node:assert/strict";
import { leaseMs } from "../../test/sqlite/bench.ts";
import { event, job, join, member, subscription } from "../../test/port/stage.ts";
import { settled } from "./hand.ts";
import type { Hand } from "./hand.ts";
import type { Operation } from "./operations.ts";

export const enqueueing: readonly Operation[] = [
  { name: "enqueues one", prepared: [], steps: [enqueues("a"), enqueues("b")] },
  { name: "enqueues 300", prepared: [], steps: [async (hand) => hand.enqueue(...Array.from({ length: 300 }, (_, n) => job(`many-${n}`)))] },
  { name: "enqueues atoms of several callers", prepared: [], steps: [async (hand) => hand.atoms({ works: [job("a")] }, { works: [job("b"), job("c")] })] },
  {
    name: "enqueues what is unique",
    prepared: [enqueuesUnique("a", "keep")],
    steps: (["keep", "replace", "one-more"] as const).map((mode) => enqueuesUnique(`u-${mode}`, mode)),
  },
  { name: "gathers", prepared: [gathers("a")], steps: [gathers("b"), gathers("c")] },
  {
    name: "enqueues a batch with callbacks",
    prepared: [],
    steps: [
      async (hand) =>
        hand.enqueue(join("J"), ...members("J", 3), job("then", { after: [{ id: "J", when: "well" }] }), job("else", { after: [{ id: "J", when: "badly" }] })),
      async (hand) => hand.enqueue(join("K", { isSealed: false }), ...members("K", 2)),
      async (hand) => hand.enqueue(join("K"), job("K-end", { after: [{ id: "K", when: "ended" }] })),
    ],
  },
  { name: "enqueues members of a lane", prepared: [enqueuesMember("m1")], steps: [enqueuesMember("m2"), enqueuesMember("m3")] },
  { name: "publishes", prepared: [subscribes("first"), subscribes("second")], steps: [async (hand) => hand.enqueue(event("e1"))] },
  { name: "ticks a schedule", prepared: [], steps: [ticks(1), ticks(2)] },
];

export const claiming: readonly Operation[] = [
  { name: "claims", prepared: [enqueues("a"), enqueues("b")], steps: [claims("c1", "a", "b")] },
  {
    name: "promotes and claims",
    prepared: [async (hand) => hand.enqueue(job("later", { delayMs: 50 }))],
    steps: [async (hand) => passes(hand, 60, async () => claims("c1", "later")(hand))],
  },
  {
    name: "enqueues what is born leased",
    prepared: [],
    steps: [async (hand) => hand.enqueue(job("a", { lease: { process: "p1", leaseMs, claim: "c1", lastFence: 0 } }))],
  },
];

export const ending: readonly Operation[] = [
  { name: "settles", prepared: [enqueues("a"), enqueues("b"), claims("c1", "a", "b")], steps: [ends("a", "completed"), ends("b", "skipped")] },
  {
    name: "settles with work that follows",
    prepared: [enqueues("a"), claims("c1", "a")],
    steps: [async (hand) => hand.settle(hand.outcome("a", "completed", { follow: [job("next"), join("J"), job("in J", { join: "J" })] }))],
  },
  {
    name: "tries again, snoozes and hands back",
    prepared: [enqueues("a"), enqueues("b"), enqueues("c"), claims("c1", "a", "b", "c")],
    steps: [
      async (hand) => hand.settle(hand.outcome("a", "retry", { delayMs: 50, error: { name: "Error", message: "broken" } })),
      async (hand) => hand.settle(hand.outcome("b", "snoozed", { delayMs: 50, reason: "later" }), hand.outcome("c", "released")),
    ],
  },
  {
    name: "dies at the head of its lane",
    prepared: [enqueuesMember("m1"), enqueuesMember("m2"), claims("c1", "m1")],
    steps: [async (hand) => hand.settle(hand.outcome("m1", "dead", { reason: "broken" }))],
  },
  {
    name: "ends the last of a batch",
    prepared: [
      async (hand) => hand.enqueue(join("J"), ...members("J", 2), job("then", { after: [{ id: "J", when: "well" }] })),
      claims("c1", "J-0", "J-1"),
      ends("J-0", "completed"),
    ],
    steps: [ends("J-1", "completed")],
  },
  {
    name: "saves what a job has done",
    prepared: [enqueues("a"), claims("c1", "a")],
    steps: [1, 2].map((done) => async (hand: Hand) => hand.settle(hand.outcome("a", "saved", { checkpoint: JSON.stringify({ done }) }))),
  },
  {
    name: "settles and claims in one commit",
    prepared: [enqueues("a"), claims("c1", "a"), enqueues("b")],
    steps: [async (hand) => hand.claim("c2", { settling: [hand.outcome("a", "completed")] })],
  },
];

export const ofTheApp: readonly Operation[] = [
  {
    name: "enqueues in the app's transaction",
    prepared: [(hand) => hand.makeOrders()],
    steps: [(hand) => hand.inTransaction("o1", (tx) => void hand.engine.enqueue([{ works: [job("a")] }], { tx }))],
  },
  {
    name: "completes in the app's transaction",
    prepared: [(hand) => hand.makeOrders(), enqueues("a"), claims("c1", "a")],
    steps: [
      (hand) =>
        hand.inTransaction("o1", (tx) => {
          const answers = hand.engine.settle([hand.outcome("a", "completed", { follow: [job("next")] })], { tx });
          assert.ok(Array.isArray(answers));
          settled(answers);
        }),
    ],
  },
];

function enqueues(id: string) {
  return async (hand: Hand) => hand.enqueue(job(id));
}

function enqueuesMember(id: string) {
  return async (hand: Hand) => hand.enqueue(member(id, "park"));
}

function enqueuesUnique(id: string, is: "keep" | "replace" | "one-more") {
  return async (hand: Hand) => hand.enqueue(job(id, { unique: { key: "u", mode: { is } } }));
}

function gathers(id: string) {
  return async (hand: Hand) =>
    hand.enqueue(job(id, { payload: `["${id}"]`, unique: { key: "g", mode: { is: "gather", quietMs: 10, atMostMs: 100, most: 3 } } }));
}

function members(of: string, count: number) {
  return Array.from({ length: count }, (_, n) => job(`${of}-${n}`, { join: of }));
}

function subscribes(name: string) {
  return async (hand: Hand) => hand.write(subscription(name));
}

/** The job of a slot and the cursor behind it, as a schedule writes them. */
function ticks(slot: number) {
  const note = { key: "schedule/nightly", value: `{"cursor":${slot}}`, ifVersion: slot - 1 };
  return async (hand: Hand) => hand.atoms({ works: [job(`slot-${slot}`, { slot: { schedule: "nightly", at: slot } })], notes: [note] });
}

export function claims(claim: string, ...ids: readonly string[]) {
  return async (hand: Hand) => {
    const jobs = await hand.claim(claim);
    assert.deepEqual(jobs.map(({ id }) => id).toSorted(), ids.toSorted());
  };
}

function ends(id: string, is: "completed" | "skipped") {
  return async (hand: Hand) => hand.settle(hand.outcome(id, is));
}

export async function passes(hand: Hand, ms: number, then: () => Promise<unknown>): Promise<void> {
  hand.runtime.pass(ms);
  await then();
}
