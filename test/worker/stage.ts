/** A worker on the memory engine under a clock of its own, with every call to the engine open to inspection and failure. */
import { Definitions } from "../../src/core/definitions.ts";
import type { Change, Engine, EventRow, JobRow } from "../../src/core/engine.ts";
import type { Fact } from "../../src/core/event.ts";
import { Planner } from "../../src/core/plan.ts";
import type { Beat, BeatPlan, ChildEnd, ChildPlan, Instant, Ms, Runtime, Timer } from "../../src/core/runtime.ts";
import { subscriptionKey } from "../../src/core/notes.ts";
import type { Errand } from "../../src/core/task.ts";
import { Worker, type WorkerOptions } from "../../src/core/worker/worker.ts";
import { memory } from "../../src/memory/index.ts";

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
}
export interface Line {
  readonly level: string;
  readonly details: Record<string, unknown>;
  readonly message: string;
}

/** Time that moves only when told to; all else as in production. */
export class StageRuntime implements Runtime {
  readonly lines: Line[] = [];
  readonly signals: Set<(signal: string) => void> = new Set();
  exitedBy: string | undefined;
  onUnhandled: ((reason: unknown) => boolean) | undefined;
  spawn?: (plan: ChildPlan) => Promise<ChildEnd>;
  #now = 1_800_000_000_000;
  #order = 0;
  #timers: Pending[] = [];
  #ids = 0;
  #seed = 1;

