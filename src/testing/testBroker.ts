/** A broker for tests: the real one, on an engine in memory, under a clock that the test moves. */
import type { Broker } from "../core/brokerFace.ts";
import type { DefinitionModule } from "../core/definitions.ts";
import { durationMs, type Duration } from "../core/duration.ts";
import type { Engine } from "../core/engine.ts";
import type { Fact } from "../core/event.ts";
import { aDate, anything, aWholeNumber, checkOptions } from "../core/options.ts";
import type { Errand, TaskOf } from "../core/task.ts";
import type { JobView } from "../core/view.ts";
import { memory } from "../memory/index.ts";
import { VirtualBroker } from "./virtualBroker.ts";

export interface TestBroker extends Broker {
  /** The virtual time. It moves by {@link advance} alone. */
  readonly now: Date;
  /** Runs all that is due now, and what follows from it, until nothing is left to run. Time stands still. */
  drain(): Promise<void>;
  /** Moves time, and runs each job at the instant at which it is due. */
  advance(by: Duration): Promise<void>;
  /**
   * A job of that task with that payload was enqueued, by the app or by a subscription, whatever became of it since. Options that the errand has
   * (`in`, `at`, `priority`, `id`, `after`, `expecting`) are compared too. Of a batch or chain: one of that name with these very members, callbacks and order
   * (due times aside). Throws `assertion-failed`, which lists what was enqueued.
   */
  assertEnqueued(errand: Errand): Promise<void>;
  /** As {@link assertEnqueued}, the other way round; with a task: none of it. */
  assertNotEnqueued(what: Errand | TaskOf<never>): Promise<void>;
  /** That event with that payload was published. Throws `assertion-failed`, which lists what was. */
  assertPublished(fact: Fact): Promise<void>;
  /** All jobs that are still stored, in the order of enqueue. */
  enqueued(): Promise<readonly JobView[]>;
  /** All events that are still stored, in the order of publishing. */
  published(): Promise<readonly PublishedEvent[]>;
  /** What happened, a line each: `+10m   send-receipt 1f3a attempting`. */
  story(): readonly string[];
}

export interface PublishedEvent {
  readonly id: string;
  readonly name: string;
  readonly payload: unknown;
  readonly publishedAt: Date;
}

export interface TestBrokerOptions {
  /** Default: a new one in memory. */
  readonly engine?: Engine;
  /** Of ids and jitter: the same seed gives the same run. Default 1. */
  readonly seed?: number;
  /** What the clock shows at first. Default 2026-01-01. */
  readonly start?: Date;
  /** How long `drain` waits, by the real clock, for a run that awaits something real. Default 5 s. */
  readonly patience?: Duration;
}

/** Makes test brokers. */
export interface TestBrokerMaker {
  (...definitions: readonly DefinitionModule[]): TestBroker;
  /** With an engine, a seed or a start of its own. Throws `option-unknown`, `option-invalid`. */
  with(options: TestBrokerOptions, ...definitions: readonly DefinitionModule[]): TestBroker;
}

/**
 * A broker for tests.
 *
 *     const work = testBroker(orders, mail);
 *     await checkout(work, order);
 *     await work.assertEnqueued(sendReceipt.with({ orderId: "7" }, { in: "10m" }));
 *     await work.advance("10m");
 *     assert.deepEqual(outbox, ["receipt for 7"]);
 *
 * Nothing runs until `drain` or `advance`, unless the test starts a worker itself.
 */
export const testBroker: TestBrokerMaker = Object.assign((...definitions: readonly DefinitionModule[]) => make({}, definitions), {
  with: (options: TestBrokerOptions, ...definitions: readonly DefinitionModule[]) => make(options, definitions),
});

function make(options: TestBrokerOptions, definitions: readonly DefinitionModule[]): TestBroker {
  checkOptions(options, "testBroker.with", {
    engine: anything,
    seed: aWholeNumber(0, 2 ** 32 - 1),
    start: aDate,
    patience: (value, path) => void durationMs(value as Duration, path),
  });
  const { engine = memory(), seed, start, patience } = options;
  return new VirtualBroker({
    engine,
    definitions,
    ...(seed !== undefined && { seed }),
    ...(start && { start: start.getTime() }),
    ...(patience !== undefined && { patienceMs: durationMs(patience, "patience") }),
  });
}
