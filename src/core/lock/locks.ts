/** The locks of one broker: held, waited for, and led by. */
import { abortGraceMs, locksMax, lockWaitMs } from "../defaults.ts";
import { durationMs, type Duration } from "../duration.ts";
import { ErrandError } from "../errors.ts";
import type { HeldLoad } from "../metrics/processMetrics.ts";
import { checkId } from "../names.ts";
import { aFunction, aSignal, aWholeNumber, checkOptions, oneOf, refuse } from "../options.ts";
import { Caretaker } from "./caretaker.ts";
import type { Hints } from "./hints.ts";
import { Hold, type HeldLock } from "./hold.ts";
import type { Holder, HolderParts } from "./holder.ts";
import { Leadership, type Lead, type LeadOptions } from "./leadership.ts";
import type { LockParts } from "./lockParts.ts";
import { Place, type Wanted } from "./place.ts";
import { Returns } from "./returns.ts";

export interface LockOptions {
  /** Readers share; a writer is alone. Default write. */
  readonly mode?: "read" | "write";
  /** How long it may be held: then it is given back, and its signal fires. */
  readonly for: Duration;
  /** How long to wait for it. "0s": take it if it is free. Default 30 s. */
  readonly wait?: Duration;
  /** How many may hold it at once: a semaphore. The same for all who ask. Default 1. */
  readonly permits?: number;
}

const permitsMax = 10_000;

export class Locks {
  readonly #parts: LockParts;
  readonly #holds: Set<Hold> = new Set();
  readonly #places: Set<Place> = new Set();
  readonly #leaderships: Set<Leadership> = new Set();
  #isClosed = false;

  constructor(parts: HolderParts & { readonly holder: Holder; readonly hints: Hints }) {
    this.#parts = { ...parts, caretaker: new Caretaker(parts), returns: new Returns(parts) };
  }

  /** Throws `lock-timeout`, `lock-too-many`, `broker-closed`, `option-unknown`, `option-invalid`, `name-invalid`. */
  async lock(name: string, options: LockOptions): Promise<HeldLock> {
    const { mode, forMs, waitMs, permits } = checked(name, options);
    const hold = await this.#take({ name, mode, ...(permits !== undefined && { permits }) }, waitMs);
    hold.expireAfter(forMs);
    return hold;
  }

  /** Throws as {@link lock} does, and what `fn` throws while it leads. */
  async lead(name: string, fn: Lead, options: LeadOptions = {}): Promise<void> {
    checkId(name, "the leadership");
    aFunction(fn, `lead("${name}") fn`);
    checkOptions(options, `lead("${name}")`, { signal: aSignal });
    this.#refuseClosed();
    const leadership = new Leadership(name, { fn, options }, this.#parts, () => this.#placeFor({ name, mode: "write" }, Number.POSITIVE_INFINITY));
    this.#leaderships.add(leadership);
    try {
      await leadership.run();
    } finally {
      this.#leaderships.delete(leadership);
    }
  }

  get load(): Omit<HeldLoad, "heardAt"> {
    const leads = new Map<string, boolean>();
    for (const { name, isLeader } of this.#leaderships) leads.set(name, isLeader || leads.get(name) === true);
    return { locks: { held: this.#holds.size, waiting: this.#places.size }, leads };
  }

  /** Gives all back: holders are signalled, those that wait are refused, leaders are given their time to stop. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const reason = new ErrandError("broker-closed", "the broker that held or waited for this lock was closed");
    const leaving = [...this.#leaderships].map((leadership) => leadership.end(reason, abortGraceMs));
    for (const place of this.#places) place.leave(reason);
    await Promise.all(leaving);
    await Promise.all([...this.#holds].map((hold) => hold.end(reason)));
    this.#parts.returns.close();
    await this.#parts.caretaker.quiet();
  }

  async #take(wanted: Wanted, waitMs: number): Promise<Hold> {
    return this.#placeFor(wanted, waitMs).granted();
  }

  #placeFor(wanted: Wanted, waitMs: number): Waiter {
    this.#refuseClosed();
    if (this.#holds.size + this.#places.size >= locksMax)
      throw new ErrandError("lock-too-many", `this broker holds and waits for ${locksMax} locks already; give some back first`, {
        details: { most: locksMax },
      });
    const place = new Place(this.#parts, wanted, waitMs);
    this.#places.add(place);
    return {
      granted: () => this.#granted(place, wanted.name),
      leave: (error) => place.leave(error),
    };
  }

  async #granted(place: Place, name: string): Promise<Hold> {
    try {
      return await place.granted((granted) => {
        const hold: Hold = new Hold(this.#parts, name, granted, () => this.#holds.delete(hold));
        if (hold.isHeld) this.#holds.add(hold);
        return hold;
      });
    } finally {
      this.#places.delete(place);
    }
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new ErrandError("broker-closed", "this broker was closed; make another one with broker(…)");
  }
}

/** One who waits for a lock. */
export interface Waiter {
  granted(): Promise<Hold>;
  leave(error: unknown): void;
}

function checked(
  name: string,
  options: LockOptions,
): { readonly mode: "read" | "write"; readonly forMs: number; readonly waitMs: number; readonly permits: number | undefined } {
  checkId(name, "the lock");
  const owner = `lock("${name}")`;
  const duration = (value: unknown, path: string): void => void durationMs(value as Duration, path);
  checkOptions(options, owner, { mode: oneOf("read", "write"), for: duration, wait: duration, permits: aWholeNumber(1, permitsMax) });
  const { mode = "write", permits } = options;
  if (options.for === undefined) refuse(`${owner}.for`, undefined, 'how long it may be held, as in { for: "30s" }');
  const forMs = durationMs(options.for, `${owner}.for`);
  if (forMs === 0) refuse(`${owner}.for`, options.for, "more than nothing");
  if (mode === "read" && permits !== undefined) refuse(`${owner}.permits`, permits, "no permits to a reader: readers share");
  return { mode, forMs, waitMs: options.wait === undefined ? lockWaitMs : durationMs(options.wait, `${owner}.wait`), permits };
}
