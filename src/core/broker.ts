/** The object an app holds: takes work in, finds it again, starts workers. */
import { answering } from "./again.ts";
import { at } from "./at.ts";
import { changeMax, pageMax, pageSize } from "./defaults.ts";
import { jobsMark, pageMark, readBatch, type BatchPage, type BatchView } from "./compose/batchView.ts";
import { cancelBatch } from "./compose/cancelBatch.ts";
import { Coordination, type ResultOptions } from "./coordination.ts";
import { Definitions, type DefinitionModule } from "./definitions.ts";
import type { Broker, Pausable } from "./brokerFace.ts";
import type { ChangedJob, Engine, Guarantees, JobFilter, JobRow, Maybe, NewWork, Selection, Change, Changed } from "./engine.ts";
import { ErrandError } from "./errors.ts";
import type { HeldLock } from "./lock/hold.ts";
import type { Lead, LeadOptions } from "./lock/leadership.ts";
import type { LockOptions } from "./lock/locks.ts";
import type { Fact } from "./event.ts";
import { Meter } from "./metrics/meter.ts";
import { bounded, type Metric, type MetricsOptions } from "./metrics/metric.ts";
import { processMetrics } from "./metrics/processMetrics.ts";
import { storeMetrics } from "./metrics/storeMetrics.ts";
import { checkName } from "./names.ts";
import { pausedQueue, pausedSchedule, pausedTask, replayKey, subscriptionKey } from "./notes.ts";
import { aString, aWholeNumber, anything, checkOptions, oneOf, refuse } from "./options.ts";
import { editLimit, type Limitable, type NewLimit } from "./limits/edit.ts";
import { pauseValue } from "./pauseNote.ts";
import { Planner } from "./plan.ts";
import { Reconciler } from "./reconcile/reconciler.ts";
import { reconcilePrefix } from "./reconcile/reconcile.ts";
import { Reconciliations, type RebuildOptions, type Rebuilt, type ReconciliationView } from "./reconcile/reconciliations.ts";
import { Experience } from "./recovery/experience.ts";
import { Registration } from "./registration.ts";
import type { Runtime } from "./runtime.ts";
import { Schedules, type ScheduleHandle } from "./schedule/schedules.ts";
import type { ScheduleView } from "./schedule/view.ts";
import { accepted, listOf, type AcceptedFor, type Scope, type SyncScope, type SyncTransaction, type Transaction } from "./scope.ts";
import { Sender } from "./sender.ts";
import { jobStates, type JobState } from "./states.ts";
import type { JobResult } from "./result/results.ts";
import type { Errand } from "./task.ts";
import type { Tried, TryOptions } from "./tryNow/tryNow.ts";
import type { OneOrMany } from "./typing.ts";
import { viewOf, type JobView, type StateCounts } from "./view.ts";
import { Look } from "./why/look.ts";
import { why } from "./why/why.ts";
import { asyncScope, syncScope } from "./within.ts";
import { storedReason } from "./worker/storedError.ts";
import { Worker, type RunningWorker, type WorkerOptions } from "./worker/worker.ts";

export class StoreBroker implements Broker {
  readonly #engine: Engine;
  readonly #runtime: Runtime;
  readonly #definitions: Definitions;
  readonly #planner: Planner;
  readonly #sender: Sender;
  readonly #coordination: Coordination;
  readonly #registration: Registration;
  readonly #schedules: Schedules;
  readonly #reconciliations: Reconciliations;
  readonly #experience: Experience = new Experience();
  readonly #meter: Meter = new Meter();
  #opening: Promise<void> | undefined;
  #hasEngine = false;
  #isOpen = false;
  #isClosed = false;
  #closing: Promise<void> | undefined;
  #worker: Worker | undefined;

