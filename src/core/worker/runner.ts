/** Runs jobs, and knows how each of them ends: returned, failed, timed out, cancelled, lost or handed back. */
import { AsyncLocalStorage } from "node:async_hooks";
import { at } from "../at.ts";
import { abortGraceMs } from "../defaults.ts";
import { inWords } from "../duration.ts";
import { EndingSignal } from "../endings.ts";
import { ErrandError } from "../errors.ts";
import type { Saves } from "../long/progress.ts";
import { StoreSaves } from "../long/storeSaves.ts";
import { Yielding } from "../long/yielding.ts";
import { isThenable } from "../maybe.ts";
import { subscriptionKey } from "../notes.ts";
import type { Find } from "./before.ts";
import { Deadlines } from "./deadlines.ts";
import { execute, type ExecuteParts } from "./execute.ts";
import { draftOf, released, withFollow, withProgress } from "./outcome.ts";
import type { Draft, Run } from "./run.ts";
import { RunLog, subject } from "./runLog.ts";
import type { WorkerParts } from "./settings.ts";

export type RunnerParts = Pick<WorkerParts, "runtime" | "definitions" | "planner" | "log"> &
  Partial<Pick<WorkerParts, "engine" | "meter">> & {
    /** Where runs save their progress, if not in the engine. */
    readonly saves?: Saves;
    /** How runs look into the store, if not by the engine. */
    readonly find?: Find;
  };
/** What came of a run; without a draft there is nothing to write. `now` is the monotonic clock's. */
export type Ended = (run: Run, draft: Draft | undefined, now: number) => void;

/** For a runner that only looks whether definitions load. */
const nowhere: Saves = { save: () => Promise.resolve() };
const completed: Draft = { is: "completed" };
const warnedMax = 100;

export class Runner {
  readonly running: Set<Run> = new Set();
  /** Runs that were given up and still go on. */
  overran = 0;
  readonly #parts: RunnerParts;
  readonly #execute: ExecuteParts;
  readonly #log: RunLog;
  readonly #ended: Ended;
  readonly #yielding: Yielding = new Yielding();
  readonly #deadlines: Deadlines;
  readonly #current: AsyncLocalStorage<Run> = new AsyncLocalStorage();
  readonly #warned: Set<string> = new Set();

  constructor(parts: RunnerParts, ended: Ended) {
    this.#parts = parts;
    this.#ended = ended;
    this.#log = new RunLog(parts.log);
    this.#execute = {
      definitions: parts.definitions,
      planner: parts.planner,
      runtime: parts.runtime,
      find: findOf(parts),
      ...(parts.engine && { engine: parts.engine }),
      runLog: this.#log,
      long: { runtime: parts.runtime, yielding: this.#yielding, saves: this.#saves() },
      unknown: (run, what) => this.#warnOnce(run, what),
      isRetired: (subscription) => isRetired(parts, subscription),
    };
    this.#deadlines = new Deadlines(parts.runtime, this.running, (run, now) => this.#due(run, now));
  }

  /** Never throws. `isolated`: what runs it in place of the task's function. */
  start(run: Run, now: number, isolated?: (run: Run, saves: Saves) => Promise<void>): void {
    run.startedAt = now;
    run.dueAt = now + run.timeoutMs;
    this.running.add(run);
    this.#deadlines.watch(run, now);
    let result: unknown;
    try {
      result = isolated === undefined ? this.#current.run(run, begin, run, this.#execute) : isolated(run, this.#execute.long.saves);
    } catch (error) {
      this.#failed(run, error);
      return;
    }
    if (result instanceof Promise)
      result.then(
        () => this.#returned(run),
        (error: unknown) => this.#failed(run, error),
      );
    else this.#returned(run);
  }

  cancel(ids: readonly string[]): void {
    const wanted = new Set(ids);
    for (const run of this.running) {
      const { id } = run.claimed;
      if (wanted.has(id))
        run.abort(new ErrandError("job-cancelled", `job ${id} was cancelled while it ran; stop, what it returns does not count`, { details: { job: id } }));
    }
  }

