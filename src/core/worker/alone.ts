/**
 * Jobs that were twice in flight when a worker died (G13). One at a time runs where its death harms no other: in a child process where there can be one,
 * else in this worker with nothing beside it.
 */
import { abortGraceMs, pollIdleMs } from "../defaults.ts";
import type { ChildEnd } from "../runtime.ts";
import type { ChildArgument, ChildMessage } from "./child.ts";
import type { Run } from "./run.ts";
import { subject } from "./runLog.ts";
import type { WorkerParts } from "./settings.ts";
import { storedReason } from "./storedError.ts";

/** The child times its own run; the parent's patience ends a little later. */
const patienceMs = abortGraceMs + 2_000;
const loadMaxMs = 30_000;

export class Alone {
  readonly #parts: WorkerParts;
  /** A suspect waits, as far as the store said. */
  #isWaiting = false;
  #isBusy = false;
  #notBefore = 0;
  #isTrying = false;
  #tried: () => void = () => undefined;
  /** Whether a child could load the definitions; unknown until the first suspect. */
  #hasChild: boolean | undefined;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    if (parts.settings.isolate === undefined || parts.runtime.spawn === undefined) this.#hasChild = false;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Nothing else may be claimed: this worker itself is where the suspect will run. */
  get needsWorker(): boolean {
    return this.#hasChild === false && (this.#isBusy || this.#isDue());
  }

  heard(hasSuspects: boolean): void {
    this.#isWaiting = hasSuspects;
    if (!hasSuspects || this.#hasChild !== undefined || this.#isTrying) return;
    this.#isTrying = true;
    void this.#tryChild();
  }

  /** Time to claim one. `inFlight`: jobs that run or are held here. */
  isReady(inFlight: number): boolean {
    if (this.#isBusy || !this.#isDue() || this.#hasChild === undefined) return false;
    return this.#hasChild || inFlight === 0;
  }

  /** `fn` is called when it is known whether a child can be had. */
  onTried(fn: () => void): void {
    this.#tried = fn;
  }

  began(): void {
    this.#isBusy = true;
  }

  ended(): void {
    this.#isBusy = false;
    this.#isWaiting = true; // there may be another: the next claim tells
  }

  /** None was to be had; not at once again. */
  missed(): void {
    this.#notBefore = this.#parts.runtime.monotonic() + pollIdleMs;
  }

  /** How to run it: undefined is in this worker. */
  get isolated(): ((run: Run) => Promise<void>) | undefined {
    return this.#hasChild === true ? (run) => this.#runInChild(run) : undefined;
  }

  /** What a child needs beyond the task's own timeout. */
  prolong(run: Run): void {
    if (this.#hasChild === true) run.timeoutMs += patienceMs;
  }

  async #runInChild(run: Run): Promise<void> {
    const { id: job } = run.claimed;
    this.#parts.log.warn(subject(run), "a suspect of killing its worker runs alone in a child process");
    let end: ChildEnd;
    try {
      end = await this.#spawn({ job: run.claimed, fence: run.fence }, run.signal);
    } catch (error) {
      this.missed();
      this.#parts.log.error({ job, err: error }, "no child process could be had; the job is handed back");
      run.draft = { is: "released" };
      return;
    }
    if (end.is === "answered") this.#take(run, end.message);
    else if (run.isAborted) run.signal.throwIfAborted();
    else run.draft = { is: "dead", isPoison: true, reason: storedReason(`it killed its process when run alone (${howItDied(end)})`) };
  }

  #take(run: Run, message: unknown): void {
    const answer = message as ChildMessage;
    if (answer?.is !== "ended") throw new TypeError("the child process answered something else than an outcome");
    run.draft = answer.draft;
  }

  #isDue(): boolean {
    return this.#isWaiting && this.#parts.runtime.monotonic() >= this.#notBefore;
  }

  /** A module that ends its process must not be taken for a job that does. */
  async #tryChild(): Promise<void> {
    const { runtime, settings, log } = this.#parts;
    const limit = new AbortController();
    const timer = runtime.after(loadMaxMs, () => limit.abort());
    try {
      const end = await this.#spawn({}, limit.signal);
      if (end.is === "died") throw new Error(`it ended while it loaded (${howItDied(end)})`);
      this.#hasChild = true;
    } catch (error) {
      log.error({ err: error, isolate: settings.isolate }, "a child process could not load the definitions, so suspects run alone in the worker; let isolate name a module that only defines");
      this.#hasChild = false;
    }
    timer.cancel();
    this.#tried();
  }

  #spawn(order: Omit<ChildArgument, "definitions">, signal: AbortSignal): Promise<ChildEnd> {
    const { runtime, settings } = this.#parts;
    if (runtime.spawn === undefined || settings.isolate === undefined) return Promise.reject(new Error("no child process is possible here"));
    const argument: ChildArgument = { definitions: settings.isolate, ...order };
    return runtime.spawn({ module: childModule(), argument: JSON.stringify(argument), signal });
  }
}

/** `.ts` where the sources run, `.js` where the build does. */
function childModule(): string {
  return new URL(import.meta.url.endsWith(".ts") ? "./child.ts" : "./child.js", import.meta.url).href;
}

function howItDied({ code, signal }: Extract<ChildEnd, { readonly is: "died" }>): string {
  return signal === null ? `exit code ${code}` : signal;
}