  constructor(given: { readonly engine: Engine; readonly runtime: Runtime; readonly definitions: readonly DefinitionModule[] }) {
    this.#engine = given.engine;
    this.#runtime = given.runtime;
    this.#definitions = new Definitions(given.definitions);
    this.#planner = new Planner(this.#definitions, this.#runtime);
    this.#sender = new Sender(this.#engine, this.#runtime);
    const parts = { engine: this.#engine, runtime: this.#runtime, definitions: this.#definitions, planner: this.#planner, meter: this.#meter };
    this.#meter.knows(this.#definitions);
    this.#coordination = new Coordination({ ...parts, sender: this.#sender });
    const reconciler = new Reconciler(parts);
    this.#definitions.reconcileBy((reconciliation, job) => reconciler.run(reconciliation, job));
    this.#registration = new Registration(parts);
    this.#schedules = new Schedules({ ...parts, open: () => this.open() });
    this.#reconciliations = new Reconciliations(parts, () => this.open());
  }

  open(): Promise<void> {
    if (this.#isClosed) return Promise.reject(closed());
    this.#opening ??= this.#openOnce().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async guarantees(): Promise<Guarantees> {
    await this.open();
    return this.#engine.guarantees();
  }

  async enqueue<const E extends OneOrMany<Errand>>(errands: E): Promise<AcceptedFor<E>> {
    const planned = this.#planner.plan(listOf(errands, "enqueue"));
    const plan = planned instanceof Promise ? await planned : planned;
    if (!this.#isOpen) await this.open();
    return answering(this.#sender.sendPlan(plan), (stored) => accepted(errands, stored));
  }

  async publish<const F extends OneOrMany<Fact>>(facts: F): Promise<AcceptedFor<F>> {
    const planned = listOf(facts, "publish").map((fact) => this.#planner.event(fact));
    return answering(this.#send(planned), (stored) => accepted(facts, stored));
  }

  within<T extends Transaction>(tx: T): T extends SyncTransaction ? SyncScope : Scope {
    if (!this.#isOpen) {
      if (this.#isClosed) throw closed();
      throw new ErrandError("broker-not-open", "within(tx) needs an open broker; await work.open() once, before the first transaction");
    }
    const kind = this.#engine.joins(tx);
    const parts = { engine: this.#engine, runtime: this.#runtime, planner: this.#planner };
    return (kind === "sync" ? syncScope(parts, tx) : asyncScope(parts, tx)) as T extends SyncTransaction ? SyncScope : Scope;
  }

  async start(options: WorkerOptions = {}): Promise<RunningWorker> {
    if (this.#worker !== undefined && !this.#worker.isStopped)
      throw new ErrandError("worker-running", "this broker has a worker already; give it more hands with queues, or make another broker");
    const worker = new Worker({
      engine: this.#engine,
      runtime: this.#runtime,
      definitions: this.#definitions,
      planner: this.#planner,
      registration: this.#registration,
      options,
      told: (answers) => this.#coordination.told(answers),
      experience: this.#experience,
      meter: this.#meter,
    });
    this.#worker = worker;
    try {
      await this.open();
      await this.#registration.workerStarts(options);
      await worker.start();
    } catch (error) {
      await worker.stop(); // so that another one may be started
      throw error;
    }
    return worker;
  }

  async lock(name: string, options: LockOptions): Promise<HeldLock> {
    await this.open();
    return this.#coordination.lock(name, options);
  }

  async lead(name: string, fn: Lead, options: LeadOptions = {}): Promise<void> {
    await this.open();
    return this.#coordination.lead(name, fn, options);
  }

  async tryNow(errand: Errand, options: TryOptions): Promise<Tried> {
    await this.open();
    return this.#coordination.tryNow(errand, options);
  }

  async result(id: string, options: ResultOptions = {}): Promise<JobResult> {
    await this.open();
    return this.#coordination.result(id, options);
  }

  async find(id: string): Promise<JobView | undefined> {
    const row = await this.#row(id);
    return row && viewOf(row);
  }

  async list(
    filter: JobFilter = {},
    page: { readonly limit?: number; readonly after?: string; readonly newestFirst?: boolean } = {},
  ): Promise<{ readonly jobs: readonly JobView[]; readonly next: string | undefined }> {
    checkOptions(page, "list", { limit: aWholeNumber(1, pageMax), after: aString, newestFirst: anything });
    checkFilter(filter, "list");
    if (page.after !== undefined && !jobsMark.test(page.after)) refuse("list.after", page.after, "the `next` of a page");
    await this.open();
    const found = await this.#engine.find({ of: "jobs", where: filter, ...page, limit: page.limit ?? pageSize }, at(this.#runtime));
    return { jobs: found.rows.map(viewOf), next: found.next };
  }

  async count(of: { readonly queue?: string; readonly task?: string } = {}): Promise<StateCounts> {
    checkOptions(of, "count", { queue: aString, task: aString });
    await this.open();
    const rows = await this.#engine.count(at(this.#runtime));
    const fitting = rows.filter((row) => (of.queue ?? row.queue) === row.queue && (of.task ?? row.task) === row.task);
    return totals(fitting);
  }

  async counts(): ReturnType<Broker["counts"]> {
    await this.open();
    const rows = await this.#engine.count(at(this.#runtime));
    const paused = new Set((await this.#engine.find({ of: "notes", prefix: "pause/", limit: pageMax }, at(this.#runtime))).rows.map((note) => note.key));
    const lines = Map.groupBy(rows, (row) => `${row.queue}\n${row.task}`);
    return [...lines.values()].map((line) => {
      const [{ queue, task } = { queue: "", task: "" }] = line;
      return { queue, task, isPaused: paused.has(pausedQueue(queue)) || paused.has(pausedTask(task)), states: totals(line) };
    });
  }

  async metrics(options: MetricsOptions = {}): Promise<readonly Metric[]> {
    checkOptions(options, "metrics", { of: oneOf("store", "process") });
    const { of } = options;
    return bounded([...(of === "process" ? [] : await this.#storeMetrics()), ...(of === "store" ? [] : this.#processMetrics())]);
  }

  async batch(id: string, page: BatchPage = {}): Promise<BatchView | undefined> {
    aString(id, "the batch's id");
    checkOptions(page, "batch", { limit: aWholeNumber(1, pageMax), after: aString });
    if (page.after !== undefined && !pageMark.test(page.after)) refuse("batch.after", page.after, "the `next` of a page");
    await this.open();
    return readBatch(this.#engine, at(this.#runtime), id, page.limit ?? pageSize, page.after);
  }

  async cancel(id: string, said: string = "cancelled by the app"): ReturnType<Broker["cancel"]> {
    const reason = storedReason(said);
    const is = await this.#changeOne(id, { do: "cancel", reason });
    if (is === "unknown") return cancelBatch(this.#engine, () => at(this.#runtime), id, reason);
    return is as "cancelled" | "cancelling" | "ended";
  }

  retry(id: string): Promise<ChangedJob["is"]> {
    return this.#changeOne(id, { do: "retry" });
  }

  async change(which: Selection, change: Change, limit: number = changeMax): Promise<Changed> {
    if ("jobs" in which) checkFilter(which.jobs, "change");
    await this.open();
    return this.#engine.change(which, change, Math.min(limit, changeMax), at(this.#runtime));
  }

  async pause(what: Pausable, reason: string = ""): Promise<void> {
    const key = noteOfPause(what);
    await ("schedule" in what ? this.#schedules.pause(what.schedule, reason) : this.#writeNote(key, pauseValue(reason)));
  }

  async resume(what: Pausable): Promise<void> {
    const key = noteOfPause(what);
    await ("schedule" in what ? this.#schedules.resume(what.schedule) : this.#writeNote(key, undefined));
  }

  schedules(): Promise<readonly ScheduleView[]> {
    return this.#schedules.list((name) => !name.startsWith(reconcilePrefix));
  }

  schedule(name: string): ScheduleHandle {
    return this.#schedules.handle(name);
  }

  reconciliations(): Promise<readonly ReconciliationView[]> {
    return this.#reconciliations.list();
  }

  rebuild(options: RebuildOptions = {}): Promise<readonly Rebuilt[]> {
    return this.#reconciliations.rebuild(options);
  }

  async limit(what: Limitable, to: NewLimit): Promise<void> {
    await this.open();
    await editLimit({ engine: this.#engine, runtime: this.#runtime, definitions: this.#definitions }, what, to);
  }

  async why(id: string): Promise<string> {
    aString(id, "the id");
    await this.open();
    const answer = await why(id, new Look({ engine: this.#engine, runtime: this.#runtime, definitions: this.#definitions }));
    if (answer !== undefined) return answer;
    throw new ErrandError("job-unknown", `no job or batch has the id ${id}, or its retention has passed; look at list()`, { details: { id } });
  }

  async unsubscribe(name: string): Promise<boolean> {
    await this.open();
    const note = await this.#engine.readNote(subscriptionKey(name), at(this.#runtime));
    if (note === undefined) return false;
    await this.#writeNote(subscriptionKey(name), undefined);
    await this.#writeNote(replayKey(name), undefined);
    return true;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #openOnce(): Promise<void> {
    // Opened once and closed once: other brokers may share the engine, which counts them.
    if (!this.#hasEngine) await this.#engine.open({ runtime: this.#runtime });
    this.#hasEngine = true;
    await this.#registration.register();
    this.#isOpen = true;
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#worker?.stop(), this.#coordination.close()]);
    await this.#opening?.catch(() => undefined); // told to whoever asked for it
    await this.#sender.idle();
    await this.#registration.idle();
    this.#isOpen = false;
    if (this.#hasEngine) await this.#engine.close();
  }

  async #storeMetrics(): Promise<readonly Metric[]> {
    await this.open();
    const views = { schedules: await this.#schedules.list(() => true), reconciliations: await this.#reconciliations.list() };
    return storeMetrics({ engine: this.#engine, runtime: this.#runtime }, views);
  }

  #processMetrics(): readonly Metric[] {
    const worker = this.#worker?.isStopped === false ? this.#worker.load : undefined;
    return processMetrics({ meter: this.#meter, worker, held: this.#coordination.load });
  }

  async #send(planned: readonly Maybe<NewWork>[]): ReturnType<Sender["send"]> {
    const works = planned.some((work) => work instanceof Promise) ? await settled(planned) : (planned as readonly NewWork[]);
    if (!this.#isOpen) await this.open();
    return this.#sender.send(works);
  }

  async #row(id: string): Promise<JobRow | undefined> {
    aString(id, "the job's id");
    await this.open();
    const page = await this.#engine.find({ of: "jobs", ids: [id] }, at(this.#runtime));
    return page.rows[0];
  }

  async #changeOne(id: string, change: Change): Promise<ChangedJob["is"]> {
    aString(id, "the job's id");
    const { jobs } = await this.change({ ids: [id] }, change, 1);
    return jobs[0]?.is ?? "unknown";
  }

  async #writeNote(key: string, value: string | undefined): Promise<void> {
    await this.open();
    const [answer] = await this.#engine.enqueue([{ works: [], notes: [{ key, value }] }], at(this.#runtime));
    if (answer instanceof ErrandError) throw answer;
  }
}

function settled(planned: readonly Maybe<NewWork>[]): Promise<NewWork[]> {
  return Promise.all(planned.map((work) => Promise.resolve(work)));
}

function closed(): ErrandError {
  return new ErrandError("broker-closed", "this broker was closed; make another one with broker(…)");
}

function noteOfPause(what: Pausable): string {
  const one = '{ queue: "…" }, { task: "…" } or { schedule: "…" }';
  if (typeof what !== "object") refuse("pause", what, one);
  const aName = (value: unknown, path: string): void => void checkName(value, path);
  checkOptions(what, "pause", { queue: aName, task: aName, schedule: aName });
  if (Object.keys(what).length !== 1) refuse("pause", what, `either ${one}`);
  if ("queue" in what) return pausedQueue(what.queue);
  return "task" in what ? pausedTask(what.task) : pausedSchedule(what.schedule);
}

function checkFilter(filter: JobFilter, owner: string): void {
  checkOptions(filter, owner, {
    states: (value, path) => {
      const known: readonly unknown[] = jobStates;
      if (!Array.isArray(value) || !value.every((state) => known.includes(state))) refuse(path, value, `a list of ${jobStates.join(", ")}`);
    },
    queue: aString,
    task: aString,
    lane: aString,
    unique: aString,
  });
}

function totals(rows: readonly { readonly state: JobState; readonly jobs: number }[]): StateCounts {
  const counts = Object.fromEntries(jobStates.map((state) => [state, 0])) as Record<JobState, number>;
  for (const row of rows) counts[row.state] += row.jobs;
  return counts;
}
