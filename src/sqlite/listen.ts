/**
 * Wakes those who wait for work: at once after a commit of this engine, within some 20 ms after one of anybody else.
 *
 * Another connection's commit shows in `PRAGMA data_version`. A look costs 2 µs, but a timer every 18 ms cost an idle worker 1.3 % of a core; so where the
 * platform tells of writes to the WAL, looks are taken only for a while after one. The write is told before its sync, and the commit shows after it:
 * hence several looks.
 */
import { watch, type FSWatcher } from "node:fs";
import type { Unlisten } from "../core/engine.ts";
import type { Ms, Runtime, Timer } from "../core/runtime.ts";

const lookEveryMs: Ms = 18;
const lookSoonMs: Ms = 3;
/** How long after a write its commit is looked for, often at first. A sync that takes longer is found by the looks that are always taken. */
const eagerMs: Ms = 60;
const alertMs: Ms = 1_000;
const lookAnywayMs: Ms = 500;

export class Listeners {
  readonly #wakes = new Set<() => void>();
  readonly #runtime: Runtime;
  readonly #wal: string;
  /** Another number after each commit of another connection; undefined when it cannot be read now. */
  readonly #dataVersion: () => number | undefined;
  #seen: number | undefined;
  #timer: Timer | undefined;
  #watcher: FSWatcher | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #isWaking = false;

  constructor(runtime: Runtime, path: string, dataVersion: () => number | undefined) {
    this.#runtime = runtime;
    this.#wal = `${path}-wal`;
    this.#dataVersion = dataVersion;
  }

  listen(wake: () => void): Unlisten {
    // Wrapped, so that the same function may listen twice.
    const own = (): void => wake();
    this.#wakes.add(own);
    if (this.#timer === undefined) {
      this.#seen = this.#dataVersion();
      this.#watch();
      this.#lookLater();
    }
    return () => {
      this.#wakes.delete(own);
      if (this.#wakes.size === 0) this.stop();
    };
  }

  wake(): void {
    if (this.#isWaking || this.#wakes.size === 0) return;
    this.#isWaking = true;
    this.#runtime.soon(() => {
      this.#isWaking = false;
      for (const wake of this.#wakes) wake();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  /** Only Linux tells of every write to a file promptly; elsewhere, where it cannot be had, and under a virtual clock, a timer looks. */
  #watch(): void {
    if (process.platform !== "linux" || this.#runtime.storeTime !== undefined) return;
    try {
      this.#watcher = watch(this.#wal, { persistent: false }, () => this.#told());
      this.#watcher.once("error", () => this.#unwatch());
    } catch {
      this.#unwatch();
    }
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #told(): void {
    const now = this.#runtime.monotonic();
    const wasQuiet = now - this.#toldAt > eagerMs;
    this.#toldAt = now;
    if (wasQuiet) this.#look();
  }

  #look(): void {
    if (this.#timer === undefined) return;
    const version = this.#dataVersion();
    if (version !== undefined && version !== this.#seen) {
      this.#seen = version;
      this.wake();
    }
    this.#lookLater();
  }

  #lookLater(): void {
    this.#timer?.cancel();
    this.#timer = this.#runtime.after(this.#untilNextMs(), () => this.#look(), { background: true });
  }

  #untilNextMs(): Ms {
    if (this.#watcher === undefined) return lookEveryMs;
    const quietMs = this.#runtime.monotonic() - this.#toldAt;
    if (quietMs < eagerMs) return lookSoonMs;
    return quietMs < alertMs ? lookEveryMs : lookAnywayMs;
  }
}
