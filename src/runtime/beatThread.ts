/** The thread that keeps a process's lease alive while its main loop is blocked, over a connection of its own. */
import { parentPort, workerData } from "node:worker_threads";
import type { BeatConnection, BeatSource, Ms } from "../core/runtime.ts";
import type { Heard } from "../core/engine.ts";
import { Rhythm } from "./rhythm.ts";
import { after } from "./timers.ts";

/** What the main thread hands to the thread. */
export interface ThreadOrder {
  readonly process: string;
  readonly leaseMs: Ms;
  readonly everyMs: Ms;
  readonly maxBlockMs: Ms;
  readonly source: BeatSource;
  /** One Int32, which the main loop changes for as long as it turns. */
  readonly progress: SharedArrayBuffer;
}
/** What the thread posts. */
export type ThreadReport = { readonly heard: Heard } | { readonly failed: PostedError };
/** An error as its parts: a clone of an error loses its class and its code. */
export interface PostedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
}

class BeatThread {
  readonly #order: ThreadOrder;
  readonly #post: (report: ThreadReport) => void;
  readonly #word: Int32Array;
  readonly #rhythm: Rhythm;
  #connection: BeatConnection | undefined;
  #seen = -1;
  #seenAt = 0;

  constructor(order: ThreadOrder, post: (report: ThreadReport) => void) {
    this.#order = order;
    this.#post = post;
    this.#word = new Int32Array(order.progress);
    this.#rhythm = new Rhythm(
      { everyMs: order.everyMs, limitMs: order.leaseMs, beat: () => this.#beat(), heard: (heard) => post({ heard }), failed: (error) => this.#failed(error) },
      { after, monotonic: () => performance.now() },
    );
  }

  async stop(): Promise<void> {
    await this.#rhythm.stop();
    await this.#close();
  }

  async #beat(): Promise<Heard | undefined> {
    if (!this.#isMainLoopAlive()) return undefined;
    this.#connection ??= await this.#open();
    return this.#connection.beat(this.#order.process, this.#order.leaseMs);
  }

  #isMainLoopAlive(): boolean {
    const word = Atomics.load(this.#word, 0);
    const now = performance.now();
    if (word !== this.#seen) [this.#seen, this.#seenAt] = [word, now];
    return now - this.#seenAt < this.#order.maxBlockMs;
  }

  async #open(): Promise<BeatConnection> {
    const { module, data } = this.#order.source;
    const loaded = (await import(module)) as { readonly openBeat?: (data: unknown) => BeatConnection | Promise<BeatConnection> };
    if (typeof loaded.openBeat !== "function") throw new TypeError(`${module} exports no openBeat`);
    return loaded.openBeat(data);
  }

  #failed(error: Error): void {
    const { name, message, stack, code } = error as Error & { readonly code?: unknown };
    this.#post({ failed: { name, message, stack, code: typeof code === "string" ? code : undefined } });
    // The next beat opens a new connection: this one may never answer again. That it may not close either is no second failure.
    this.#close().catch(() => undefined);
  }

  async #close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close();
  }
}

const port = parentPort;
if (port !== null) {
  const thread = new BeatThread(workerData as ThreadOrder, (report) => port.postMessage(report));
  // Closing the port lets the thread end, and what was posted arrive before it does.
  port.once("message", () => void thread.stop().finally(() => port.close()));
}
