/** G3, at the port itself: what the store refuses, when the worker that asks does not know that it is late. */
import type { At, ClaimedJob, Claimed, Outcome, Settled } from "../../core/engine.ts";
import { task } from "../../core/task.ts";
import { equal, grows, holds, present } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";

const work = task<{ n: number }>("work", () => undefined);
const leaseMs = 8_000;

/** Claims and settles as a worker does, but knows only what it is told. */
class Hand {
  readonly #world: World;
  readonly #process: Process;
  readonly #name: string;
  #claims = 0;

  constructor(world: World, process: Process, name: string) {
    this.#world = world;
    this.#process = process;
    this.#name = name;
  }

  claim(slots: number = 10, settling: readonly Outcome[] = []): Promise<Claimed> {
    const claim = `${this.#name}-${++this.#claims}`;
    return this.#ask(() =>
      this.#process.port.claim(
        { process: this.#name, leaseMs, claim, lastFence: 0, queues: [{ queue: "default", slots, ahead: 0 }], tasks: ["work"], alone: "no", settling },
        this.#at,
      ),
    );
  }

  /** An outcome of a job of the last claim. */
  outcome(job: ClaimedJob, claimed: Claimed, is: Outcome["is"], more: Partial<Outcome> = {}): Outcome {
    return { id: job.id, claim: `${this.#name}-${this.#claims}`, fence: job.fence ?? claimed.fence, is, ranMs: 1, ...more };
  }

  async settle(outcome: Outcome): Promise<Settled> {
    return present((await this.settleAll([outcome]))[0], "an answer");
  }

  settleAll(outcomes: readonly Outcome[]): Promise<Settled[]> {
    return this.#ask(() => this.#process.port.settle(outcomes, this.#at));
  }

  /** Takes back what expired. */
  tidy(): Promise<unknown> {
    return this.#ask(() => this.#process.port.tidy({ items: 1_000, mayExpire: true }, this.#at));
  }

  get #at(): At {
    return { now: this.#world.now };
  }

  async #ask<T>(verb: () => T | Promise<T>): Promise<T> {
    await this.#process.broker.open();
    return verb();
  }
}

interface Late {
  readonly old: Hand;
  readonly heir: Hand;
  readonly id: string;
  readonly first: Claimed;
  readonly second: Claimed;
  /** What the old one would write. */
  readonly late: (is: Outcome["is"], more?: Partial<Outcome>) => Outcome;
}

async function takenOver(world: World): Promise<Late> {
  const [one, two] = [world.process({ work }), world.process({ work })];
  const { id } = await one.broker.enqueue(work.with({ n: 1 }));
  const [old, heir] = [new Hand(world, one, "old"), new Hand(world, two, "heir")];
  const first = await old.claim();
  await world.advance("9s");
  await heir.tidy();
  const second = await heir.claim();
  equal([first.jobs.length, second.jobs.map((job) => job.id)], [1, [id]], "jobs claimed by both");
  const late = (is: Outcome["is"], more: Partial<Outcome> = {}): Outcome => old.outcome(present(first.jobs[0], "a job"), first, is, more);
  return { old, heir, id, first, second, late };
}

const endings = ["completed", "skipped", "dead", "retry", "snoozed", "released", "saved"] as const;

