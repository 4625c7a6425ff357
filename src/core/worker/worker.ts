/**
 * A worker's life: it beats, claims, runs and tidies until it is stopped; then it claims no more, lets its jobs finish within the grace time,
 * hands back the rest uncharged, writes every outcome, and falls silent.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { abortGraceMs, queueName } from "../defaults.ts";
import type { Definitions } from "../definitions.ts";
import type { Engine, Unlisten } from "../engine.ts";
import { Meter } from "../metrics/meter.ts";
import type { WorkerLoad } from "../metrics/processMetrics.ts";
import { didYouMean } from "../names.ts";
import type { Planner } from "../plan.ts";
import type { Registration } from "../registration.ts";
import { Scheduler } from "../schedule/scheduler.ts";
import type { Logger, Ms, Runtime } from "../runtime.ts";
import { Alone } from "./alone.ts";
import { Contact } from "./contact.ts";
import { Housekeeping } from "./housekeeping.ts";
import { Intake } from "./intake.ts";
import { PinWatch } from "./pinWatch.ts";
import { Pulse } from "./pulse.ts";
import { settingsOf, type WorkerOptions, type WorkerParts } from "./settings.ts";

export type { WorkerOptions } from "./settings.ts";

export interface RunningWorker extends AsyncDisposable {
  /** Claims no more, lets running jobs finish within the grace time, hands back the rest uncharged. Again: the same promise. */
  stop(): Promise<void>;
  /** Resolves when the worker has stopped, by `stop` or by a signal. */
  readonly stopped: Promise<void>;
}

const stopAbortGraceMs: Ms = Math.min(abortGraceMs, 2_000);

export class Worker implements RunningWorker {
  readonly #parts: WorkerParts;
  readonly #contact: Contact;
  readonly #pulse: Pulse;
  readonly #alone: Alone;
  readonly #intake: Intake;
  readonly #housekeeping: Housekeeping;
  readonly #scheduler: Scheduler;
  readonly #pinWatch: PinWatch;
  readonly #endings: (() => void)[] = [];
  readonly #hurry: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #ended: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  #stopping: Promise<void> | undefined;
  #isStopped = false;

