/** The broker that `testBroker` makes. It starts a worker when something is to run, and stops it when nothing is. */
import { at } from "../core/at.ts";
import { StoreBroker } from "../core/broker.ts";
import { tidyMax } from "../core/defaults.ts";
import { Definitions, type DefinitionModule } from "../core/definitions.ts";
import { durationMs, type Duration } from "../core/duration.ts";
import type { Engine } from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import type { Fact } from "../core/event.ts";
import { Planner } from "../core/plan.ts";
import type { Instant, Ms, Runtime } from "../core/runtime.ts";
import type { RebuildOptions, Rebuilt } from "../core/reconcile/reconciliations.ts";
import { nextSlotAt } from "../core/schedule/nextSlot.ts";
import type { Errand, TaskOf } from "../core/task.ts";
import { viewOf, type JobView } from "../core/view.ts";
import type { RunningWorker, Worker, WorkerOptions } from "../core/worker/worker.ts";
import { realRuntime } from "../runtime/real.ts";
import { isHop, Stored } from "./stored.ts";
import { Story } from "./story.ts";
import type { PublishedEvent, TestBroker } from "./testBroker.ts";
import { VirtualRuntime } from "./virtualRuntime.ts";
import { EngineWatch } from "./watchedEngine.ts";

/** By the real clock. */
interface Patience {
  readonly ms: Ms;
  /** Also with runs for which all patience was in vain before. */
  readonly isForEach: boolean;
}
const drainPatienceMs: Ms = 5_000;
/** After that, a run is taken for one that waits for time. */
const advancePatience: Patience = { ms: 200, isForEach: false };
const lookEveryMs: Ms = 1;
/** By the virtual clock: what a stop may take, in steps. */
const stopStepMs: Ms = 1_000;
const stopStepsMax = 120;

export interface VirtualBrokerParts {
  readonly engine: Engine;
  readonly definitions: readonly DefinitionModule[];
  readonly seed?: number;
  readonly start?: Instant;
  readonly patienceMs?: Ms;
}

export class VirtualBroker extends StoreBroker implements TestBroker {
  readonly #runtime: VirtualRuntime;
  readonly #watch: EngineWatch;
  readonly #story: Story;
  readonly #stored: Stored;
  readonly #platform: Runtime = realRuntime();
  readonly #drainPatience: Patience;
  #worker: Worker | undefined;
  /** The test started it, and stops it. */
  #isWorkerTheirs = false;
  /** Runs that no patience made end: they wait for time. */
  #waitingForTime = "";
  /** When limits, hours or a calendar may let something start. */
  #looksAt: Instant = Number.POSITIVE_INFINITY;

  constructor({ engine, definitions, patienceMs = drainPatienceMs, ...clock }: VirtualBrokerParts) {
    const runtime: VirtualRuntime = new VirtualRuntime({ ...clock, logged: (entry) => story.logged(entry) });
    const story = new Story(() => runtime.now());
    const watch = new EngineWatch(engine, story);
    super({ engine: watch.engine, runtime, definitions });
    this.#runtime = runtime;
    this.#drainPatience = { ms: patienceMs, isForEach: true };
    this.#story = story;
    this.#watch = watch;
    this.#stored = new Stored({ engine: watch.engine, runtime, planner: new Planner(new Definitions(definitions), runtime) });
  }

