/** An outage of what a task depends on, and what a fleet of workers makes of its end: with a breaker and without, under virtual time. */
import { World, type EngineMaker } from "../../src/conformance/index.ts";
import type { BreakerOptions } from "../../src/core/recovery/breakerPolicy.ts";
import type { Limit } from "../../src/core/limits/limit.ts";
import { task, type Task } from "../../src/core/task.ts";
import type { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";
import { Dependency, type DependencyOptions } from "./dependency.ts";

export interface OutagePlan {
  readonly breaker: false | BreakerOptions;
  readonly dependency: DependencyOptions;
  /** What the task states of its dependency's rate. */
  readonly limits?: readonly Limit<unknown>[];
  readonly workers: number;
  readonly slots: number;
  /** Jobs handed in each second; and later. */
  readonly arrivals: number;
  readonly arrivalsLater?: { readonly fromS: number; readonly jobs: number };
  readonly downFromS: number;
  readonly downUntilS: number;
  /** It goes down again, from one second until another. */
  readonly flaps?: readonly (readonly [fromS: number, untilS: number])[];
  /** Handed in at once, while it is down. */
  readonly backlog: number;
  readonly endS: number;
}

/** What happened in one second. */
export interface Second {
  readonly at: number;
  readonly starts: number;
  readonly good: number;
  /** Starts of jobs that were tried before. */
  readonly retries: number;
  readonly waiting: number;
}

export interface Told {
  readonly seconds: readonly Second[];
  /** The most calls in any one second, and at once, from the breaker's opening until the dependency was back. */
  readonly mostWhileDown: number;
  readonly jobs: number;
  readonly starts: number;
  readonly started: number;
  /** For jobs that were handed in later than that second and are done: how long they took, in s. */
  waitsSince(second: number): readonly number[];
}

interface Numbered {
  readonly n: number;
}

export async function outage(maker: EngineMaker, plan: OutagePlan): Promise<Told> {
  const world = await World.open(maker);
  try {
    return await new Outage(world, plan).run();
  } finally {
    await world.dispose();
  }
}

class Outage {
  readonly #world: World;
  readonly #plan: OutagePlan;
  readonly #dependency: Dependency;
  readonly #call: Task<Numbered>;
  readonly #seconds: Second[] = [];
  /** By job: when it was handed in, and done, in ms. */
  readonly #enqueuedAt: number[] = [];
  readonly #doneAt: number[] = [];
  #starts = 0;
  #retries = 0;
  readonly #started: Set<string> = new Set();
  #mostWhileDown = 0;

  constructor(world: World, plan: OutagePlan) {
    this.#world = world;
    this.#plan = plan;
    this.#dependency = new Dependency(world.clock, plan.dependency);
    this.#call = task<Numbered>("call", {
      breaker: plan.breaker,
      ...(plan.limits && { limits: plan.limits as readonly Limit<Numbered>[] }),
      retry: { attempts: 1_000 },
      run: async ({ n }, job) => {
        this.#starts++;
        if (job.attempt > 1) this.#retries++;
        this.#started.add(job.id);
        await this.#dependency.call();
        this.#doneAt[n] = this.#clock.monotonic();
      },
    });
  }

  get #clock(): VirtualRuntime {
    return this.#world.clock;
  }

  async run(): Promise<Told> {
    const { workers, slots, downFromS, downUntilS, flaps = [], backlog, endS } = this.#plan;
    const producer = this.#world.process({ call: this.#call }).broker;
    for (let worker = 0; worker < workers; worker++) await this.#world.worker({ call: this.#call }, { queues: { default: slots } });
    const enqueue = async (jobs: number): Promise<void> => {
      const first = this.#enqueuedAt.length;
      for (let n = 0; n < jobs; n++) this.#enqueuedAt.push(this.#clock.monotonic());
      await producer.enqueue(Array.from({ length: jobs }, (_, n) => this.#call.with({ n: first + n })));
    };
    for (let second = 0; second < endS; second++) {
      this.#dependency.isDown = [[downFromS, downUntilS] as const, ...flaps].some(([from, until]) => second >= from && second < until);
      if (second === Math.floor((downFromS + downUntilS) / 2) && backlog > 0) await enqueue(backlog);
      await this.#second(second, enqueue);
    }
    return this.#told();
  }

  async #second(second: number, enqueue: (jobs: number) => Promise<void>): Promise<void> {
    const before = { starts: this.#starts, good: this.#dependency.good, retries: this.#retries };
    // A few seconds after it went down the breaker has opened.
    if (second === this.#plan.downFromS + 5) this.#dependency.most = 0;
    const { arrivalsLater: later } = this.#plan;
    const arrivals = later && second >= later.fromS ? later.jobs : this.#plan.arrivals;
    for (let tenth = 0; tenth < 10; tenth++) {
      await enqueue(Math.floor((arrivals * (tenth + 1)) / 10) - Math.floor((arrivals * tenth) / 10));
      await this.#world.advance("100ms");
    }
    if (second === this.#plan.downUntilS - 1) this.#mostWhileDown = this.#dependency.most;
    const { ready, scheduled, blocked } = await this.#world.observer.count();
    this.#seconds.push({
      at: second,
      starts: this.#starts - before.starts,
      good: this.#dependency.good - before.good,
      retries: this.#retries - before.retries,
      waiting: ready + scheduled + blocked,
    });
  }

  #told(): Told {
    return {
      seconds: this.#seconds,
      mostWhileDown: this.#mostWhileDown,
      jobs: this.#enqueuedAt.length,
      starts: this.#starts,
      started: this.#started.size,
      waitsSince: (second) =>
        this.#enqueuedAt.flatMap((at, n) => {
          const done = this.#doneAt[n];
          return at < second * 1_000 || done === undefined ? [] : [(done - at) / 1_000];
        }),
    };
  }
}
