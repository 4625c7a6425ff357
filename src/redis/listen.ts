/**
 * Wakes those who wait for work: when a script of any process tells of work that became ready (PUBLISH, in the script's own atom), on a connection that only listens.
 *
 * What is told can be lost: workers look for work by themselves, too. A connection that broke without a word sounds like one on which nothing happens, so it is asked
 * from time to time, and where it does not answer there is another one. What was told in between is made up for by a look.
 */
import { jitter, notifyEveryMs, probeEveryMs, reconnectFirstMs, reconnectUpToMs } from "../core/defaults.ts";
import type { Unlisten } from "../core/engine.ts";
import type { Ms, Runtime, Timer } from "../core/runtime.ts";
import type { Connection, Hearing } from "./client.ts";

/** Under a virtual clock, which waits for no network: all processes are in this one. */
const together = new Map<string, Set<Listeners>>();

export class Listeners {
  /** What the scripts of this process tell of is told under this name. */
  readonly self: string;
  readonly #runtime: Runtime;
  readonly #connection: Pick<Connection, "name" | "hear" | "ask">;
  readonly #channel: string;
  readonly #wakes: Set<() => void> = new Set();
  #hearing: Hearing | undefined;
  /** Another one for each connection: what an earlier one still does is none of this one's business. */
  #generation = 0;
  #failures = 0;
  #timer: Timer | undefined;
  #tellTimer: Timer | undefined;
  #isWaking = false;

  /** `home`: what all keys begin with. */
  constructor(runtime: Runtime, connection: Pick<Connection, "name" | "hear" | "ask">, home: string) {
    this.self = runtime.id();
    this.#runtime = runtime;
    this.#connection = connection;
    this.#channel = channelOf(home);
  }

  /** Whether work is heard of, now. */
  get isHearing(): boolean {
    return this.#runtime.storeTime === undefined ? this.#hearing !== undefined : this.#wakes.size > 0;
  }

  listen(wake: () => void): Unlisten {
    // Wrapped, so that the same function may listen twice.
    const own = (): void => wake();
    this.#wakes.add(own);
    if (this.#wakes.size === 1) this.#start();
    return () => {
      this.#wakes.delete(own);
      if (this.#wakes.size === 0) this.stop();
    };
  }

  /** Work is on its way to the store: who looks now, on the same connection, looks right behind it, and both go in one piece. */
  sent(): void {
    if (this.#runtime.storeTime === undefined) for (const wake of this.#wakes) wake();
  }

  /** After a script of this process told of work. `isAwake`: those of this process were woken for it. What the script held back is told for all that came by then. */
  told(isHeldBack: boolean, isAwake: boolean): void {
    if (this.#runtime.storeTime !== undefined) {
      for (const other of together.get(this.#place) ?? []) other.wake();
      return;
    }
    if (!isHeldBack && !isAwake) this.wake();
    if (isHeldBack) this.#tellTimer ??= this.#runtime.after(notifyEveryMs, () => void this.#tell());
  }

  /** Those of this process, once in a turn of the event loop. */
  wake(): void {
    if (this.#isWaking || this.#wakes.size === 0) return;
    this.#isWaking = true;
    this.#runtime.soon(() => {
      this.#isWaking = false;
      for (const wake of this.#wakes) wake();
    });
  }

  /** Hears nothing any more. */
  stop(): void {
    this.#giveUp();
    this.#timer?.cancel();
    const others = together.get(this.#place);
    others?.delete(this);
    if (others?.size === 0) together.delete(this.#place);
  }

  /** What is still to be told, is told. */
  async close(): Promise<void> {
    this.stop();
    this.#wakes.clear();
    if (this.#tellTimer === undefined) return;
    this.#tellTimer.cancel();
    await this.#tell();
  }

  /** A hint: who misses it looks by himself. */
  async #tell(): Promise<void> {
    this.#tellTimer = undefined;
    this.wake();
    await this.#connection.ask("publish", this.#channel, this.self).catch(() => undefined);
  }

  #start(): void {
    if (this.#runtime.storeTime === undefined) return this.#connect();
    const others = together.get(this.#place) ?? new Set();
    together.set(this.#place, others.add(this));
  }

  #connect(): void {
    const generation = ++this.#generation;
    const isMine = (): boolean => generation === this.#generation;
    const ear = {
      heard: (by: string): void => {
        if (isMine() && by !== this.self) this.wake();
      },
      lost: (error: Error): void => {
        if (isMine()) this.#lose(error);
      },
    };
    this.#connection.hear(this.#channel, ear).then(
      (hearing) => {
        if (!isMine()) return hearing.end();
        this.#hearing = hearing;
        this.#failures = 0;
        // What was told before this connection heard anything, is lost.
        this.wake();
        this.#probeLater();
      },
      (error: unknown) => {
        if (isMine()) this.#lose(error);
      },
    );
  }

  #probeLater(): void {
    this.#later(probeEveryMs * (1 + jitter * this.#runtime.random()), () => this.#probe());
  }

  /** The connection gives up what is not answered in time. */
  #probe(): void {
    const generation = this.#generation;
    this.#hearing?.probe().then(
      () => {
        if (generation === this.#generation) this.#probeLater();
      },
      (error: unknown) => {
        if (generation === this.#generation) this.#lose(error);
      },
    );
  }

  #lose(error: unknown): void {
    this.#giveUp();
    const mostMs = Math.min(reconnectUpToMs, reconnectFirstMs * 2 ** Math.min(this.#failures++, 30));
    this.#runtime.log.debug({ err: error }, "wake-ups are not heard; listening anew");
    this.#later(this.#runtime.random() * mostMs, () => this.#connect());
  }

  #giveUp(): void {
    this.#generation++;
    this.#hearing?.end();
    this.#hearing = undefined;
  }

  #later(ms: Ms, then: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#runtime.after(ms, then, { background: true });
  }

  get #place(): string {
    return `${this.#connection.name} ${this.#channel}`;
  }
}

/** As the scripts name it. */
export function channelOf(home: string): string {
  return `${home}:wake`;
}
