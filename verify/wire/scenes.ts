/** Each verb of the port that writes, and the claim, on a store where it finds something to do. A call is the same however often it is made. */
import type { Atom, Change, Claim, Engine, NewWork, Outcome, Selection } from "../../src/core/engine.ts";
import { limitKey, subscriptionKey } from "../../src/core/notes.ts";
import { day, event, job, join, keep, leaseMs, member, start } from "../../test/port/stage.ts";

export interface Scene {
  readonly name: string;
  readonly prepare: (hand: Hand) => Promise<unknown>;
  readonly call: (hand: Hand) => unknown;
}

/** What it is to prepare, another engine does: hints of the one under test would come between. But what that one has claimed it knows. */
export interface Hands {
  readonly engine: Engine;
  readonly taking: Engine;
}

export class Hand {
  readonly engine: Engine;
  readonly #taking: Engine;
  now: number;
  readonly #held: Map<string, { readonly claim: string; readonly fence: number }>;

  /** `before`: who prepared the scene, whose place it takes. */
  constructor({ engine, taking }: Hands, before?: Hand) {
    this.engine = engine;
    this.#taking = taking;
    this.now = before?.now ?? start;
    this.#held = before === undefined ? new Map<string, { readonly claim: string; readonly fence: number }>() : before.#held;
  }

  async enqueue(...works: readonly NewWork[]) {
    return this.store({ works });
  }

  async store(...atoms: readonly Atom[]) {
    return this.engine.enqueue(atoms, { now: this.now });
  }

  async claim(claim: string, more: Partial<Claim> = {}, engine: Engine = this.engine) {
    const queues = [{ queue: "mail", slots: 10, ahead: 0 }];
    const wanted: Claim = { process: "p1", leaseMs, claim, lastFence: 0, queues, tasks: ["send"], alone: "no", settling: [], ...more };
    return engine.claim(wanted, { now: this.now });
  }

