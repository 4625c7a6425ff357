/** Starts the beat that keeps a process's lease alive: in a thread where the engine has a connection for it, else on the main loop. */
import { Worker } from "node:worker_threads";
import type { Beat, BeatPlan, BeatSource, Timer } from "../core/runtime.ts";
import type { PostedError, ThreadOrder, ThreadReport } from "./beatThread.ts";
import { neighbour } from "./neighbour.ts";
import { Rhythm } from "./rhythm.ts";
import { after } from "./timers.ts";

/** A thread that has not ended so long after it was asked to is ended. */
const stopMaxMs = 5_000;
const bumpsPerBlock = 4;

export function startBeat(plan: BeatPlan): Beat {
  return plan.source === undefined ? loopBeat(plan) : new ThreadBeat(plan, plan.source);
}

function loopBeat(plan: BeatPlan): Beat {
  const { everyMs, leaseMs, beat, heard, failed } = plan;
  return new Rhythm({ everyMs, limitMs: leaseMs, beat, heard, failed }, { after, monotonic: () => performance.now() });
}

class ThreadBeat implements Beat {
  readonly #plan: BeatPlan;
  readonly #progress: Int32Array = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #thread: Worker | undefined;
  readonly #ended: Promise<void>;
  #bump: Timer | undefined;
  /** Beats on the main loop once the thread is lost. */
  #substitute: Beat | undefined;
  #isStopped = false;

  constructor(plan: BeatPlan, source: BeatSource) {
    this.#plan = plan;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    this.#thread = this.#startThread(source);
    this.#thread?.on("message", (report: ThreadReport) => this.#take(report));
    this.#thread?.on("error", (error) => this.#lose(error));
    this.#thread?.once("exit", (code) => {
      resolve();
      this.#lose(new Error(`the thread that keeps the lease ended with code ${code}`));
    });
    this.#thread?.unref(); // last: to listen for messages refs it again
    this.#keepBumping();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#bump?.cancel();
    await this.#substitute?.stop();
    if (this.#thread !== undefined) await this.#stopThread(this.#thread);
  }

  #startThread(source: BeatSource): Worker | undefined {
    const { process, leaseMs, everyMs, maxBlockMs } = this.#plan;
    const order: ThreadOrder = { process, leaseMs, everyMs, maxBlockMs, source, progress: this.#progress.buffer as SharedArrayBuffer };
    try {
      // The flags of the process stay out: a preload of the app has no business in this thread, and would delay its first beat.
      return new Worker(neighbour("beatThread"), { name: "errand beat", workerData: order, execArgv: [] });
    } catch (error) {
      this.#lose(error);
      return undefined;
    }
  }

  #take(report: ThreadReport): void {
    if (this.#isStopped) return;
    if ("heard" in report) this.#plan.heard(report.heard);
    else this.#plan.failed(errorOf(report.failed));
  }

  #lose(error: unknown): void {
    if (this.#isStopped || this.#substitute !== undefined) return;
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#plan.failed(new Error(`no thread keeps the lease any more, the main loop does: ${cause.message}`, { cause }));
    this.#substitute = loopBeat(this.#plan);
  }

  #keepBumping(): void {
    Atomics.add(this.#progress, 0, 1);
    const { everyMs, maxBlockMs } = this.#plan;
    this.#bump = after(Math.min(everyMs, maxBlockMs / bumpsPerBlock), () => this.#keepBumping(), { background: true });
  }

  async #stopThread(thread: Worker): Promise<void> {
    thread.ref(); // or the process could end while this is awaited
    thread.postMessage("stop");
    const patience = after(stopMaxMs, () => void thread.terminate());
    await this.#ended;
    patience.cancel();
  }
}

function errorOf({ name, message, stack, code }: PostedError): Error {
  const error = Object.assign(new Error(message), { name }, code !== undefined && { code });
  if (stack !== undefined) error.stack = stack;
  return error;
}
