/** Unique keys: which live jobs hold one, and which keys outlive their job (G6). */
import type { Uniqueness } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import { Heap } from "./heap.ts";
import { isGathering } from "./gathering.ts";
import type { Job } from "./job.ts";

/** A throttled key that stays taken until `until`, also after its job ended. */
interface Window {
  readonly key: string;
  readonly jobId: string;
  readonly until: Instant;
}

export class Uniques {
  readonly #live = new Map<string, Set<Job>>();
  readonly #windows = new Map<string, Window>();
  readonly #windowsByEnd = new Heap<Window>((a, b) => a.until - b.until);

  /** The live job that `unique` loses to; or the id of the one whose window lasts; or undefined: the key is free. */
  winner(unique: Uniqueness, now: Instant): Job | string | undefined {
    const live = [...(this.#live.get(unique.key) ?? [])];
    if (unique.mode.is === "gather") return live.find(isGathering) ?? this.#windowOf(unique.key, now);
    const waiting = live.find((job) => job.state !== "running");
    if (unique.mode.is === "one-more" && waiting === undefined && live.length > 0) return undefined;
    return waiting ?? live[0] ?? this.#windowOf(unique.key, now);
  }

  isHeld(key: string): boolean {
    return this.#live.has(key);
  }

  hold(job: Job): void {
    if (job.uniqueKey === undefined) return;
    const live = this.#live.get(job.uniqueKey) ?? new Set();
    this.#live.set(job.uniqueKey, live.add(job));
  }

  release(job: Job): void {
    if (job.uniqueKey === undefined) return;
    const live = this.#live.get(job.uniqueKey);
    live?.delete(job);
    if (live?.size === 0) this.#live.delete(job.uniqueKey);
  }

  keepUntil(key: string, jobId: string, until: Instant): void {
    const window = { key, jobId, until };
    this.#windows.set(key, window);
    this.#windowsByEnd.push(window);
  }

  /** Forgets windows that ended. Answers how many. */
  purge(limit: number, now: Instant): number {
    let purged = 0;
    for (let window = this.#windowsByEnd.first(); window && window.until <= now && purged < limit; window = this.#windowsByEnd.first()) {
      this.#windowsByEnd.remove(window);
      if (this.#windows.get(window.key) === window) this.#windows.delete(window.key);
      purged += 1;
    }
    return purged;
  }

  #windowOf(key: string, now: Instant): string | undefined {
    const window = this.#windows.get(key);
    return window && window.until > now ? window.jobId : undefined;
  }
}