export const portLaws: readonly Law[] = [
  ...lawsOf(
    "G3",
    endings,
    (is) => `the store answers lease-lost to "${is}" of a claim that was taken over, and changes nothing`,
    async (world, is) => {
      const { old, id, late } = await takenOver(world);
      const before = await world.job(id);
      const answer = await old.settle(late(is, { delayMs: 1_000, reason: "late", checkpoint: '"late"' }));
      equal([answer.is, answer.state], ["lease-lost", "running"], "the answer");
      equal(await world.job(id), before, "the job");
    },
  ),
  law("G3", "the store stores no follow-up work of a claim that was taken over", async (world) => {
    const { old, heir, second, late } = await takenOver(world);
    const { id } = present(second.jobs[0], "a job");
    const follow = [
      {
        kind: "job",
        id: "follow",
        content: "",
        rememberMs: 0,
        task: "work",
        queue: "default",
        payload: '{"n":2}',
        headStartMs: 0,
        keep: { completed: 1e6, skipped: 1e6, cancelled: 1e6, dead: 1e6 },
      },
    ] as const;
    equal((await old.settle(late("completed", { follow }))).is, "lease-lost", "the answer to the old one");
    equal(await world.observer.find("follow"), undefined, "the follow-up job");
    equal((await heir.settle(heir.outcome(present(second.jobs[0], "a job"), second, "completed", { follow }))).is, "settled", "the answer to the new one");
    equal([await world.stateOf(id), await world.stateOf("follow")], ["completed", "ready"], "the states of both");
  }),
  law("G3", "the fence of a claim that took over is greater, and its claim another", async (world) => {
    const { first, second } = await takenOver(world);
    grows([first.fence, second.fence], "the fences");
    equal(
      [first.jobs[0]?.starts, second.jobs[0]?.starts, second.jobs[0]?.attempt, second.jobs[0]?.suspects],
      [1, 2, 1, 1],
      "starts of both, attempt and suspects of the second",
    );
  }),
  law("G3", "a lease that expired and that nobody took may still settle", async (world) => {
    const process = world.process({ work });
    const { id } = await process.broker.enqueue(work.with({ n: 1 }));
    const hand = new Hand(world, process, "late");
    const claimed = await hand.claim();
    await world.advance("1h");
    equal((await hand.settle(hand.outcome(present(claimed.jobs[0], "a job"), claimed, "completed"))).is, "settled", "the answer");
    equal(await world.stateOf(id), "completed", "the state");
  }),
  law("G3", "an outcome that was written answers lease-lost when it is written again", async (world) => {
    const process = world.process({ work });
    await process.broker.enqueue(work.with({ n: 1 }));
    const hand = new Hand(world, process, "twice");
    const claimed = await hand.claim();
    const outcome = hand.outcome(present(claimed.jobs[0], "a job"), claimed, "retry", { delayMs: 0 });
    equal([(await hand.settle(outcome)).is, (await hand.settle(outcome)).is], ["settled", "lease-lost"], "the answers");
  }),
  ...lawsOf<{ what: string; lie: Partial<Outcome> }>(
    "G3",
    [
      { what: "another claim", lie: { claim: "somebody-else" } },
      { what: "a smaller fence", lie: { fence: 1 } },
      { what: "a greater fence", lie: { fence: Number.MAX_SAFE_INTEGER } },
    ],
    (row) => `a write-back that names ${row.what} is refused`,
    async (world, row) => {
      const process = world.process({ work });
      const { id } = await process.broker.enqueue(work.with({ n: 1 }));
      const hand = new Hand(world, process, "liar");
      const claimed = await hand.claim();
      const answer = await hand.settle({ ...hand.outcome(present(claimed.jobs[0], "a job"), claimed, "completed"), ...row.lie });
      equal([answer.is, await world.stateOf(id)], ["lease-lost", "running"], "the answer, and the state");
    },
  ),
  law("G3", "an outcome that is written again beside others ends no job of that claim but those it names", async (world) => {
    const process = world.process({ work });
    await process.broker.enqueue([1, 2, 3, 4].map((n) => work.with({ n })));
    const hand = new Hand(world, process, "hand");
    const claimed = await hand.claim();
    equal(claimed.jobs.length, 4, "jobs claimed");
    const [first, second, third, fourth] = claimed.jobs.map((job) => hand.outcome(job, claimed, "completed")) as [Outcome, Outcome, Outcome, Outcome];
    await hand.settle(second);
    equal(
      (await hand.settleAll([first, second, fourth])).map(({ is }) => is),
      ["settled", "lease-lost", "settled"],
      "answers, the second of an outcome that was written before",
    );
    equal(await world.stateOf(third.id), "running", "the state of the job that no outcome named");
    equal((await hand.settle(third)).is, "settled", "the answer to its own outcome");
  }),
  law("G3", "of claims at the same moment each gets jobs of its own, and none more than it has hands for", async (world) => {
    const hands = [1, 2, 3, 4].map((n) => new Hand(world, world.process({ work }), `hand-${n}`));
    await world.process({ work }).broker.enqueue(Array.from({ length: 50 }, (_, n) => work.with({ n })));
    const claims = await Promise.all(hands.map((hand) => hand.claim(10)));
    const ids = claims.flatMap(({ jobs }) => jobs.map(({ id }) => id));
    equal([claims.map(({ jobs }) => jobs.length), new Set(ids).size], [[10, 10, 10, 10], 40], "jobs of each, and different jobs");
    holds(
      new Set(claims.map(({ fence }) => fence)).size === 4,
      "their fences differ",
      claims.map(({ fence }) => fence),
    );
  }),
  law("G3", "an outcome that a claim carries is written before the claim hands out", async (world) => {
    const process = world.process({ work });
    const [first] = await process.broker.enqueue([work.with({ n: 1 }), work.with({ n: 2 })]);
    const hand = new Hand(world, process, "both");
    const claimed = await hand.claim(1);
    const next = await hand.claim(1, [hand.outcome(present(claimed.jobs[0], "a job"), claimed, "completed")]);
    equal(
      [next.settled.map(({ is }) => is), next.jobs.length, await world.stateOf(present(first, "an answer").id)],
      [["settled"], 1, "completed"],
      "what was settled, jobs handed out, state of the first",
    );
  }),
];
