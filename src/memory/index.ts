/** The memory engine: errand's rules with nothing else in the way. For tests, and for work that may vanish with its process. */
import type * as port from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import type { Ms } from "../core/runtime.ts";
import { beat } from "./beat.ts";
import { change } from "./change.ts";
import { claim } from "./claim.ts";
import { count } from "./count.ts";
import { enqueue } from "./enqueue.ts";
import { find } from "./find.ts";
import { guarantees } from "./guarantees.ts";
import { lock, unlock } from "./lock.ts";
import { close, open } from "./open.ts";
import { settle } from "./settle.ts";
import { Store } from "./store.ts";
import { tidy } from "./tidy.ts";

/**
 * An engine that keeps everything in this process. Brokers that are given the same value share its jobs; they last as long as the value.
 *
 * ```ts
 * const engine = memory();
 * const work = broker(engine, orders);
 * ```
 */
export function memory(): port.Engine {
  return new MemoryEngine();
}

class MemoryEngine implements port.Engine {
  readonly name = "memory";
  readonly #store = new Store();

  open(host: port.Host): void {
    open(this.#store, host);
  }

  close(): Promise<void> {
    return close(this.#store);
  }

  guarantees(): port.Guarantees {
    return guarantees;
  }

  enqueue(atoms: readonly port.Atom[], at: port.At<unknown>): (port.Enqueued[] | ErrandError)[] {
    return enqueue(this.#store, atoms, this.#now(at));
  }

  claim(wanted: port.Claim, at: port.At): port.Claimed {
    return claim(this.#store, wanted, this.#now(at));
  }

  settle(outcomes: readonly port.Outcome[], at: port.At<unknown>): port.Settled[] {
    return settle(this.#store, outcomes, this.#now(at));
  }

  beat(process: string, leaseMs: Ms, at: port.At): port.Heard {
    return beat(this.#store, process, leaseMs, this.#now(at));
  }

  tidy(pass: port.Tidy, at: port.At): port.Tidied {
    return tidy(this.#store, pass, this.#now(at));
  }

  change(which: port.Selection, asked: port.Change, limit: number, at: port.At<unknown>): port.Changed {
    return change(this.#store, which, asked, limit, this.#now(at));
  }

  find<Q extends port.Query>(query: Q, at: port.At): port.Page<Q> {
    return find(this.#store, query, this.#now(at));
  }

  count(at: port.At): port.CountRow[] {
    this.#now(at);
    return count(this.#store);
  }

  lock(request: port.LockRequest, at: port.At): port.Grant | port.Waiting {
    return lock(this.#store, request, this.#now(at));
  }

  unlock(grant: { readonly name: string; readonly ticket: string }, at: port.At): boolean {
    this.#now(at);
    return unlock(this.#store, grant);
  }

  readNote(key: string, at: port.At): port.Note | undefined {
    this.#now(at);
    return this.#store.notes.read(key);
  }

  listen(wake: () => void): port.Unlisten {
    return this.#store.listeners.listen(wake);
  }

  joins(_tx: unknown): never {
    throw new ErrandError("tx-unsupported", "the memory engine has no transactions; call the broker directly instead of within()");
  }

  #now(at: port.At<unknown>): number {
    return at.tx === undefined ? this.#store.now(at) : this.joins(at.tx);
  }
}
