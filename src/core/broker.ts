/** The object an app holds: takes work in, finds it again, starts workers. */
import { at } from "./at.ts";
import { changeMax, enqueueCallMax, pageMax, pageSize } from "./defaults.ts";
import { Definitions, type DefinitionModule } from "./definitions.ts";
import type { Broker, Pausable } from "./brokerFace.ts";
import type { ChangedJob, Engine, Guarantees, JobFilter, JobRow, Maybe, NewWork, Selection, Change, Changed } from "./engine.ts";
import { ErrandError } from "./errors.ts";
import { Holder } from "./lock/holder.ts";
import type { HeldLock } from "./lock/hold.ts";
import type { Lead, LeadOptions } from "./lock/leadership.ts";
import { Locks, type LockOptions } from "./lock/locks.ts";
import type { Fact } from "./event.ts";
import { checkName } from "./names.ts";
import { pausedQueue, pausedTask, replayKey, subscriptionKey } from "./notes.ts";
import { aString, aWholeNumber, anything, checkOptions, refuse } from "./options.ts";
import { Planner } from "./plan.ts";
import type { Runtime } from "./runtime.ts";
import { accepted, type AcceptedFor, type Scope, type SyncScope, type SyncTransaction, type Transaction } from "./scope.ts";
import { flattened, Sender } from "./sender.ts";
import { jobStates, type JobState } from "./states.ts";
import { registerSubscriptions } from "./subscriptions.ts";
import type { Errand } from "./task.ts";
import type { OneOrMany } from "./typing.ts";
import { viewOf, type JobView, type StateCounts } from "./view.ts";
import { whyOf } from "./why.ts";
import { Worker, type RunningWorker, type WorkerOptions } from "./worker/worker.ts";

export class StoreBroker implements Broker {
  readonly #engine: Engine;
  readonly #runtime: Runtime;
  readonly #definitions: Definitions;
  readonly #planner: Planner;
  readonly #sender: Sender;
  readonly #holder: Holder;
  readonly #locks: Locks;
  #opening: Promise<void> | undefined;
  #hasEngine = false;
  #isOpen = false;
  #isClosed = false;
  #closing: Promise<void> | undefined;
  #worker: Worker | undefined;

