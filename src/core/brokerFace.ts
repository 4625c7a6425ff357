/** The broker as an app sees it: what can be asked of it, and nothing of how it does it. */
import type { BatchPage, BatchView } from "./compose/batchView.ts";
import type { Change, Changed, ChangedJob, Guarantees, JobFilter, Selection } from "./engine.ts";
import type { ResultOptions } from "./coordination.ts";
import type { HeldLock } from "./lock/hold.ts";
import type { Lead, LeadOptions } from "./lock/leadership.ts";
import type { JobResult } from "./result/results.ts";
import type { Tried, TryOptions } from "./tryNow/tryNow.ts";
import type { Errand } from "./task.ts";
import type { LockOptions } from "./lock/locks.ts";
import type { Limitable, NewLimit } from "./limits/edit.ts";
import type { Metric, MetricsOptions } from "./metrics/metric.ts";
import type { RebuildOptions, Rebuilt, ReconciliationView } from "./reconcile/reconciliations.ts";
import type { ScheduleHandle } from "./schedule/schedules.ts";
import type { ScheduleView } from "./schedule/view.ts";
import type { Scope, SyncScope, SyncTransaction, Transaction } from "./scope.ts";
import type { JobView, StateCounts } from "./view.ts";
import type { RunningWorker, WorkerOptions } from "./worker/worker.ts";

/** A queue, a task in all its queues, or a schedule. */
export type Pausable = { readonly queue: string } | { readonly task: string } | { readonly schedule: string };

