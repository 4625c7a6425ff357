/** The store as one process of a world reaches it: every call goes through the process's gate. */
import type * as port from "../core/engine.ts";
import type { Gate } from "./gate.ts";

export class ProcessEngine implements port.Engine {
  readonly #engine: port.Engine;
  readonly #gate: Gate;
  readonly #storeTime: () => number;
  readonly #onItsWay: (() => Promise<void>) | undefined;

  /** `onItsWay`: what a call waits for before it reaches the store. */
  constructor(engine: port.Engine, gate: Gate, storeTime: () => number, onItsWay?: () => Promise<void>) {
    this.#engine = engine;
    this.#gate = gate;
    this.#storeTime = storeTime;
    this.#onItsWay = onItsWay;
  }

  get name(): string {
    return this.#engine.name;
  }

  open(host: port.Host): port.Maybe<void> {
    return this.#gate.call(() => this.#engine.open(host));
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  guarantees(): port.Guarantees {
    return this.#engine.guarantees();
  }

  enqueue(atoms: readonly port.Atom[], at: port.At<unknown>): ReturnType<port.Engine["enqueue"]> {
    return this.#call(() => this.#engine.enqueue(atoms, this.#on(at)));
  }

  claim(wanted: port.Claim, at: port.At): port.Maybe<port.Claimed> {
    return this.#call(() => this.#engine.claim(wanted, this.#on(at)));
  }

  settle(outcomes: readonly port.Outcome[], at: port.At<unknown>): port.Maybe<port.Settled[]> {
    return this.#call(() => this.#engine.settle(outcomes, this.#on(at)));
  }

  beat(process: string, leaseMs: number, at: port.At): port.Maybe<port.Heard> {
    return this.#call(() => this.#engine.beat(process, leaseMs, this.#on(at)));
  }

  tidy(pass: port.Tidy, at: port.At): port.Maybe<port.Tidied> {
    return this.#call(() => this.#engine.tidy(pass, this.#on(at)));
  }

  change(which: port.Selection, change: port.Change, limit: number, at: port.At<unknown>): port.Maybe<port.Changed> {
    return this.#call(() => this.#engine.change(which, change, limit, this.#on(at)));
  }

  find<Q extends port.Query>(query: Q, at: port.At): port.Maybe<port.Page<Q>> {
    return this.#call(() => this.#engine.find(query, this.#on(at)));
  }

  count(at: port.At): port.Maybe<port.CountRow[]> {
    return this.#call(() => this.#engine.count(this.#on(at)));
  }

  lock(request: port.LockRequest, at: port.At): port.Maybe<port.Grant | port.Waiting> {
    return this.#call(() => this.#engine.lock(request, this.#on(at)));
  }

  unlock(grant: { readonly name: string; readonly ticket: string }, at: port.At): port.Maybe<boolean> {
    return this.#call(() => this.#engine.unlock(grant, this.#on(at)));
  }

  readNote(key: string, at: port.At): port.Maybe<port.Note | undefined> {
    return this.#call(() => this.#engine.readNote(key, this.#on(at)));
  }

  listen(wake: () => void): port.Maybe<port.Unlisten> {
    return this.#engine.listen(() => {
      if (this.#gate.reach === "reached") this.#gate.pass(wake);
    });
  }

  get isHearing(): boolean {
    return this.#engine.isHearing !== false;
  }

  joins(tx: unknown): "sync" | "async" {
    return this.#engine.joins(tx);
  }

  #call<T>(verb: () => port.Maybe<T>): port.Maybe<T> {
    return this.#onItsWay === undefined ? this.#gate.call(verb) : this.#onItsWay().then(() => this.#gate.call(verb));
  }

  /** A call that was held up meets the store's time of its arrival. */
  #on<A extends port.At<unknown>>(at: A): A {
    return at.now === undefined ? at : { ...at, now: this.#storeTime() };
  }
}