  get now(): Date {
    return new Date(this.#runtime.now());
  }

  override async start(options: WorkerOptions = {}): Promise<RunningWorker> {
    const worker = await super.start(options);
    this.#worker = worker as Worker;
    this.#isWorkerTheirs = true;
    return worker;
  }

  async drain(): Promise<void> {
    await this.open();
    do {
      if (!(await this.#runWhatIsDue(this.#drainPatience))) throw await this.#unfinished();
    } while (await this.#tidy());
  }

  async advance(by: Duration): Promise<void> {
    const target = this.#runtime.now() + durationMs(by, "advance(by)");
    await this.open();
    for (;;) {
      do await this.#runWhatIsDue(advancePatience, true);
      while (await this.#tidy());
      if (this.#runtime.now() >= target) break;
      const next = this.#hasWorker()
        ? target
        : Math.min(target, await this.#nextDueAt(), await nextSlotAt({ engine: this.#watch.engine, runtime: this.#runtime }));
      await this.#runtime.advance(next - this.#runtime.now(), () => this.#atRest(advancePatience));
    }
    if (this.#isIdle() && !this.#isWorkerTheirs) await this.#stopWorker();
  }

  async assertEnqueued(errand: Errand): Promise<void> {
    await this.open();
    await this.#stored.assertEnqueued(errand);
  }

  async assertNotEnqueued(what: Errand | TaskOf<never>): Promise<void> {
    await this.open();
    await this.#stored.assertNotEnqueued(what);
  }

  async assertPublished(fact: Fact): Promise<void> {
    await this.open();
    await this.#stored.assertPublished(fact);
  }

  async enqueued(): Promise<readonly JobView[]> {
    await this.open();
    return (await this.#stored.jobs()).filter((row) => !isHop(row)).map(viewOf);
  }

  async published(): Promise<readonly PublishedEvent[]> {
    await this.open();
    const rows = await this.#stored.events();
    return rows.map(({ id, name, payload, publishedAt }) => ({ id, name, payload: JSON.parse(payload) as unknown, publishedAt: new Date(publishedAt) }));
  }

  /** Lets them run, and as much time pass as that needs. */
  override async rebuild(options: RebuildOptions = {}): Promise<readonly Rebuilt[]> {
    const rebuilt = super.rebuild(options);
    rebuilt.catch(() => undefined); // told to who awaits it
    await this.#runtime.settle();
    await this.drain();
    return this.#inTime(rebuilt);
  }

  story(): readonly string[] {
    return this.#story.lines;
  }

  override close(): Promise<void> {
    return this.#inTime(super.close());
  }

  /** False: some runs did not end; their worker goes on. `mayStay`: it goes on as well where a breaker is on its way back. */
  async #runWhatIsDue(patience: Patience, mayStay: boolean = false): Promise<boolean> {
    if (!this.#hasWorker()) {
      this.#worker = (await super.start({ signals: false })) as Worker;
      this.#isWorkerTheirs = false;
    }
    try {
      await this.#atRest(patience);
    } catch (error) {
      await this.#stopWorker();
      throw error;
    }
    const isDone = this.#isIdle();
    if (isDone) this.#looksAt = this.#runtime.now() + (this.#worker?.nextLookMs() ?? Number.POSITIVE_INFINITY);
    if (isDone && !this.#isWorkerTheirs && !(mayStay && (await this.#isRecovering()))) await this.#stopWorker();
    return isDone;
  }

  /** Handlers may await what the virtual clock does not see, such as a file: they are given real time for it. */
  async #atRest(patience: Patience): Promise<void> {
    const startedAt = this.#platform.monotonic();
    for (;;) {
      await this.#runtime.settle();
      if (this.#watch.calls === 0) {
        if (!this.#hasWorker() || this.#isIdle()) return;
        if (!patience.isForEach && (await this.#inFlight()) === this.#waitingForTime) return;
      }
      if (this.#platform.monotonic() - startedAt > patience.ms) break;
      await this.#lookLater();
    }
    this.#waitingForTime = await this.#inFlight();
  }

  #lookLater(): Promise<void> {
    return new Promise((resolve) => this.#platform.after(lookEveryMs, resolve));
  }

  /** Which runs are under way, as a text to compare. */
  async #inFlight(): Promise<string> {
    const { jobs } = await this.list({ states: ["running"] });
    return jobs.map((job) => `${job.task} ${job.id} (start ${job.starts})`).join(", ");
  }

  #hasWorker(): boolean {
    return this.#worker?.isStopped === false;
  }

  #isIdle(): boolean {
    return this.#worker?.idle() ?? true;
  }

  async #stopWorker(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker !== undefined) await this.#inTime(worker.stop());
  }

  /** What a worker does about once a second. True: it may have made something ready. */
  async #tidy(): Promise<boolean> {
    const { hasMore, promoted, admitted, released, closed, dropped, replayed } = await this.#watch.engine.tidy(
      { items: tidyMax, mayExpire: false },
      at(this.#runtime),
    );
    return hasMore || promoted + admitted + released + closed + dropped + replayed > 0;
  }

  async #nextDueAt(): Promise<Instant> {
    const now = this.#runtime.now();
    const rows = await this.#stored.jobs();
    const isHeldBack = rows.some(({ state, waits }) => state === "ready" || waits?.reason === "limit");
    const looksAt = isHeldBack && this.#looksAt > now ? this.#looksAt : Number.POSITIVE_INFINITY;
    return rows.reduce((least, { state, dueAt }) => (state === "scheduled" && dueAt > now ? Math.min(least, dueAt) : least), looksAt);
  }

  /** The way back of a breaker is found by the runs of one worker. */
  async #isRecovering(): Promise<boolean> {
    return this.#worker?.isRecovering === true && (await this.#stored.jobs()).some(({ state }) => state === "ready");
  }

  /** Lets as much time pass as `work` needs. */
  async #inTime<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = (): void => void (isOver = true);
    work.then(over, over);
    for (let steps = 0; steps < stopStepsMax;) {
      await this.#runtime.settle();
      if (isOver) break;
      if (this.#watch.calls > 0) {
        await this.#lookLater();
        continue;
      }
      await this.#runtime.advance(stopStepMs);
      steps++;
    }
    return work;
  }

  async #unfinished(): Promise<ErrandError> {
    return new ErrandError(
      "assertion-failed",
      `drain() waited ${this.#drainPatience.ms} ms for ${await this.#inFlight()}; a handler that waits for time needs advance(), and one that waits for something else needs it to happen`,
    );
  }
}