export interface Broker extends Scope, AsyncDisposable {
  /** Opens the store and registers subscriptions. Every method does so when first needed; call it before a synchronous `within`. */
  open(): Promise<void>;
  /** What holds on this engine, and what is weaker than worded. */
  guarantees(): Promise<Guarantees>;
  /** The same verbs inside your own transaction: stored when it commits, gone when it rolls back. */
  within<T extends Transaction>(tx: T): T extends SyncTransaction ? SyncScope : Scope;
  /** Starts this process's worker. */
  start(options?: WorkerOptions): Promise<RunningWorker>;
  /**
   * Takes a lock that all processes on this store share, and waits for its turn. It is renewed by the heartbeat for as long as it is held.
   *
   *     await using lock = await work.lock("catalogue", { for: "30s" });
   *     await rebuild({ fence: lock.fence, signal: lock.signal });
   *
   * Throws `lock-timeout`, `lock-too-many`, `broker-closed`, `option-invalid`, `name-invalid`, and the store's errors.
   */
  lock(name: string, options: LockOptions): Promise<HeldLock>;
  /**
   * Runs `fn` in one process at a time of all that call this: whenever this one is elected, again after a loss. Resolves when `fn` has returned as leader,
   * or when `signal` or `close` ended it; rejects with what `fn` throws as leader. An `fn` that goes on after its signal keeps the next term here waiting.
   */
  lead(name: string, fn: Lead, options?: LeadOptions): Promise<void>;
  /**
   * Stores the job, and runs it at once, here, by the rules of a worker. If it fails, takes longer than `timeout`, or may not start now, it is left to a worker,
   * and the answer says so.
   *
   *     const { state } = await work.tryNow(saveLike.with({ postId }), { timeout: "50ms" });
   *
   * Throws as `enqueue` does. The run's own errors are not thrown: they are the job's.
   */
  tryNow(errand: Errand, options: TryOptions): Promise<Tried>;
  /**
   * Waits until that job has ended, whoever enqueued it and wherever it runs, and answers how. Throws `result-timeout` (it goes on), `job-unknown` (also of a
   * batch: see {@link batch}), `result-too-many`, `broker-closed`.
   */
  result(id: string, options?: ResultOptions): Promise<JobResult>;
  /** The job of that id, or undefined. */
  find(id: string): Promise<JobView | undefined>;
  /** A page of jobs in the order of enqueue; `after` is a page's `next`. Default 50, at most 1,000. */
  list(
    filter?: JobFilter,
    page?: { readonly limit?: number; readonly after?: string; readonly newestFirst?: boolean },
  ): Promise<{ readonly jobs: readonly JobView[]; readonly next: string | undefined }>;
  /** Jobs in each state, of everything or of one queue or task. Costs the same with ten jobs as with a million. */
  count(of?: { readonly queue?: string; readonly task?: string }): Promise<StateCounts>;
  /** The counts of every queue and task. */
  counts(): Promise<readonly { readonly queue: string; readonly task: string; readonly isPaused: boolean; readonly states: StateCounts }[]>;
  /**
   * What a monitoring system wants to know: of the store, and of this process. {@link prometheusText} prints it; with `{ of: "process" }` the store is not asked.
   * Of the store all processes tell the same.
   *
   *     response.end(prometheusText(await work.metrics()));
   *
   * Throws `option-invalid`, `option-unknown`, `broker-closed`, and the store's errors.
   */
  metrics(options?: MetricsOptions): Promise<readonly Metric[]>;
  /** How far the batch or chain of that id is, and a page of its members; or undefined. */
  batch(id: string, page?: BatchPage): Promise<BatchView | undefined>;
  /** Of a job, a batch or a chain. cancelled: no run starts any more. cancelling: it runs; its signal fires within a heartbeat, and it never ends completed. */
  cancel(id: string, reason?: string): Promise<"cancelled" | "cancelling" | "ended" | "unknown">;
  /** A dead job lives again; a parked one opens its key, in order; a delayed one is due now. */
  retry(id: string): Promise<ChangedJob["is"]>;
  /** Changes a page of jobs by filter; an answer per job. Call again while `hasMore`. */
  change(which: Selection, change: Change, limit?: number): Promise<Changed>;
  /** No job of it starts, in any process, until `resume`; a schedule enqueues none. Running jobs go on. Throws `schedule-unknown`. */
  pause(what: Pausable, reason?: string): Promise<void>;
  /** Slots that a schedule had while it was paused are not made up for. Throws `schedule-unknown`. */
  resume(what: Pausable): Promise<void>;
  /** All schedules of the store, by name, whichever broker defined them: at most 20,000. */
  schedules(): Promise<readonly ScheduleView[]>;
  /**
   * One schedule, to look ahead and to change it.
   *
   *     await work.schedule("prune").next(10);
   *     await work.schedule("prune").edit({ rhythm: "day at 04:00" });
   *
   * Throws `name-invalid`.
   */
  schedule(name: string): ScheduleHandle;
  /** All reconciliations of the store, and what their last run found. */
  reconciliations(): Promise<readonly ReconciliationView[]>;
  /**
   * Runs all reconciliations now, or the one that is named, in whichever worker has them, and resolves when they have ended.
   * Throws `reconciliation-unknown`, `option-unknown`, `option-invalid`; rejects with the reason of its `signal`.
   */
  rebuild(options?: RebuildOptions): Promise<readonly Rebuilt[]>;
  /**
   * Changes a limit of a task, or how much there is of a resource, for all processes and at once; it stands until it is "as-defined" again, also through
   * restarts and deploys. A limit of a kind that the task's definition lacks is added, and heard within a heartbeat.
   * A task must be defined here, or be known to the store by a job or a limit; a resource must be defined or needed here, or be known to the store.
   *
   *     await work.limit({ task: "send-mail" }, { starts: 20, every: "1s" });
   *     await work.limit({ resource: "gpu" }, { capacity: 1 });
   *     await work.limit({ task: "send-mail" }, "as-defined");
   *
   * Throws `option-invalid`, `option-unknown`, `name-invalid`, `task-unknown`, `resource-unknown`.
   */
  limit(what: Limitable, to: NewLimit): Promise<void>;
  /** In a sentence: what this job or batch waits for, since when, and when it is expected to run; or how it runs or ended. Throws `job-unknown`. */
  why(id: string): Promise<string>;
  /** Retires a subscription: later events make no job for it. False: there was none. */
  unsubscribe(name: string): Promise<boolean>;
  /** Stops the worker, stores what was handed in, and closes the store. Again: the same promise. */
  close(): Promise<void>;
}
