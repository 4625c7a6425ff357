/**
 * Jobs that were twice in flight when a worker died (G13). Each runs where its death harms no other: in a child process of its own where there can be one,
 * else in this worker with nothing beside it.
 */
import { at } from "../at.ts";
import { abortGraceMs, pollIdleMs } from "../defaults.ts";
import { answerSave } from "../long/parentSaves.ts";
import type { Saves } from "../long/progress.ts";
import type { ChildEnd } from "../runtime.ts";
import type { ChildArgument, ChildMessage, FindQuestion } from "./child.ts";
import { released } from "./outcome.ts";
import type { Run } from "./run.ts";
import { subject } from "./runLog.ts";
import type { WorkerParts } from "./settings.ts";
import { storedReason } from "./storedError.ts";

/** The child times its own run; the parent's patience ends a little later. */
const patienceMs = abortGraceMs + 2_000;
const loadMaxMs = 30_000;
/** A worker that died may leave dozens of innocents to clear, each a child's start and a run long. */
const childrenMax = 4;
/** How a system that is out of memory ends a process, which need not be the one that ate it. */
const byTheSystem = "SIGKILL";

export class Alone {
  readonly #parts: WorkerParts;
  /** A suspect waits, as far as the store said. */
  #isWaiting = false;
  #busy = 0;
  readonly #children: Set<Promise<ChildEnd>> = new Set();
  /** Runs that wait for all children to end, so as to run once more with none beside them; one after the other. */
  #retrials = 0;
  #lastRetrial: Promise<unknown> = Promise.resolve();
  #notBefore = 0;
  #isTrying = false;
  #tried: () => void = () => undefined;
  /** Jobs that commit in their app's transaction, which a child cannot. */
  readonly #ofWorker: Set<string> = new Set();
  #inWorker: Run | undefined;
  /** Whether a child could load the definitions; unknown until the first suspect. */
  #hasChild: boolean | undefined;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    if (parts.settings.isolate === undefined || parts.runtime.spawn === undefined) this.#hasChild = false;
  }

  get isBusy(): boolean {
    return this.#busy > 0;
  }

  /** Nothing else may be claimed: this worker itself is where the suspect will run. */
  get needsWorker(): boolean {
    return !this.#mayIsolate && this.#hasChild !== undefined && (this.isBusy || this.#isDue());
  }

  heard(hasSuspects: boolean): void {
    this.#isWaiting = hasSuspects;
    if (!hasSuspects || this.#hasChild !== undefined || this.#isTrying) return;
    this.#isTrying = true;
    void this.#tryChild();
  }

  /** Time to claim one. `inFlight`: jobs that run or are held here. */
  isReady(inFlight: number): boolean {
    if (!this.#isDue() || this.#hasChild === undefined) return false;
    return this.#mayIsolate ? this.#busy < childrenMax && this.#retrials === 0 : inFlight === 0;
  }

  /** `fn` is called when it is known whether a child can be had. */
  onTried(fn: () => void): void {
    this.#tried = fn;
  }

  began(): void {
    this.#busy++;
  }

  ended(run: Run): void {
    this.#busy--;
    if (this.#inWorker === run) {
      this.#inWorker = undefined;
      this.#ofWorker.delete(run.claimed.id);
    }
    this.#isWaiting = true; // there may be another: the next claim tells
  }

  /** None was to be had; not at once again. */
  missed(): void {
    this.#ofWorker.clear(); // another worker has it
    this.#notBefore = this.#parts.runtime.monotonic() + pollIdleMs;
  }

  /** How to run it: undefined is in this worker. */
  isolated(run: Run): ((run: Run, saves: Saves) => Promise<void>) | undefined {
    if (this.#hasChild === true && !this.#ofWorker.has(run.claimed.id)) return (isolated, saves) => this.#runInChild(isolated, saves);
    this.#inWorker = run;
    return undefined;
  }

  /** What a child needs beyond the task's own timeout. */
  prolong(run: Run): void {
    if (this.#hasChild === true) run.timeoutMs += patienceMs;
  }

  async #runInChild(run: Run, saves: Saves): Promise<void> {
    const { id: job } = run.claimed;
    this.#parts.log.warn(subject(run), "a suspect of killing its worker runs alone in a child process");
    let end: ChildEnd;
    try {
      end = await this.#childOf(run, saves);
    } catch (error) {
      this.missed();
      this.#parts.log.error({ job, err: error }, "no child process could be had; the job is handed back");
      run.draft = released;
      return;
    }
    if (end.is === "answered") this.#take(run, end.message);
    else if (run.isAborted) run.signal.throwIfAborted();
    else run.draft = { is: "dead", isPoison: true, reason: storedReason(`it killed its process when run alone (${howItDied(end)})`) };
  }

  /** A death that the system may have dealt to the wrong one of several proves nothing: once more, with no other child. */
  async #childOf(run: Run, saves: Saves): Promise<ChildEnd> {
    const beside = this.#children.size;
    const end = await this.#child(run, saves);
    const isProof = end.is === "answered" || end.signal !== byTheSystem || run.isAborted;
    return isProof || beside + this.#children.size === 0 ? end : this.#retry(run, saves);
  }

  #child(run: Run, saves: Saves): Promise<ChildEnd> {
    const { claimed, fence, savedInChild } = run;
    const job = savedInChild === undefined ? claimed : { ...claimed, checkpoint: savedInChild };
    const child = this.#spawn({ job, fence }, run.signal, (question) => this.#answer(question, run, saves)).finally(() => this.#children.delete(child));
    this.#children.add(child);
    return child;
  }

  async #retry(run: Run, saves: Saves): Promise<ChildEnd> {
    this.#retrials++;
    const retrial = this.#lastRetrial.then(async () => {
      while (this.#children.size > 0) await Promise.allSettled(this.#children);
      run.dueAt = this.#parts.runtime.monotonic() + run.timeoutMs;
      return this.#child(run, saves);
    });
    this.#lastRetrial = retrial.catch(() => undefined); // told to whoever awaits this one
    try {
      return await retrial;
    } finally {
      this.#retrials--;
    }
  }

  #take(run: Run, message: unknown): void {
    const answer = message as ChildMessage;
    if (answer?.is === "needs worker") {
      this.#ofWorker.add(run.claimed.id);
      run.draft = released;
      return;
    }
    if (answer?.is !== "ended") throw new TypeError("the child process answered something else than an outcome");
    run.draft = answer.draft;
  }

  async #answer(question: unknown, run: Run, saves: Saves): Promise<unknown> {
    const { is, query } = question as FindQuestion;
    return is === "find" ? this.#parts.engine.find(query, at(this.#parts.runtime)) : answerSave(question, run, saves);
  }

  get #mayIsolate(): boolean {
    return this.#hasChild === true && this.#ofWorker.size === 0;
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
      log.error(
        { err: error, isolate: settings.isolate },
        "a child process could not load the definitions, so suspects run alone in the worker; let isolate name a module that only defines",
      );
      this.#hasChild = false;
    }
    timer.cancel();
    this.#tried();
  }

  #spawn(order: Omit<ChildArgument, "definitions">, signal: AbortSignal, asked?: (question: unknown) => Promise<unknown>): Promise<ChildEnd> {
    const { runtime, settings } = this.#parts;
    if (runtime.spawn === undefined || settings.isolate === undefined) return Promise.reject(new Error("no child process is possible here"));
    const argument: ChildArgument = { definitions: settings.isolate, ...order };
    return runtime.spawn({ module: childModule(), argument: JSON.stringify(argument), signal, ...(asked && { asked }) });
  }
}

/** `.ts` where the sources run, `.js` where the build does. */
function childModule(): string {
  return new URL(import.meta.url.endsWith(".ts") ? "./child.ts" : "./child.js", import.meta.url).href;
}

function howItDied({ code, signal }: Extract<ChildEnd, { readonly is: "died" }>): string {
  return signal === null ? `exit code ${code}` : signal;
}
