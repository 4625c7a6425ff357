/** A worker on the memory engine under a clock of its own, with every call to the engine open to inspection and failure. */
import { Definitions } from "../../src/core/definitions.ts";
import type { Change, Claim, Engine, EventRow, JobRow, Outcome } from "../../src/core/engine.ts";
import type { Fact } from "../../src/core/event.ts";
import { Planner } from "../../src/core/plan.ts";
import type { ChildEnd, ChildPlan, Instant, Ms } from "../../src/core/runtime.ts";
import { subscriptionKey } from "../../src/core/notes.ts";
import type { Errand } from "../../src/core/task.ts";
import { Worker, type WorkerOptions } from "../../src/core/worker/worker.ts";
import { memory } from "../../src/memory/index.ts";
import type { LogEntry } from "../../src/testing/logBook.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";

/** Virtual time, and the parts of a platform that a test plays itself. */
export class StageRuntime extends VirtualRuntime {
  readonly signals: Set<(signal: string) => void> = new Set();
  exitedBy: string | undefined;
  /** The test runner takes the platform's own rejections for failures of the test, so tests call this where the rejection would be. */
  onUnhandled: ((reason: unknown) => boolean) | undefined;
  spawn?: (plan: ChildPlan) => Promise<ChildEnd>;

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

  onUnhandledRejection(fn: (reason: unknown) => boolean): () => void {
    this.onUnhandled = fn;
    return () => void (this.onUnhandled = undefined);
  }
}

type Verb = "claim" | "settle" | "beat" | "tidy" | "find";

export class Stage implements AsyncDisposable {
  readonly runtime = new StageRuntime();
  readonly engine: Engine;
  readonly calls: { readonly verb: Verb; readonly args: readonly unknown[] }[] = [];
  /** Called before a verb reaches the engine; what it throws is the call's failure. */
  before: (verb: Verb, args: readonly unknown[]) => void = () => undefined;
  /** Called with the engine's answer; what it throws stands for a reply that was lost. */
  afterwards: (verb: Verb, answer: unknown) => void = () => undefined;
  readonly workers: Worker[] = [];
  /** Whether the store's wake-ups arrive. */
  isHearing = true;
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
    await this.settled();
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
      const [answer] = await this.engine.enqueue([{ works: (await this.#planner.plan([errand])).works }], this.at);
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

  /** All outcomes that were sent to the engine. */
  outcomes(): Outcome[] {
    return this.calls.flatMap(({ verb, args }) => (verb === "settle" ? (args[0] as Outcome[]) : verb === "claim" ? [...(args[0] as Claim).settling] : []));
  }

  settled(): Promise<void> {
    return this.runtime.settle();
  }

  said(part: string): LogEntry[] {
    return this.runtime.log.entries.filter(({ message }) => message.includes(part));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.before = () => undefined;
    this.afterwards = () => undefined;
    const stops = this.workers.map((worker) => worker.stop());
    await this.advance(60_000);
    await Promise.all(stops);
  }

  #member(target: Engine, name: keyof Engine, isAsync: boolean): unknown {
    if (name === "isHearing") return this.isHearing;
    if (name === "listen") return (wake: () => void) => target.listen(() => this.isHearing && wake());
    const member: unknown = target[name];
    if (typeof member !== "function") return member;
    const call = (...args: unknown[]): unknown => (member as (...args: unknown[]) => unknown).apply(target, args);
    if (name !== "claim" && name !== "settle" && name !== "beat" && name !== "tidy" && name !== "find") return call;
    const watched = (...args: unknown[]): unknown => {
      this.calls.push({ verb: name, args });
      this.before(name, args);
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