  /** What it hands out can be settled by id. */
  async take(claim: string): Promise<void> {
    const { jobs, fence } = await this.claim(claim, {}, this.#taking);
    for (const taken of jobs) this.#held.set(taken.id, { claim, fence: taken.fence ?? fence });
  }

  outcome(id: string, is: Outcome["is"], more: Partial<Outcome> = {}): Outcome {
    const held = this.#held.get(id);
    if (held === undefined) throw new Error(`${id} was never claimed`);
    return { id, ...held, is, ranMs: 1, ...more };
  }

  async settle(...outcomes: readonly Outcome[]) {
    return this.engine.settle(outcomes, { now: this.now });
  }

  async change(which: Selection, change: Change) {
    return this.engine.change(which, change, 100, { now: this.now });
  }

  async lock(ticket: string, process = "p1") {
    return this.engine.lock({ name: "l", mode: "write", process, ticket, leaseMs, lastFence: 0 }, { now: this.now });
  }

  async tidy() {
    return this.engine.tidy({ items: 1_000, mayExpire: true }, { now: this.now });
  }
}

const nothing = async (): Promise<void> => undefined;
const three = async (hand: Hand) => hand.enqueue(job("a"), job("b"), job("c"));
const running = async (hand: Hand) => {
  await three(hand);
  await hand.take("c1");
};
const many = Array.from({ length: 300 }, (_, n) => job(`many-${n}`));

const enqueueing: readonly Scene[] = [
  { name: "enqueues one", prepare: nothing, call: async (hand) => hand.enqueue(job("a")) },
  { name: "enqueues one with an id of the caller's", prepare: nothing, call: async (hand) => hand.enqueue(job("a", { rememberMs: day })) },
  { name: "enqueues what differs", prepare: nothing, call: async (hand) => hand.enqueue(job("a"), job("b", { delayMs: 50, headStartMs: 5 })) },
  { name: "enqueues 300", prepare: nothing, call: async (hand) => hand.enqueue(...many) },
  { name: "enqueues atoms of several callers", prepare: nothing, call: async (hand) => hand.store({ works: [job("a")] }, { works: [job("b"), job("c")] }) },
  {
    name: "enqueues what is unique, and replaces",
    prepare: async (hand) => hand.enqueue(unique("a", "replace")),
    call: async (hand) => hand.enqueue(unique("b", "replace")),
  },
  {
    name: "enqueues what is unique, and keeps",
    prepare: async (hand) => hand.enqueue(unique("a", "keep")),
    call: async (hand) => hand.enqueue(unique("b", "keep")),
  },
  { name: "enqueues a batch with what comes after", prepare: nothing, call: async (hand) => hand.enqueue(...batch) },
  { name: "enqueues members of a lane", prepare: async (hand) => hand.enqueue(member("m1", "park")), call: async (hand) => hand.enqueue(member("m2", "park")) },
  {
    name: "publishes",
    prepare: async (hand) => hand.store({ works: [], notes: ["first", "second"].map(subscription) }),
    call: async (hand) => hand.enqueue(event("e1")),
  },
  { name: "writes a note", prepare: nothing, call: async (hand) => hand.store({ works: [], notes: [{ key: limitKey("few"), value: '{"running":1}' }] }) },
  {
    name: "ticks a schedule",
    prepare: nothing,
    call: async (hand) =>
      hand.store({
        works: [job("slot-1", { slot: { schedule: "nightly", at: 1 } })],
        notes: [{ key: "schedule/nightly", value: '{"cursor":1}', ifVersion: 0 }],
      }),
  },
  {
    name: "enqueues what is born leased",
    prepare: nothing,
    call: async (hand) => hand.enqueue(job("a", { lease: { process: "p1", leaseMs, claim: "c1", lastFence: 0 } })),
  },
];

const claiming: readonly Scene[] = [
  { name: "claims", prepare: three, call: async (hand) => hand.claim("c1") },
  {
    name: "claims in a row",
    prepare: async (hand) => hand.enqueue(...["m1", "m2"].map((id) => member(id, "park"))),
    call: async (hand) => hand.claim("c1", { inRow: 2 }),
  },
  {
    name: "settles and claims",
    prepare: async (hand) => {
      await running(hand);
      await hand.enqueue(job("d"));
    },
    call: async (hand) => hand.claim("c2", { settling: ["a", "b"].map((id) => hand.outcome(id, "completed")) }),
  },
];

const ending: readonly Scene[] = [
  { name: "settles one", prepare: running, call: async (hand) => hand.settle(hand.outcome("a", "completed")) },
  {
    name: "settles several",
    prepare: running,
    call: async (hand) =>
      hand.settle(
        hand.outcome("a", "retry", { delayMs: 50, error: { name: "Error", message: "broken" } }),
        hand.outcome("b", "snoozed", { delayMs: 50, reason: "later" }),
        hand.outcome("c", "released"),
      ),
  },
  { name: "settles with what follows", prepare: running, call: async (hand) => hand.settle(hand.outcome("a", "completed", { follow: [job("next")] })) },
  { name: "saves what a job has done", prepare: running, call: async (hand) => hand.settle(hand.outcome("a", "saved", { checkpoint: '{"done":1}' })) },
  {
    name: "dies at the head of its lane",
    prepare: async (hand) => {
      await hand.enqueue(member("m1", "park"), member("m2", "park"));
      await hand.take("c1");
    },
    call: async (hand) => hand.settle(hand.outcome("m1", "dead", { reason: "broken" })),
  },
  {
    name: "ends the last of a batch",
    prepare: async (hand) => {
      await hand.enqueue(...batch);
      await hand.take("c1");
      await hand.settle(hand.outcome("J-0", "completed"));
    },
    call: async (hand) => hand.settle(hand.outcome("J-1", "completed")),
  },
];

const upkeep: readonly Scene[] = [
  {
    name: "beats",
    prepare: running,
    call: async (hand) => hand.engine.beat("p1", leaseMs, { now: start + 1_000 }),
  },
  {
    name: "takes back what a process held",
    prepare: async (hand) => {
      await running(hand);
      hand.now += leaseMs + 1;
    },
    call: async (hand) => hand.tidy(),
  },
  {
    name: "removes what has ended",
    prepare: async (hand) => {
      await running(hand);
      await hand.settle(hand.outcome("a", "completed"));
      hand.now += day + 1;
    },
    call: async (hand) => hand.tidy(),
  },
  { name: "cancels", prepare: three, call: async (hand) => hand.change({ ids: ["a"] }, { do: "cancel", reason: "not wanted" }) },
  {
    name: "runs a dead one again",
    prepare: async (hand) => {
      await running(hand);
      await hand.settle(hand.outcome("a", "dead", { reason: "broken" }));
    },
    call: async (hand) => hand.change({ ids: ["a"] }, { do: "retry" }),
  },
  { name: "prioritises", prepare: three, call: async (hand) => hand.change({ ids: ["b"] }, { do: "prioritise", headStartMs: 1_000 }) },
  {
    name: "deletes",
    prepare: async (hand) => {
      await running(hand);
      await hand.settle(hand.outcome("a", "completed"));
    },
    call: async (hand) => hand.change({ ids: ["a"] }, { do: "delete" }),
  },
  {
    name: "cancels a batch",
    prepare: async (hand) => hand.enqueue(...batch),
    call: async (hand) => hand.change({ join: "J" }, { do: "cancel", reason: "not wanted" }),
  },
  { name: "locks", prepare: nothing, call: async (hand) => hand.lock("t1") },
  { name: "waits for a lock", prepare: async (hand) => hand.lock("t0", "p0"), call: async (hand) => hand.lock("t1") },
  {
    name: "unlocks",
    prepare: async (hand) => hand.lock("t1"),
    call: async (hand) => hand.engine.unlock({ name: "l", ticket: "t1" }, { now: hand.now }),
  },
];

const batch: readonly NewWork[] = [join("J"), job("J-0", { join: "J" }), job("J-1", { join: "J" }), job("then", { after: [{ id: "J", when: "well" }] })];

export const scenes: readonly Scene[] = [...enqueueing, ...claiming, ...ending, ...upkeep];

function unique(id: string, is: "keep" | "replace"): NewWork {
  return job(id, { unique: { key: "u", mode: { is } } });
}

function subscription(name: string) {
  const stored = { name, event: "order.placed", since: "now", task: "send", queue: "mail", headStartMs: 0, delayMs: 0, isMapped: false, keep };
  return { key: subscriptionKey(name), value: JSON.stringify(stored) };
}
