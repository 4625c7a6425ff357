/** A world of a law: one store, one virtual clock, any number of processes, and a record of all that ran. */
import { durationMs, type Duration } from "../core/duration.ts";
import type { DefinitionModule } from "../core/definitions.ts";
import type { Engine, Maybe } from "../core/engine.ts";
import { isEnded, type JobState } from "../core/states.ts";
import type { Broker } from "../core/brokerFace.ts";
import type { Instant, Logger, Ms } from "../core/runtime.ts";
import type { Transaction } from "../core/scope.ts";
import type { Job } from "../core/task.ts";
import type { JobView } from "../core/view.ts";
import type { WorkerOptions } from "../core/worker/worker.ts";
import { VirtualRuntime } from "../testing/virtualRuntime.ts";
import { LawBroken, present } from "./expect.ts";
import type { StoreReach } from "./gate.ts";
import { Process } from "./process.ts";
import { Runs, type Run } from "./runs.ts";

/** What the author of an engine supplies. */
export interface EngineMaker {
  /** Stands before the law's name. */
  readonly name: string;
  /** A fresh, empty store. */
  open(): Maybe<TestStore>;
}

export interface TestStore {
  /** A value on that store: a connection of its own, as another process would have; or the same value where the store lives in it. */
  engine(): Engine;
  /**
   * Loses all that is stored, under the engines that were handed out and are open: they go on, on an empty store of another era.
   * Absent: that cannot be had here, and the laws about it say nothing.
   */
  wipe?(): Maybe<void>;
  /** After all engines were closed. */
  dispose(): Maybe<void>;
  /** The app's own rows in the same store, where its transactions can hold errand's work too. Absent: there are none, and laws hold the engine to refuse them. */
  readonly app?: AppStore;
}

/** Rows of the app beside errand's. */
export interface AppStore {
  /**
   * A transaction of the app: the steps, one after the other, each awaited where transactions are asynchronous. What one of them throws rolls all of it back, and
   * is thrown.
   */
  transaction(...steps: readonly ((tx: Transaction) => unknown)[]): Maybe<void>;
  /** One more row of that name. */
  add(tx: Transaction, name: string): Maybe<void>;
  /** How many rows of that name are committed. */
  count(name: string): Maybe<number>;
  /** Calls that are on their way to the store, where that takes a while. No virtual time passes meanwhile. */
  readonly callsUnderWay?: number;
}

export interface ProcessOptions {
  /** How wrong its wall clock is. */
  readonly clockOffsetMs?: Ms;
  /** How long its calls take to reach the store, so that those of several processes meet there. Default: no time. */
  readonly latencyMs?: Ms;
}

const stepMs: Ms = 100;
const closingMaxMs: Ms = 120_000;

