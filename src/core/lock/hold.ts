/** A lock in this process's hands: renewed by the heartbeat, until it is given back, its time is over, or the store took it. */
import { inWords } from "../duration.ts";
import { ErrandError } from "../errors.ts";
import type { Ms, Timer } from "../runtime.ts";
import type { Loss } from "../worker/pulse.ts";
import type { Tenant } from "./holder.ts";
import type { LockParts } from "./lockParts.ts";
import type { Granted } from "./place.ts";

export interface HeldLock extends AsyncDisposable {
  /** Grows with every grant of every lock: what is protected must refuse a smaller one than it has seen. */
  readonly fence: number;
  /** Aborted when the lock is no longer held: `lease-lost`, `lock-expired`, `broker-closed`. */
  readonly signal: AbortSignal;
  /** Gives it back. Throws `lock-not-held` where it was given back or lost before: what was done since may have met somebody else's work. */
  release(): Promise<void>;
}

export class Hold implements HeldLock, Tenant {
  readonly name: string;
  readonly fence: number;
  readonly #parts: LockParts;
  readonly #ticket: string;
  readonly #left: () => void;
  readonly #leaveHolder: () => void;
  readonly #controller: AbortController = new AbortController();
  #deadline: Timer | undefined;
  #isHeld = true;

  /** `left` is called once it is held no more. */
  constructor(parts: LockParts, name: string, granted: Granted, left: () => void) {
    this.#parts = parts;
    this.name = name;
    this.fence = granted.fence;
    this.#ticket = granted.ticket;
    this.#left = left;
    this.#leaveHolder = parts.holder.enter(this);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Gives it back after so long, whoever forgot it. */
  expireAfter(ms: Ms): void {
    this.#deadline = this.#parts.runtime.after(ms, () => this.#expire(ms), { background: true });
  }

  async release(): Promise<void> {
    if (!this.#isHeld) throw this.#notHeld(this.signal.reason);
    this.#leave();
    const wasHeld = await this.#parts.returns.give(this.#key());
    if (!wasHeld) throw this.#notHeld(this.#lostError("the store took it back"));
  }

  /** Where it is held no more, there is nothing to do: the signal told of it. What cannot be given back now is given back later. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isHeld)
      await this.release().catch((error: unknown) => this.#parts.log.warn({ lock: this.name, err: error }, "a lock was not given back cleanly"));
  }

  lost(why: Loss): void {
    const givenUp = "the store did not hear from this process for its lease and took it back";
    this.#void(this.#lostError(why === "given up" ? givenUp : "the store was wiped, rolled back or failed over, so that another may hold it"));
  }

  silent(): void {
    if (!this.#isHeld) return;
    this.#void(this.#lostError("this process did not reach the store for its lease, so that another may hold it"));
    this.#parts.returns.giveSometime(this.#key());
  }

  /** Aborts the signal and gives it back; never rejects. */
  async end(reason: ErrandError): Promise<void> {
    if (!this.#isHeld) return;
    this.#void(reason);
    await this.#parts.returns.give(this.#key()).catch(() => undefined); // it goes when the lease ends
  }

  #expire(ms: Ms): void {
    const error = new ErrandError(
      "lock-expired",
      `lock ${this.name} was held for ${inWords(ms)}, all the time it was asked for, and was given back; raise \`for\`, or do less under the lock`,
      { details: { lock: this.name, forMs: ms } },
    );
    void this.end(error);
  }

  #void(reason: ErrandError): void {
    if (!this.#isHeld) return;
    this.#leave();
    this.#parts.log.warn({ lock: this.name, fence: this.fence, err: reason }, "a lock is no longer held");
    this.#controller.abort(reason);
  }

  #leave(): void {
    this.#isHeld = false;
    this.#deadline?.cancel();
    this.#leaveHolder();
    this.#left();
  }

  #key(): { readonly name: string; readonly ticket: string } {
    return { name: this.name, ticket: this.#ticket };
  }

  #lostError(how: string): ErrandError {
    return new ErrandError("lease-lost", `lock ${this.name} is lost: ${how}; stop, and let what you protect refuse a fence below the largest it has seen`, {
      details: { lock: this.name, fence: this.fence },
    });
  }

  #notHeld(cause: unknown): ErrandError {
    return new ErrandError("lock-not-held", `lock ${this.name} is not held by this grant any more; look at its signal before you rely on it`, {
      cause,
      details: { lock: this.name, fence: this.fence },
    });
  }
}