  constructor(parts: { readonly engine: Engine; readonly runtime: Runtime; readonly definitions: readonly DefinitionModule[] }) {
    this.#engine = parts.engine;
    this.#runtime = parts.runtime;
    this.#definitions = new Definitions(parts.definitions);
    this.#planner = new Planner(this.#definitions, this.#runtime);
    this.#sender = new Sender(this.#engine, this.#runtime);
    const held = { engine: this.#engine, runtime: this.#runtime, log: this.#runtime.log };
    this.#holder = new Holder(held);
    this.#locks = new Locks({ ...held, holder: this.#holder });
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
    const planned = listOf(errands, "enqueue").map((errand) => this.#planner.job(errand));
    return accepted(errands, await this.#send(planned));
  }

  async publish<const F extends OneOrMany<Fact>>(facts: F): Promise<AcceptedFor<F>> {
    const planned = listOf(facts, "publish").map((fact) => this.#planner.event(fact));
    return accepted(facts, await this.#send(planned));
  }

  within<T extends Transaction>(tx: T): T extends SyncTransaction ? SyncScope : Scope {
    if (!this.#isOpen) {
      if (this.#isClosed) throw closed();
      throw new ErrandError("broker-not-open", "within(tx) needs an open broker; await work.open() once, before the first transaction");
    }
    const kind = this.#engine.joins(tx);
    return (kind === "sync" ? this.#syncScope(tx) : this.#asyncScope(tx)) as T extends SyncTransaction ? SyncScope : Scope;
  }

  async start(options: WorkerOptions = {}): Promise<RunningWorker> {
    if (this.#worker !== undefined && !this.#worker.isStopped)
      throw new ErrandError("worker-running", "this broker has a worker already; give it more hands with queues, or make another broker");
    const worker = new Worker({ engine: this.#engine, runtime: this.#runtime, definitions: this.#definitions, planner: this.#planner, options });
    this.#worker = worker;
    try {
      await this.open();
      await worker.start();
    } catch (error) {
      await worker.stop(); // so that another one may be started
      throw error;
    }
    return worker;
  }

  async lock(name: string, options: LockOptions): Promise<HeldLock> {
    await this.open();
    return this.#locks.lock(name, options);
  }

  async lead(name: string, fn: Lead, options: LeadOptions = {}): Promise<void> {
    await this.open();
    return this.#locks.lead(name, fn, options);
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
    if (page.after !== undefined && !/^\d+$/.test(page.after)) refuse("list.after", page.after, "the `next` of a page");
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

  async cancel(id: string, reason: string = "cancelled by the app"): ReturnType<Broker["cancel"]> {
    return (await this.#changeOne(id, { do: "cancel", reason })) as "cancelled" | "cancelling" | "ended" | "unknown";
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
    await this.#writeNote(noteOfPause(what), JSON.stringify({ reason }));
  }

  async resume(what: Pausable): Promise<void> {
    await this.#writeNote(noteOfPause(what), undefined);
  }

  async why(id: string): Promise<string> {
    const row = await this.#row(id);
    if (row === undefined) throw new ErrandError("job-unknown", `no job has the id ${id}, or its retention has passed; look at list()`, { details: { id } });
    const { rows: processes, now } = await this.#engine.find({ of: "processes", limit: pageMax }, at(this.#runtime));
    return whyOf(row, { now, processes, paused: await this.#pauses(row), ahead: await this.#aheadOf(row) });
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
    await registerSubscriptions(this.#engine, this.#definitions, this.#runtime);
    this.#isOpen = true;
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#worker?.stop(), this.#locks.close()]);
    await this.#opening?.catch(() => undefined); // told to whoever asked for it
    await this.#sender.idle();
    await this.#holder.close();
    this.#isOpen = false;
    if (this.#hasEngine) await this.#engine.close();
  }

  async #send(planned: readonly Maybe<NewWork>[]): ReturnType<Sender["send"]> {
    const works = planned.some((work) => work instanceof Promise) ? await settled(planned) : (planned as readonly NewWork[]);
    if (!this.#isOpen) await this.open();
    return this.#sender.send(works);
  }

  /** One atom: in a caller's transaction a call is stored whole or not at all, so it holds at most 500 items. */
  #syncScope(tx: unknown): SyncScope {
    const store = (works: readonly NewWork[]): ReturnType<typeof flattened> => {
      const stored = this.#engine.enqueue([{ works }], { ...at(this.#runtime), tx });
      if (stored instanceof Promise)
        throw new ErrandError("tx-unsupported", "this engine cannot store inside a synchronous transaction; use its own kind of transaction");
      return flattened(stored, () => Promise.reject(new ErrandError("tx-not-open", "the transaction is over; begin another one and call again")));
    };
    return {
      enqueue: (errands) => accepted(errands, store(listOf(errands, "enqueue").map((errand) => this.#planner.jobNow(errand)))),
      publish: (facts) => accepted(facts, store(listOf(facts, "publish").map((fact) => this.#planner.eventNow(fact)))),
    };
  }

  #asyncScope(tx: unknown): Scope {
    const store = async (planned: readonly Maybe<NewWork>[]): Promise<ReturnType<typeof flattened>> => {
      const works = await settled(planned);
      return flattened(await this.#engine.enqueue([{ works }], { ...at(this.#runtime), tx }), () => store(works));
    };
    return {
      enqueue: async (errands) => accepted(errands, await store(listOf(errands, "enqueue").map((errand) => this.#planner.job(errand)))),
      publish: async (facts) => accepted(facts, await store(listOf(facts, "publish").map((fact) => this.#planner.event(fact)))),
    };
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

  /** The job that one of a lane waits for. */
  async #aheadOf({ state, lane }: JobRow): Promise<JobRow | undefined> {
    if (lane === undefined || (state !== "blocked" && state !== "parked")) return undefined;
    const states: readonly JobState[] = state === "parked" ? ["parked"] : ["running", "ready", "scheduled", "parked"];
    const { rows } = await this.#engine.find({ of: "jobs", where: { lane, states }, limit: pageSize }, at(this.#runtime));
    return state === "parked" ? rows.find((row) => row.reason !== undefined) : rows[0];
  }

  async #pauses(row: JobRow): Promise<string[]> {
    const pauses: string[] = [];
    for (const [what, key] of [
      [`queue ${row.queue}`, pausedQueue(row.queue)],
      [`task ${row.task}`, pausedTask(row.task)],
    ] as const) {
      const note = await this.#engine.readNote(key, at(this.#runtime));
      if (note === undefined) continue;
      const { reason } = JSON.parse(note.value) as { readonly reason?: string };
      pauses.push(`${what} is paused${reason ? ` (${reason})` : ""}`);
    }
    return pauses;
  }
}

function settled(planned: readonly Maybe<NewWork>[]): Promise<NewWork[]> {
  return Promise.all(planned.map((work) => Promise.resolve(work)));
}

function closed(): ErrandError {
  return new ErrandError("broker-closed", "this broker was closed; make another one with broker(…)");
}

function listOf<T>(given: OneOrMany<T>, verb: string): readonly T[] {
  const list = Array.isArray(given) ? (given as readonly T[]) : [given as T];
  if (list.length <= enqueueCallMax) return list;
  throw new ErrandError("enqueue-too-many", `${verb} was given ${list.length} items, of ${enqueueCallMax} allowed; call it several times`, {
    details: { items: list.length },
  });
}

function noteOfPause(what: Pausable): string {
  if (typeof what !== "object") refuse("pause", what, '{ queue: "…" } or { task: "…" }');
  checkOptions(what, "pause", { queue: (value, path) => void checkName(value, path), task: (value, path) => void checkName(value, path) });
  if ("queue" in what && "task" in what) refuse("pause", what, 'either { queue: "…" } or { task: "…" }');
  if ("queue" in what) return pausedQueue(what.queue);
  return "task" in what ? pausedTask(what.task) : refuse("pause", what, '{ queue: "…" } or { task: "…" }');
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