  /** Throws `option-unknown`, `option-invalid`, `name-invalid`. */
  constructor(given: {
    readonly engine: Engine;
    readonly runtime: Runtime;
    readonly definitions: Definitions;
    readonly planner: Planner;
    readonly registration?: Pick<Registration, "heard">;
    readonly log?: Logger;
    readonly told?: WorkerParts["told"];
    readonly experience?: WorkerParts["experience"];
    readonly meter?: Meter;
    readonly options?: WorkerOptions;
  }) {
    const { engine, runtime, definitions, planner, registration, log = runtime.log, options = {}, told, experience, meter = new Meter() } = given;
    this.#parts = { engine, runtime, definitions, planner, log, settings: settingsOf(options, definitions), told, experience, meter };
    this.#contact = new Contact({ runtime, log, meter }, this.#parts.settings.beatEveryMs);
    this.#alone = new Alone(this.#parts);
    this.#pulse = new Pulse(this.#parts, this.#contact, {
      cancelled: (ids) => this.#intake.cancelled(ids),
      lost: (why) => {
        if (why === "another era") meter.eras++;
        this.#intake.lost(why);
      },
      notesChanged: () => {
        this.#intake.notesChanged();
        this.#scheduler.wake();
      },
      era: (era) => registration?.heard(era),
      heard: () => this.#intake.heard(),
    });
    this.#intake = new Intake(this.#parts, this.#contact, this.#alone, this.#pulse);
    this.#housekeeping = new Housekeeping(this.#parts, this.#contact, () => this.#intake.wake());
    this.#scheduler = new Scheduler(this.#parts, () => this.#intake.wake());
    this.#pinWatch = new PinWatch(this.#parts);
  }

  /** Jobs that run or are held ready here. */
  get inFlight(): number {
    return this.#intake.crew.inFlight;
  }

  /** Runs that were given up after their timeout and still go on. */
  get overran(): number {
    return this.#intake.crew.runner.overran;
  }

  /** The largest fence this worker was given. */
  get lastFence(): number {
    return this.#intake.lastFence;
  }

  /** What it has in its hands now. */
  get load(): WorkerLoad {
    const { crew, unwritten } = this.#intake;
    return { queues: crew.load(), overran: crew.runner.overran, unwritten, heardAt: this.#pulse.heardAt };
  }

  get stopped(): Promise<void> {
    return this.#ended.promise;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Nothing in flight, nothing to write, and the last claim found nothing more. Jobs that are due later may wait. */
  idle(): boolean {
    return this.#intake.isIdle && this.#scheduler.isIdle;
  }

  /** For a clock that jumps: until time alone may let a job start that waits now. */
  nextLookMs(): Ms {
    return this.#intake.nextLookMs();
  }

  /** For a clock that jumps: a breaker is not healthy, and its steps hang on this worker's own runs. */
  get isRecovering(): boolean {
    return this.#intake.isRecovering;
  }

  /** Calls `fn` each time the worker has become idle. Answers how to stop listening. */
  onIdle(fn: () => void): () => void {
    return this.#intake.onQuiet(() => this.idle() && fn());
  }

  async start(): Promise<void> {
    const { engine, runtime, settings } = this.#parts;
    this.#warnOfIdleHands();
    // A hint may come out of a job's own enqueue: what it starts must not run in that job's asynchronous context.
    const inOwnContext = AsyncLocalStorage.snapshot();
    const unlisten: Unlisten = await engine.listen(() => inOwnContext(() => this.#intake.wake(true)));
    this.#endings.push(unlisten);
    if (this.#stopping !== undefined) {
      unlisten(); // stopped before it had started
      return;
    }
    if (settings.signals && runtime.onStopSignal !== undefined) this.#endings.push(runtime.onStopSignal((signal) => this.#signalled(signal)));
    if (runtime.onUnhandledRejection !== undefined) this.#endings.push(runtime.onUnhandledRejection((reason) => this.#intake.crew.runner.rejected(reason)));
    this.#pulse.start();
    this.#intake.open();
    this.#housekeeping.start();
    this.#scheduler.wake();
    // What pins a store is told by its own clock, which a virtual one does not move.
    if (runtime.storeTime === undefined) this.#pinWatch.start();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Hands for a queue that no task here names do nothing: most often a name is misspelt. */
  #warnOfIdleHands(): void {
    const { definitions, settings, log } = this.#parts;
    if (definitions.tasks.size === 0) log.warn({}, "this worker knows no task, so it will run nothing; give its broker modules of definitions");
    const named = new Set([...definitions.tasks.values()].map((task) => task.policy.queue));
    for (const queue of settings.queues.keys()) {
      if (named.has(queue) || queue === queueName) continue;
      log.warn({ queue }, `no task of this worker is in queue "${queue}"${didYouMean(queue, named)}`);
    }
  }

  #signalled(signal: string): void {
    const { log, runtime } = this.#parts;
    if (this.#stopping !== undefined) {
      this.#hurry.resolve();
      return;
    }
    log.info({ signal, inFlight: this.inFlight }, "the worker stops");
    this.stop().then(
      () => runtime.exitBy?.(signal),
      (error: unknown) => {
        log.error({ err: error }, "the worker did not stop cleanly");
        runtime.exitBy?.(signal);
      },
    );
  }

  async #stop(): Promise<void> {
    const { settings } = this.#parts;
    const { runner } = this.#intake.crew;
    runner.askToYield();
    this.#intake.close();
    const scheduling = this.#scheduler.stop();
    await this.#quietWithin(settings.graceMs);
    if (runner.running.size > 0) {
      runner.handBackAll();
      await this.#quietWithin(stopAbortGraceMs);
      runner.giveUpAll();
    }
    // Longer than a lease would be in vain: the store has taken the jobs back by then.
    await this.#quietWithin(settings.leaseMs, false);
    await scheduling;
    await this.#end();
  }

  async #end(): Promise<void> {
    await Promise.all([this.#housekeeping.stop(), this.#pinWatch.stop()]);
    this.#intake.end();
    await this.#pulse.stop();
    for (const ending of this.#endings.splice(0)) ending();
    this.#isStopped = true;
    this.#ended.resolve();
  }

  /** Resolves when nothing is in flight or to be written any more, when `ms` have passed, or at the second stop signal. */
  async #quietWithin(ms: Ms, mayHurry: boolean = true): Promise<void> {
    if (this.#intake.isQuiet) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#parts.runtime.after(ms, resolve);
    const unlisten = this.#intake.onQuiet(resolve);
    await (mayHurry ? Promise.race([promise, this.#hurry.promise]) : promise);
    timer.cancel();
    unlisten();
  }
}