  /** The store holds nothing of this process any more: all runs are void. */
  loseAll(): void {
    for (const run of this.running) this.lose(run);
  }

  /** The store has another past, in which a job may be another's: one that ends after its signal, or is given up, is handed back uncharged. */
  leaveAll(): void {
    for (const run of this.running) {
      const { id } = run.claimed;
      this.handBack(
        run,
        new ErrandError("lease-lost", `job ${id} may be another's: the store was wiped, rolled back or failed over since it was claimed; stop, it runs again`, {
          details: { job: id },
        }),
      );
    }
  }

  /** The store gave it to another, or ended it. */
  lose(run: Run): void {
    if (run.isLost || run.isOver) return;
    const { id } = run.claimed;
    run.isLost = true;
    run.abort(
      new ErrandError(
        "lease-lost",
        `job ${id} was taken back by the store, which did not hear from this worker for its lease; raise lease if that happens often`,
        {
          details: { job: id },
        },
      ),
    );
    this.#giveGrace(run, this.#parts.runtime.monotonic());
    this.#parts.log.warn(subject(run), "lease-lost: the job was taken back by the store while it ran here; what this run answers does not count");
  }

  /** Loops hand back between two items; all else goes on. */
  askToYield(): void {
    this.#yielding.ask();
  }

  /** As {@link handBackAll}, of one; after the grace it is given up. */
  handBack(run: Run, reason: ErrandError): void {
    if (run.isOver || run.isLost || run.verdict !== undefined) return;
    run.isHandedBack = true;
    run.abort(reason);
    this.#giveGrace(run, this.#parts.runtime.monotonic());
  }

  /** Asks all runs to stop; one that then fails is handed back uncharged. */
  handBackAll(): void {
    for (const run of this.running) {
      run.isHandedBack = true;
      run.abort(
        new ErrandError("worker-stopping", `the worker stops and job ${run.claimed.id} is handed back; it runs again elsewhere`, {
          details: { job: run.claimed.id },
        }),
      );
    }
  }

  /** Waits for no run any longer. */
  giveUpAll(): void {
    const now = this.#parts.runtime.monotonic();
    for (const run of [...this.running]) this.#giveUp(run, now);
    this.#deadlines.stop();
  }

  /** True if the rejection came out of a run of this worker. */
  rejected(reason: unknown): boolean {
    const run = this.#current.getStore();
    if (run === undefined) return false;
    if (run.isOver) this.#parts.log.error({ ...subject(run), err: reason }, "a promise that the job left behind was rejected after the job had ended");
    else this.#condemn(run, reason);
    return true;
  }

