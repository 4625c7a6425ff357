/** Leadership is a lock that is asked for again whenever it was lost: of all who run for it, one leads at a time. */
import type { Maybe } from "../engine.ts";
import type { ErrandError } from "../errors.ts";
import type { Ms } from "../runtime.ts";
import type { Hold } from "./hold.ts";
import type { LockParts } from "./lockParts.ts";
import type { Waiter } from "./locks.ts";

export interface Leader {
  /** Grows with every election: what the leader writes must carry it, and be refused where a larger one was seen. */
  readonly fence: number;
  /** Aborted when it leads no more: stop then. */
  readonly signal: AbortSignal;
}
/** What a leader does. */
export type Lead = (leader: Leader) => Maybe<unknown>;

export interface LeadOptions {
  /** Ends the candidacy, and the leadership. */
  readonly signal?: AbortSignal;
}

export class Leadership {
  readonly name: string;
  isLeader = false;
  readonly #fn: Lead;
  readonly #options: LeadOptions;
  readonly #parts: LockParts;
  readonly #place: () => Waiter;
  readonly #stop: AbortController = new AbortController();
  readonly #ended: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  #waiter: Waiter | undefined;

  constructor(name: string, { fn, options }: { readonly fn: Lead; readonly options: LeadOptions }, parts: LockParts, place: () => Waiter) {
    this.name = name;
    this.#fn = fn;
    this.#options = options;
    this.#parts = parts;
    this.#place = place;
  }

  /** Until the function has returned as leader, or it was told to stop. Rejects with what the function throws as leader. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    const stop = (): void => this.#stopFor(signal?.reason);
    if (signal?.aborted === true) stop();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      for (let isOver = this.#isStopped; !isOver;) isOver = await this.#term();
    } finally {
      signal?.removeEventListener("abort", stop);
      this.#ended.resolve();
    }
  }

  /** Stops it, and waits for its function so long. */
  async end(reason: ErrandError, graceMs: Ms): Promise<void> {
    this.#stopFor(reason);
    const timer = this.#parts.runtime.after(graceMs, this.#ended.resolve);
    await this.#ended.promise;
    timer.cancel();
  }

  get #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  #stopFor(reason: unknown): void {
    this.#stop.abort(reason);
    this.#waiter?.leave(reason);
  }

  /** One election and what follows. True: it was the last. */
  async #term(): Promise<boolean> {
    const hold = await this.#elected();
    if (hold === undefined) return true;
    try {
      return await this.#leads(hold);
    } finally {
      await hold[Symbol.asyncDispose]();
    }
  }

  /** Undefined: it was told to stop. */
  async #elected(): Promise<Hold | undefined> {
    this.#waiter = this.#place();
    try {
      return await this.#waiter.granted();
    } catch (error) {
      if (this.#isStopped) return undefined;
      throw error;
    } finally {
      this.#waiter = undefined;
    }
  }

  /** Another term begins only when the function has ended: never two at once in one process. */
  async #leads(hold: Hold): Promise<boolean> {
    const signal = AbortSignal.any([hold.signal, this.#stop.signal]);
    this.isLeader = true;
    signal.addEventListener("abort", () => (this.isLeader = false), { once: true });
    try {
      await this.#fn({ fence: hold.fence, signal });
      return hold.isHeld || this.#isStopped;
    } catch (error) {
      if (!signal.aborted) throw error;
      if (error !== signal.reason) this.#parts.log.warn({ lock: hold.name, err: error }, "a leader failed after it had lost or given up its leadership");
      return this.#isStopped;
    } finally {
      this.isLeader = false;
    }
  }
}