export class World {
  readonly clock: VirtualRuntime;
  readonly #store: TestStore;
  readonly #processes: Process[] = [];
  readonly #runs: Runs;
  readonly #log: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: (details, message) => void this.warnings.push({ details, message }),
    error: (details, message) => void this.warnings.push({ details, message }),
  };
  /** What the processes logged as warnings and errors. */
  readonly warnings: { readonly details: object; readonly message: string }[] = [];
  #observer: Process | undefined;

  static async open(maker: EngineMaker): Promise<World> {
    return new World(await maker.open());
  }

  private constructor(store: TestStore) {
    this.#store = store;
    this.clock = new VirtualRuntime();
    this.#runs = new Runs(() => this.clock.now());
  }

  /** The app's own rows in the store, where there are such. */
  get app(): AppStore | undefined {
    return this.#store.app;
  }

  get now(): Instant {
    return this.clock.now();
  }

  /** All runs, in the order in which they started. */
  get runs(): readonly Run[] {
    return this.#runs.all;
  }

  runsOf(task: string): Run[] {
    return this.runs.filter((run) => run.task === task);
  }

  runsOfJob(id: string): Run[] {
    return this.runs.filter((run) => run.id === id);
  }

  /** A broker that has no definitions, to look through. */
  get observer(): Broker {
    this.#observer ??= this.process({});
    return this.#observer.broker;
  }

  /** A process that hands in work and looks; {@link Process.start} gives it a worker. */
  process(definitions: DefinitionModule, options: ProcessOptions = {}): Process {
    const name = `process ${this.#processes.length + 1}`;
    const made = new Process({
      name,
      engine: this.#store.engine(),
      clock: this.clock,
      runs: this.#runs,
      log: this.#log,
      clockOffsetMs: options.clockOffsetMs ?? 0,
      latencyMs: options.latencyMs ?? 0,
      definitions,
    });
    this.#processes.push(made);
    return made;
  }

  /** A process with a running worker. */
  async worker(definitions: DefinitionModule, options: WorkerOptions & ProcessOptions = {}): Promise<Process> {
    const { clockOffsetMs, latencyMs, ...workerOptions } = options;
    const made = this.process(definitions, { ...(clockOffsetMs !== undefined && { clockOffsetMs }), ...(latencyMs !== undefined && { latencyMs }) });
    await this.finished(made.start(workerOptions), "the start of a worker");
    return made;
  }

  async advance(by: Duration): Promise<void> {
    await this.#move(durationMs(by, "advance"));
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (;;) {
      await this.clock.settle();
      const asking = this.#processes.filter(({ gate }) => gate.calls > 0);
      if (asking.length > 0) await Promise.race(asking.map(({ gate }) => gate.answer()));
      else if ((this.#store.app?.callsUnderWay ?? 0) === 0) return;
    }
  }

  /** Lets time pass until `condition` holds. */
  async until(claim: string, condition: () => Maybe<boolean>, within: Duration = "1m"): Promise<void> {
    const deadline = this.now + durationMs(within, "within");
    await this.settle();
    while (!(await condition())) {
      if (this.now >= deadline) throw new LawBroken(`within ${within}, ${claim}`, "it to happen", `nothing of the kind; ${this.#lately()}`);
      await this.#move(stepMs);
    }
  }

  /** Lets time pass until `work` has its answer. */
  async finished<T>(work: Promise<T>, claim: string, within: Ms = closingMaxMs): Promise<T> {
    let isOver = false;
    const over = (): void => void (isOver = true);
    work.then(over, over);
    await this.settle();
    for (const deadline = this.now + within; !isOver && this.now < deadline;) {
      await this.#move(stepMs);
    }
    if (!isOver) throw new LawBroken(claim, `an end within ${within} ms`, "none");
    return work;
  }

  /** Lets time pass until every job ended or is parked. */
  async drained(within: Duration = "1m"): Promise<void> {
    await this.until("every job has ended", async () => (await this.#waiting()) === 0, within);
  }

  /** For the body of a task: waits by the shared clock; rejects when the run's signal is aborted. */
  sleep(duration: Duration, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.clock.after(durationMs(duration, "sleep"), resolve);
      signal?.addEventListener("abort", () => {
        timer.cancel();
        reject(signal.reason as Error);
      });
    });
  }

  /** For the body of a task: kills the process it runs in. Never resolves. */
  die(job: Job): Promise<never> {
    const run = this.runs.findLast(({ id, fence }) => id === job.id && fence === job.fence);
    const victim = this.#processes.find(({ name }) => name === run?.process);
    if (victim !== undefined) this.crash(victim);
    return new Promise(() => undefined);
  }

  /** Stops it gracefully. */
  async stop(process: Process): Promise<void> {
    await this.finished(process.stop(), `the stop of ${process.name}`);
  }

  /** kill -9. */
  crash(process: Process): void {
    process.crash();
  }

  /** SIGSTOP: nothing of it goes on until `resume`, and it does not notice. */
  pause(process: Process): void {
    process.gate.pause();
  }

  async resume(process: Process): Promise<void> {
    process.gate.resume();
    await this.settle();
  }

  /** Calls to the store fail, from one process or from all there are. */
  cutStore(process?: Process): void {
    this.#reach("cut", process);
  }

  /** Calls reach the store, their answers are lost. */
  loseAnswers(process?: Process): void {
    this.#reach("answers lost", process);
  }

  healStore(process?: Process): void {
    this.#reach("reached", process);
  }

  /** Loses all that is stored. False: this store cannot. */
  async wipe(): Promise<boolean> {
    if (this.#store.wipe === undefined) return false;
    await this.#store.wipe();
    return true;
  }

  /** The job as it is stored. */
  async job(id: string): Promise<JobView> {
    return present(await this.observer.find(id), `job ${id}`);
  }

  async stateOf(id: string): Promise<JobState> {
    return (await this.job(id)).state;
  }

  async hasEnded(id: string): Promise<boolean> {
    return isEnded(await this.stateOf(id));
  }

  async dispose(): Promise<void> {
    const closing = this.#processes.toReversed().map((process) => process.dispose());
    await this.finished(Promise.all(closing), "the end of the world");
    await this.#store.dispose();
  }

  #move(ms: Ms): Promise<void> {
    return this.clock.advance(ms, () => this.settle());
  }

  #reach(reach: StoreReach, process: Process | undefined): void {
    const all = this.#processes.filter((each) => each !== this.#observer);
    for (const each of process === undefined ? all : [process]) each.gate.reach = reach;
  }

  async #waiting(): Promise<number> {
    const { scheduled, blocked, ready, running } = await this.observer.count();
    return scheduled + blocked + ready + running;
  }

  #lately(): string {
    const warning = this.warnings.at(-1);
    const details = warning === undefined ? "no warning" : `last warning: ${warning.message}`;
    return `${this.runs.length} runs so far, ${details}`;
  }
}
