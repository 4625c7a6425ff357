/** A place in the line for a lock: asks until it is granted, the time is over, or nobody wants it any more. */
import { at } from "../at.ts";
import { lockAskEveryMs, pollIdleMs } from "../defaults.ts";
import { inWords } from "../duration.ts";
import type { Grant, LockRequest, Waiting } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import type { Ms, Timer } from "../runtime.ts";
import { jittered } from "../worker/backoff.ts";
import type { Tenant } from "./holder.ts";
import type { LockParts } from "./lockParts.ts";

export type Wanted = Pick<LockRequest, "name" | "mode"> & { readonly permits?: number };
/** What was granted, and to which process. */
export interface Granted {
  readonly ticket: string;
  readonly process: string;
  readonly fence: number;
}

/** How much of the time that was waited may pass before it is asked again: a hint of a busy store must not become a write each. */
const waitedPart = 0.1;

export class Place implements Tenant {
  readonly #parts: LockParts;
  readonly #wanted: Wanted;
  readonly #waitMs: Ms;
  readonly #since: number;
  #ticket: string;
  #ahead = 0;
  #failure: unknown;
  /** What ends the wait. */
  #refusal: { readonly error: unknown } | undefined;
  #isLastAsk: boolean;
  #hasAsked = false;
  #isHinted = false;
  #nudge: () => void = () => undefined;

  constructor(parts: LockParts, wanted: Wanted, waitMs: Ms) {
    this.#parts = parts;
    this.#wanted = wanted;
    this.#waitMs = waitMs;
    this.#since = parts.runtime.monotonic();
    this.#ticket = parts.runtime.id();
    this.#isLastAsk = waitMs === 0;
  }

  /** Once. Rejects with `lock-timeout`, the store's last error, or what {@link leave} was given. `take` is called in the same turn as the grant is heard. */
  async granted<T>(take: (granted: Granted) => T): Promise<T> {
    const { holder, hints, caretaker, runtime } = this.#parts;
    const leaveHolder = holder.enter(this);
    const endCare = this.#waitMs === 0 ? undefined : caretaker.need();
    const unlisten = hints.listen(() => this.#hinted());
    const limit = this.#waitMs === Number.POSITIVE_INFINITY ? undefined : runtime.after(Math.max(1, this.#waitMs), () => this.#lastAsk());
    try {
      return take(await this.#askOn());
    } catch (error) {
      if (this.#hasAsked) this.#parts.returns.giveSometime({ name: this.#wanted.name, ticket: this.#ticket });
      throw error;
    } finally {
      limit?.cancel();
      unlisten();
      endCare?.();
      leaveHolder();
    }
  }

  /** Nobody wants it any more. */
  leave(error: unknown): void {
    this.#refusal ??= { error };
    this.#nudge();
  }

  lost(): void {
    this.#renewTicket();
    this.#nudge();
  }

  async #askOn(): Promise<Granted> {
    for (;;) {
      if (this.#refusal !== undefined) throw this.#refusal.error;
      const isLast = this.#isLastAsk;
      const answer = await this.#ask();
      if (this.#refusal !== undefined) continue; // a grant that nobody waits for any more goes back
      if (typeof answer === "object") return answer;
      if (answer === "not now" && isLast) throw this.#timedOut();
      await this.#rest();
    }
  }

  /** "as another": what was held or asked for went with a former process, so that this was no answer. */
  async #ask(): Promise<Granted | "not now" | "as another"> {
    const { engine, holder, runtime } = this.#parts;
    const { process, lastFence, settings } = holder;
    const ticket = this.#ticket;
    this.#hasAsked = true;
    this.#isHinted = false;
    let answer: Grant | Waiting;
    try {
      answer = await engine.lock({ ...this.#wanted, process, ticket, leaseMs: settings.leaseMs, lastFence }, at(runtime));
    } catch (error) {
      return this.#failed(error, process, ticket);
    }
    this.#failure = undefined;
    holder.took(process, answer.is === "granted" ? answer.fence : 0, answer.now);
    if (answer.is === "waiting") this.#ahead = answer.ahead;
    if (ticket !== this.#ticket) return "as another";
    return answer.is === "granted" ? { ticket, process, fence: answer.fence } : "not now";
  }

  #failed(error: unknown, process: string, ticket: string): "not now" | "as another" {
    const { holder, returns } = this.#parts;
    if (ErrandError.is(error, "lease-lost")) {
      holder.lose(process);
      return "as another";
    }
    if (ErrandError.is(error) && !error.code.startsWith("store-")) throw error;
    holder.mayHold(process);
    returns.doubt(ticket);
    this.#failure = error;
    return "not now";
  }

  /** Until a hint, the next poll, or an end; hints are heeded the less often the longer it waits. Where none are heard, it asks as if each were one. */
  async #rest(): Promise<void> {
    const { runtime, hints } = this.#parts;
    const waitedMs = runtime.monotonic() - this.#since;
    const leastMs = Math.min(pollIdleMs, Math.max(lockAskEveryMs, waitedMs * waitedPart));
    await this.#sleep(leastMs, () => this.#mustAsk());
    const pollMs = hints.areHeard ? pollIdleMs : leastMs;
    await this.#sleep(jittered(pollMs, runtime.random()) - leastMs, () => this.#mustAsk() || this.#isHinted);
  }

  #mustAsk(): boolean {
    return this.#refusal !== undefined || this.#isLastAsk;
  }

  async #sleep(ms: Ms, isOver: () => boolean): Promise<void> {
    if (ms <= 0 || isOver()) return;
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      this.#nudge = () => isOver() && resolve();
      timer = this.#parts.runtime.after(ms, resolve);
    });
    this.#nudge = () => undefined;
    timer?.cancel();
  }

  #hinted(): void {
    this.#isHinted = true;
    this.#nudge();
  }

  #lastAsk(): void {
    this.#isLastAsk = true;
    this.#nudge();
  }

  /** The old one went with its process. */
  #renewTicket(): void {
    this.#ticket = this.#parts.runtime.id();
    this.#isHinted = true;
  }

  #timedOut(): unknown {
    if (this.#failure !== undefined) return this.#failure;
    const { name, mode } = this.#wanted;
    const waited = this.#waitMs === 0 ? "is taken" : `was not free within ${inWords(this.#waitMs)}`;
    return new ErrandError(
      "lock-timeout",
      `lock ${name} ${waited} (${this.#ahead} ahead of this ${mode === "read" ? "reader" : "writer"}); wait longer, or try again`,
      {
        details: { lock: name, ahead: this.#ahead, waitMs: this.#waitMs },
      },
    );
  }
}
