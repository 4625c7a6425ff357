/** Brokers on one memory engine under a clock of their own, with every call to the engine counted, and open to failure. */
import { StoreBroker } from "../../src/core/broker.ts";
import type { Engine, JobRow, Outcome } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { Ms } from "../../src/core/runtime.ts";
import { memory } from "../../src/memory/index.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";

export class BrokerStage implements AsyncDisposable {
  readonly runtime = new VirtualRuntime();
  readonly calls: { readonly verb: string; readonly args: readonly unknown[] }[] = [];
  /** Whether the store's wake-ups arrive. */
  isHearing = true;
  /** Called before a verb reaches the engine; what it throws is the call's failure. */
  before: (verb: string, args: readonly unknown[]) => void = () => undefined;
  /** Called with the engine's answer: what it answers stands for it. */
  afterwards: (verb: string, answer: unknown) => unknown = (_verb, answer) => answer;
  /** As it stands behind all that is counted and fails. */
  readonly store: Engine = memory();
  readonly #brokers: StoreBroker[] = [];

  broker(definitions: Readonly<Record<string, unknown>> = {}): StoreBroker {
    const made = new StoreBroker({ engine: this.#watched(), runtime: this.runtime, definitions: [definitions] });
    this.#brokers.push(made);
    return made;
  }

  countOf(verb: string): number {
    return this.calls.filter((call) => call.verb === verb).length;
  }

  outcomes(): Outcome[] {
    return this.calls.flatMap(({ verb, args }) => (verb === "settle" ? (args[0] as Outcome[]) : []));
  }

  advance(ms: Ms): Promise<void> {
    return this.runtime.advance(ms);
  }

  /** Lets time pass until `work` has its answer. */
  async finished<T>(work: Promise<T>, withinMs: Ms = 120_000): Promise<T> {
    let isOver = false;
    const over = (): void => void (isOver = true);
    work.then(over, over);
    await this.runtime.settle();
    for (let ms = 0; ms < withinMs && !isOver; ms += 50) await this.advance(50);
    if (!isOver) throw new Error(`nothing within ${withinMs} ms`);
    return work;
  }

  async job(id: string): Promise<JobRow> {
    const { rows } = await this.store.find({ of: "jobs", ids: [id] }, { now: this.runtime.now() });
    const [row] = rows;
    if (row === undefined) throw new Error(`no job ${id}`);
    return row;
  }

  said(part: string): readonly { readonly message: string }[] {
    return this.runtime.log.entries.filter(({ message }) => message.includes(part));
  }

  /** A store that cannot be reached, until called. */
  cut(): () => void {
    this.before = () => {
      throw new ErrandError("store-failed", "the store is away; wait for it");
    };
    return () => void (this.before = () => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.before = () => undefined;
    this.afterwards = (_verb, answer) => answer;
    await this.finished(Promise.all(this.#brokers.map((made) => made.close())));
  }

  #watched(): Engine {
    return new Proxy(this.store, {
      get: (target, verb) => {
        if (verb === "isHearing") return this.isHearing;
        if (verb === "listen") return (wake: () => void) => target.listen(() => this.isHearing && wake());
        const member: unknown = Reflect.get(target, verb, target);
        if (typeof member !== "function") return member;
        return (...args: unknown[]): unknown => {
          if (verb !== "open" && verb !== "close") {
            this.calls.push({ verb: String(verb), args });
            this.before(String(verb), args);
          }
          return verb === "open" || verb === "close" ? Reflect.apply(member, target, args) : this.afterwards(String(verb), Reflect.apply(member, target, args));
        };
      },
    });
  }
}