  #returned(run: Run): void {
    if (run.isOver) {
      this.overran--;
      return;
    }
    const { verdict } = run;
    if (run.isCommitted && verdict === undefined && !run.isLost) this.#end(run, this.#draftOf(run, commitMissing(run)));
    else if (run.isYielded && verdict === undefined && (run.draft?.is ?? "completed") === "completed") this.#end(run, released);
    else if (verdict !== undefined || run.isLost) this.#end(run, verdict && this.#draftOf(run, verdict.error));
    else this.#end(run, withFollow(run, run.draft ?? completed));
  }

  #failed(run: Run, error: unknown): void {
    if (run.isOver) {
      this.overran--;
      return;
    }
    if ((run.isHandedBack || run.isYielded) && run.verdict === undefined && !(error instanceof EndingSignal)) this.#end(run, released);
    else this.#end(run, this.#draftOf(run, run.verdict === undefined ? error : run.verdict.error));
  }

  #due(run: Run, now: number): void {
    const { id, task } = run.claimed;
    if (run.isInGrace) this.#giveUp(run, now);
    else this.#condemn(run, timedOut(id, task, run.timeoutMs));
  }

  /** It has failed, whatever it still answers; the outcome waits for it a little, so that it does not run twice at once. */
  #condemn(run: Run, error: unknown): void {
    run.verdict ??= { error };
    run.abort(error);
    this.#giveGrace(run, this.#parts.runtime.monotonic());
  }

  #giveGrace(run: Run, now: number): void {
    run.isInGrace = true;
    run.dueAt = Math.min(run.dueAt > now ? run.dueAt : Number.POSITIVE_INFINITY, now + abortGraceMs);
    this.#deadlines.watch(run, now);
  }

  #giveUp(run: Run, now: number): void {
    this.overran++;
    if (this.#parts.meter !== undefined) this.#parts.meter.of(run.claimed.task).overran++;
    this.#parts.log.warn(
      { ...subject(run), ranMs: Math.round(now - run.startedAt) },
      "overran: the run goes on after its signal, and the job went on without it; pass job.signal to what it awaits",
    );
    this.#end(run, run.verdict === undefined ? released : this.#draftOf(run, run.verdict.error));
  }

  #draftOf(run: Run, error: unknown): Draft {
    const draft = draftOf(run, error, this.#parts);
    // One that was told to stop fails for that reason.
    if (!(error instanceof EndingSignal) && !run.isCommitted && (run.verdict !== undefined || !run.isAborted)) run.failure = draft.error?.message ?? "";
    if (run.isCommitted) return draft; // whether it counts is told by the store, and then logged
    if (draft.is === "dead")
      this.#parts.log.warn({ ...subject(run), reason: draft.reason, ...(!(error instanceof EndingSignal) && { err: error }) }, "the job is dead");
    else if (draft.is === "retry") this.#log.failing(run, error, `failing, again in ${inWords(draft.delayMs ?? 0)}`);
    return draft;
  }

  #end(run: Run, draft: Draft | undefined): void {
    run.isOver = true;
    this.running.delete(run);
    if (draft?.is === "skipped" && !run.isCommitted) this.#log.skipping(run, draft.reason);
    else if (draft?.is === "completed") this.#log.say(run, "finishing");
    const now = this.#parts.runtime.monotonic();
    const ending = run.isLost ? undefined : draft && withProgress(run, draft);
    this.#parts.meter?.ran(run, ending, now - run.startedAt);
    this.#ended(run, ending, now);
  }

  #saves(): Saves {
    const { saves, engine, runtime } = this.#parts;
    if (saves !== undefined) return saves;
    return engine === undefined ? nowhere : new StoreSaves(engine, runtime, (run) => this.lose(run));
  }

  #warnOnce(run: Run, what: string): void {
    if (this.#warned.has(what) || this.#warned.size >= warnedMax) return;
    this.#warned.add(what);
    this.#parts.log.warn(subject(run), `${what}: its jobs are put off until a worker that has it takes them`);
  }
}

/** Within the run's own asynchronous context, where a thenable such as a query builder starts its work when awaited. */
/** A child has no engine, and runs no hop that its parent's definitions lack. */
async function isRetired({ engine, runtime }: RunnerParts, subscription: string): Promise<boolean> {
  return engine !== undefined && (await engine.readNote(subscriptionKey(subscription), at(runtime))) === undefined;
}

function findOf({ find, engine, runtime }: RunnerParts): Find {
  if (find !== undefined) return find;
  return async (query) => engine?.find(query, at(runtime)) ?? { rows: [], now: 0 };
}

function begin(run: Run, parts: ExecuteParts): unknown {
  const result = execute(run, parts);
  return isThenable(result) && !(result instanceof Promise) ? Promise.resolve(result) : result;
}

/** Written where the transaction did not commit; where it did, the store answers that the job is no longer this run's. */
function commitMissing(run: Run): ErrandError {
  const { id } = run.claimed;
  return new ErrandError(
    "commit-missing",
    `the run of job ${id} returned, but the transaction that it gave to job.commit has not committed; await its commit, or let its error leave the run`,
    {
      details: { job: id },
    },
  );
}

function timedOut(id: string, task: string, timeoutMs: number): ErrandError {
  return new ErrandError("job-timeout", `job ${id} of ${task} ran longer than ${inWords(timeoutMs)}; pass job.signal on, or raise the task's timeout`, {
    details: { job: id, task, timeoutMs },
  });
}