  readonly log: Runtime["log"] = {
    debug: (details, message) => void this.lines.push({ level: "debug", details: { ...details }, message }),
    info: (details, message) => void this.lines.push({ level: "info", details: { ...details }, message }),
    warn: (details, message) => void this.lines.push({ level: "warn", details: { ...details }, message }),
    error: (details, message) => void this.lines.push({ level: "error", details: { ...details }, message }),
  };
  readonly storeTime = (): Instant => Math.floor(this.#now);

  now(): Instant {
    return Math.floor(this.#now);
  }

  monotonic(): number {
    return this.#now;
  }

  after(ms: Ms, fn: () => void): Timer {
    const pending: Pending = { at: this.#now + Math.max(0, ms), order: this.#order++, fn };
    this.#timers.push(pending);
    return { cancel: () => void (this.#timers = this.#timers.filter((timer) => timer !== pending)) };
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }

  random(): number {
    this.#seed = (this.#seed * 48_271) % 2_147_483_647;
    return this.#seed / 2_147_483_647;
  }

  id(): string {
    return (this.#ids++).toString(16).padStart(32, "0");
  }

  startBeat(plan: BeatPlan): Beat {
    let isStopped = false;
    const turn = (): void => {
      if (isStopped) return;
      this.after(plan.everyMs, turn);
      plan.beat().then((heard) => isStopped || plan.heard(heard), (error: Error) => isStopped || plan.failed(error));
    };
    turn();
    return { stop: () => Promise.resolve().then(() => void (isStopped = true)) };
  }

  onStopSignal(fn: (signal: string) => void): () => void {
    this.signals.add(fn);
    return () => this.signals.delete(fn);
  }

  signal(name: string): void {
    for (const fn of this.signals) fn(name);
  }

  exitBy(signal: string): void {
    this.exitedBy = signal;
  }

  /** The test runner takes the platform's own rejections for failures of the test, so tests call `onUnhandled` where the rejection would be. */
  onUnhandledRejection(fn: (reason: unknown) => boolean): () => void {
    this.onUnhandled = fn;
    return () => void (this.onUnhandled = undefined);
  }

  /** Lets everything happen that is due within `ms`, in its order. */
  async advance(ms: Ms): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await settled();
      const next = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.fn();
    }
    this.#now = until;
    await settled();
  }
}

/** All that follows without time passing. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
}

type Verb = "claim" | "settle" | "beat" | "tidy" | "find";

export class Stage implements AsyncDisposable {
  readonly runtime = new StageRuntime();
  readonly engine: Engine;
  readonly calls: { readonly verb: Verb; readonly args: readonly unknown[] }[] = [];
  /** Called before a verb reaches the engine; what it throws is the call's failure. */
  before: (verb: Verb) => void = () => undefined;
  /** Called with the engine's answer; what it throws stands for a reply that was lost. */
  afterwards: (verb: Verb, answer: unknown) => void = () => undefined;
  readonly workers: Worker[] = [];
  readonly #definitions: Definitions;
  readonly #planner: Planner;

  constructor(definitions: Readonly<Record<string, unknown>>, { isAsync = false }: { readonly isAsync?: boolean } = {}) {
    const store = memory();
    this.engine = new Proxy(store, { get: (target, name) => this.#member(target, name as keyof Engine, isAsync) });
    void this.engine.open({ runtime: this.runtime });
    this.#definitions = new Definitions([definitions]);
    this.#planner = new Planner(this.#definitions, this.runtime);
  }

  async start(options: WorkerOptions = {}, definitions?: Readonly<Record<string, unknown>>): Promise<Worker> {
    const known = definitions === undefined ? this.#definitions : new Definitions([definitions]);
    const worker = new Worker({ engine: this.engine, runtime: this.runtime, definitions: known, planner: new Planner(known, this.runtime), options });
    this.workers.push(worker);
    await worker.start();
    await settled();
    return worker;
  }

  async register(): Promise<void> {
    const notes = [...this.#definitions.subscriptions.values()].map(({ name, stored }) => ({ key: subscriptionKey(name), value: JSON.stringify(stored) }));
    await this.engine.enqueue([{ works: [], notes }], this.at);
  }

  /** Answers the ids. */
  async enqueue(...errands: readonly Errand[]): Promise<string[]> {
    const ids: string[] = [];
    for (const errand of errands) {
      const [answer] = await this.engine.enqueue([{ works: [await this.#planner.job(errand)] }], this.at);
      if (answer === undefined || answer instanceof Error) throw answer;
      ids.push(...answer.map(({ id }) => id));
    }
    return ids;
  }

  async publish(fact: Fact): Promise<void> {
    await this.engine.enqueue([{ works: [await this.#planner.event(fact)] }], this.at);
  }

  async note(key: string, value: string | undefined): Promise<void> {
    await this.engine.enqueue([{ works: [], notes: [{ key, value }] }], this.at);
  }

  async change(id: string, change: Change): Promise<string | undefined> {
    return (await this.engine.change({ ids: [id] }, change, 1, this.at)).jobs[0]?.is;
  }

  async job(id: string | undefined): Promise<JobRow> {
    const [row] = (await this.engine.find({ of: "jobs", ids: [id ?? ""] }, this.at)).rows;
    if (row === undefined) throw new Error(`no job ${id}`);
    return row;
  }

  async jobs(task: string): Promise<readonly JobRow[]> {
    return (await this.engine.find({ of: "jobs", where: { task }, limit: 1_000 }, this.at)).rows;
  }

  async events(): Promise<readonly EventRow[]> {
    return (await this.engine.find({ of: "events", limit: 1_000 }, this.at)).rows;
  }

  get at(): { readonly now: Instant } {
    return { now: this.runtime.storeTime() };
  }

  advance(ms: Ms): Promise<void> {
    return this.runtime.advance(ms);
  }

  said(part: string): Line[] {
    return this.runtime.lines.filter(({ message }) => message.includes(part));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.before = () => undefined;
    this.afterwards = () => undefined;
    const stops = this.workers.map((worker) => worker.stop());
    await this.advance(60_000);
    await Promise.all(stops);
  }

  #member(target: Engine, name: keyof Engine, isAsync: boolean): unknown {
    const member: unknown = target[name];
    if (typeof member !== "function") return member;
    const call = (...args: unknown[]): unknown => (member as (...args: unknown[]) => unknown).apply(target, args);
    if (name !== "claim" && name !== "settle" && name !== "beat" && name !== "tidy" && name !== "find") return call;
    const watched = (...args: unknown[]): unknown => {
      this.calls.push({ verb: name, args });
      this.before(name);
      const answer = call(...args);
      this.afterwards(name, answer);
      return answer;
    };
    return isAsync ? async (...args: unknown[]) => (await settledOnce(), watched(...args)) : watched;
  }
}

function settledOnce(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
