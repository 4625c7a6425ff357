/** What a broker does beside taking work in: locks and leaders, jobs tried at once, and waiting for results. Nothing of it costs anything before it is asked for. */
import type { Definitions } from "./definitions.ts";
import { resultWithinMs } from "./defaults.ts";
import { durationMs, type Duration } from "./duration.ts";
import type { Engine, Settled } from "./engine.ts";
import { Hints } from "./lock/hints.ts";
import type { HeldLock } from "./lock/hold.ts";
import { Holder } from "./lock/holder.ts";
import type { Lead, LeadOptions } from "./lock/leadership.ts";
import { Locks, type LockOptions } from "./lock/locks.ts";
import type { Meter } from "./metrics/meter.ts";
import type { HeldLoad } from "./metrics/processMetrics.ts";
import { aString, checkOptions } from "./options.ts";
import type { Planner } from "./plan.ts";
import { Results, type JobResult } from "./result/results.ts";
import type { Runtime } from "./runtime.ts";
import type { Sender } from "./sender.ts";
import type { Errand } from "./task.ts";
import { TryNow, type Tried, type TryOptions } from "./tryNow/tryNow.ts";

export interface CoordinationParts {
  readonly engine: Engine;
  readonly runtime: Runtime;
  readonly definitions: Definitions;
  readonly planner: Planner;
  readonly sender: Sender;
  readonly meter: Meter;
}

export interface ResultOptions {
  /** Default 30 s. */
  readonly within?: Duration;
}

export class Coordination {
  readonly #parts: CoordinationParts;
  readonly #holder: Holder;
  readonly #locks: Locks;
  readonly #results: Results;
  #tryNow: TryNow | undefined;

  constructor(parts: CoordinationParts) {
    this.#parts = parts;
    const { engine, runtime, meter } = parts;
    const hints = new Hints(engine);
    const held = { engine, runtime, log: runtime.log, meter };
    this.#holder = new Holder(held);
    this.#locks = new Locks({ ...held, holder: this.#holder, hints });
    this.#results = new Results({ engine, runtime, hints });
  }

  /** What this process holds outside a worker. */
  get load(): HeldLoad {
    return { ...this.#locks.load, heardAt: this.#holder.heardAt };
  }

  lock(name: string, options: LockOptions): Promise<HeldLock> {
    return this.#locks.lock(name, options);
  }

  lead(name: string, fn: Lead, options: LeadOptions): Promise<void> {
    return this.#locks.lead(name, fn, options);
  }

  result(id: string, options: ResultOptions): Promise<JobResult> {
    aString(id, "the job's id");
    checkOptions(options, "result", { within: (value, path) => void durationMs(value as Duration, path) });
    return this.#results.of(id, options.within === undefined ? resultWithinMs : durationMs(options.within, "result.within"));
  }

  tryNow(errand: Errand, options: TryOptions): Promise<Tried> {
    const { log } = this.#parts.runtime;
    this.#tryNow ??= new TryNow({ ...this.#parts, log, holder: this.#holder, told: (answers) => this.told(answers) });
    return this.#tryNow.try(errand, options);
  }

  /** What the store made of outcomes of this process. */
  told(answers: readonly Settled[]): void {
    this.#results.told(answers);
  }

  async close(): Promise<void> {
    this.#results.close();
    await Promise.all([this.#tryNow?.close(), this.#locks.close()]);
    await this.#holder.close();
  }
}
