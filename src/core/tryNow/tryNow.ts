/**
 * Tries a job at once, here: it is stored first, born in this process's hands, and run by the rules of a worker. What fails, is slow, or may not start now is a
 * worker's; the caller is told which.
 */
import { at } from "../at.ts";
import { abortGraceMs, leaseMs, tryNowMax } from "../defaults.ts";
import { durationMs, inWords, type Duration } from "../duration.ts";
import type { ClaimedJob, Enqueued, NewJob } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import { Gatekeeper } from "../limits/gatekeeper.ts";
import type { Holder, Tenant } from "../lock/holder.ts";
import { checkOptions, refuse } from "../options.ts";
import type { Ms } from "../runtime.ts";
import type { Accepted } from "../scope.ts";
import type { Sender } from "../sender.ts";
import type { Errand } from "../task.ts";
import { Run, type Draft } from "../worker/run.ts";
import { Runner } from "../worker/runner.ts";
import { settingsOf, type WorkerParts } from "../worker/settings.ts";
import { Outbox, type Written } from "./outbox.ts";
import { Strays } from "./strays.ts";

export interface TryOptions {
  /** How long it may run here before it is left to a worker; storing it comes before that. */
  readonly timeout: Duration;
}

export interface Tried extends Accepted {
  /** later: a worker goes on with it, or has it already. */
  readonly state: "completed" | "skipped" | "cancelled" | "dead" | "later";
  /** Why it was skipped, is dead, or is done later. */
  readonly reason: string | undefined;
}

type Ended = Pick<Tried, "state" | "reason">;

export interface TryParts extends Omit<WorkerParts, "settings"> {
  readonly sender: Sender;
  readonly holder: Holder;
}

/** How long a closing broker waits for what it tries: as a stopping worker does for runs that were told to stop. */
const closeGraceMs: Ms = Math.min(abortGraceMs, 2_000);

export class TryNow implements Tenant {
  readonly #parts: TryParts;
  readonly #keeper: Gatekeeper;
  readonly #runner: Runner;
  readonly #outbox: Outbox;
  readonly #strays: Strays;
  readonly #ends: Map<Run, (ended: Ended) => void> = new Map();
  readonly #unhandled: (() => void) | undefined;
  /** Tries that are not over, those included whose caller was answered. */
  #trying = 0;
  #leaveHolder: (() => void) | undefined;
  #isClosed = false;
  readonly #idle: Set<() => void> = new Set();

  constructor(parts: TryParts) {
    this.#parts = parts;
    const worker: WorkerParts = { ...parts, settings: settingsOf({ signals: false }, parts.definitions) };
    this.#keeper = new Gatekeeper(worker, { process: () => parts.holder.process, changed: () => undefined, runs: () => this.#runner.running });
    this.#runner = new Runner(worker, (run, draft, now) => void this.#ended(run, draft, now));
    this.#outbox = new Outbox(parts);
    this.#strays = new Strays(parts, leaseMs);
    this.#unhandled = parts.runtime.onUnhandledRejection?.((reason) => this.#runner.rejected(reason));
  }

  /** Throws as `enqueue` does, and `broker-closed`. */
  async try(errand: Errand, options: TryOptions): Promise<Tried> {
    checkOptions(options, "tryNow", { timeout: (value, path) => void durationMs(value as Duration, path) });
    if (options.timeout === undefined) refuse("tryNow.timeout", undefined, 'how long it may run here, as in { timeout: "50ms" }');
    const job = await this.#parts.planner.job(errand);
    return this.#try(job, durationMs(options.timeout, "tryNow.timeout"));
  }

  cancelled(ids: readonly string[]): void {
    this.#runner.cancel(ids);
  }

  lost(): void {
    this.#runner.loseAll();
  }

  notesChanged(): void {
    this.#keeper.notesChanged();
  }

  heard(): void {
    this.#keeper.heard();
  }

  /** Hands back what still runs, and writes what became of the rest. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#runner.handBackAll();
    await this.#idleWithin(closeGraceMs);
    this.#runner.giveUpAll();
    await this.#idleWithin(leaseMs);
    this.#outbox.close();
    for (const answer of this.#ends.values()) answer({ state: "later", reason: "its broker was closed before the store had answered" });
    this.#strays.close();
    this.#keeper.end();
    this.#unhandled?.();
  }

  async #try(job: NewJob, timeoutMs: Ms): Promise<Tried> {
    if (this.#isClosed) throw new ErrandError("broker-closed", "this broker was closed; make another one with broker(…)");
    this.#begin();
    try {
      const refusal = await this.#refusal(job);
      const claim = this.#parts.runtime.id();
      const stored = await this.#store(job, refusal === undefined ? claim : undefined, timeoutMs);
      const accepted = { id: stored.id, isDuplicate: stored.isDuplicate };
      if (stored.leased === undefined) return { ...accepted, state: "later", reason: refusal ?? notLeased(stored) };
      const run = this.#runOf(job, claim, stored.leased);
      return { ...accepted, ...(await this.#runWithin(run, stored.leased.now, timeoutMs)) };
    } finally {
      this.#over();
    }
  }

  /** Why it is not tried here; undefined: it may be. */
  async #refusal(job: NewJob): Promise<string | undefined> {
    if (this.#ends.size >= tryNowMax) return `this process tries ${tryNowMax} jobs already`;
    try {
      if (this.#keeper.isStale) await this.#keeper.read();
    } catch {
      return "its limits could not be read"; // whether it can be stored is for the store to say
    }
    return this.#keeper.asks().tasks.includes(job.task) ? undefined : "it is outside its hours";
  }

  async #store(job: NewJob, claim: string | undefined, timeoutMs: Ms): Promise<Enqueued> {
    const { holder, sender } = this.#parts;
    const { process, lastFence } = holder;
    // Where it is not tried here, its limits may not even be known.
    const terms = claim === undefined ? undefined : this.#keeper.asks().terms?.[job.task];
    const lease = claim === undefined ? undefined : { process, leaseMs, claim, lastFence, ...(terms && { terms }) };
    try {
      const [stored] = await sender.send([lease === undefined ? job : { ...job, lease }]);
      if (stored === undefined) throw new ErrandError("store-failed", "the store answered nothing for the job; try again");
      if (stored.leased !== undefined) holder.took(process, stored.leased.fence, stored.leased.now);
      return stored;
    } catch (error) {
      if (!ErrandError.is(error)) throw error;
      if (!error.isDefinite && claim !== undefined) {
        holder.mayHold(process);
        this.#strays.add(job.id, claim);
      }
      throw new ErrandError(error.code, error.message.slice(error.code.length + 2), {
        cause: error.cause ?? error,
        isDefinite: error.isDefinite,
        details: error.details,
        // Not the same call: one that is stored by then has a worker.
        again: () => this.#try(job, timeoutMs),
      });
    }
  }

  #runOf(job: NewJob, claim: string, { fence, now }: NonNullable<Enqueued["leased"]>): Run {
    return new Run(claimedOf(job, now), { claim, fence }, this.#parts.definitions.tasks.get(job.task), undefined);
  }

  #runWithin(run: Run, now: number, timeoutMs: Ms): Promise<Ended> {
    const { runtime } = this.#parts;
    this.#begin();
    return new Promise((resolve) => {
      const limit = runtime.after(timeoutMs, () => {
        resolve({ state: "later", reason: this.#slow(run, timeoutMs) });
      });
      this.#ends.set(run, (ended) => {
        limit.cancel();
        resolve(ended);
      });
      const back = this.#keeper.admits(run, now);
      const startedAt = runtime.monotonic();
      if (back === undefined) this.#runner.start(run, startedAt);
      else {
        run.startedAt = startedAt;
        void this.#ended(run, back, startedAt);
      }
    });
  }

  /** The caller waits no longer; the run is told to stop, and has a little time for it. */
  #slow(run: Run, timeoutMs: Ms): string {
    const { id, task } = run.claimed;
    const reason = `it was not done within ${inWords(timeoutMs)}`;
    this.#runner.handBack(
      run,
      new ErrandError("try-timeout", `job ${id} (${task}) was not done within ${inWords(timeoutMs)} of tryNow; a worker goes on with it`, {
        details: { job: id, timeoutMs },
      }),
    );
    return reason;
  }

  /** Without a draft the store has taken it back. */
  async #ended(run: Run, draft: Draft | undefined, now: number): Promise<void> {
    this.#keeper.ended(run, draft);
    const ranMs = Math.max(0, Math.round(now - run.startedAt));
    const ended: Ended =
      draft === undefined ? { state: "later", reason: "its lease was lost" } : await this.#endOf(run, await this.#outbox.write(run, draft, ranMs));
    this.#ends.get(run)?.(ended);
    this.#ends.delete(run);
    this.#over();
  }

  async #endOf(run: Run, { outcome, answer, isInDoubt }: Written): Promise<Ended> {
    if (answer.is === "cancelled") return { state: "cancelled", reason: undefined };
    if (answer.is === "settled") return endedAs(outcome);
    if (run.isCommitted) return { state: "completed", reason: undefined };
    // Written by a try whose answer was lost, or taken over meanwhile: the store knows.
    return isInDoubt ? this.#asStored(run.claimed.id) : { state: "later", reason: "its lease was lost" };
  }

  async #asStored(id: string): Promise<Ended> {
    const { engine, runtime } = this.#parts;
    const [row] = await Promise.resolve(engine.find({ of: "jobs", ids: [id] }, at(runtime))).then(
      ({ rows }) => rows,
      () => [],
    );
    const isOver = row?.state === "completed" || row?.state === "skipped" || row?.state === "cancelled" || row?.state === "dead";
    return isOver ? { state: row.state, reason: row.reason } : { state: "later", reason: "its lease was lost" };
  }

  #begin(): void {
    if (this.#trying++ === 0) this.#leaveHolder = this.#parts.holder.enter(this);
  }

  #over(): void {
    if (--this.#trying > 0) return;
    this.#leaveHolder?.();
    for (const listener of [...this.#idle]) listener();
  }

  async #idleWithin(ms: Ms): Promise<void> {
    if (this.#trying === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#parts.runtime.after(ms, resolve);
    this.#idle.add(resolve);
    await promise;
    timer.cancel();
    this.#idle.delete(resolve);
  }
}

function claimedOf(job: NewJob, now: number): ClaimedJob {
  const { id, task, queue, payload, lane, join, after, expecting, version, slot } = job;
  return {
    id,
    task,
    queue,
    payload,
    attempt: 1,
    starts: 1,
    suspects: 0,
    enqueuedAt: now,
    dueAt: now,
    isOrdered: lane !== undefined,
    ...(lane?.width === 1 && { lane: lane.key }),
    ...(join !== undefined && { join }),
    ...(after !== undefined && after.length > 0 && { isAfter: true }),
    ...(expecting !== undefined && { expecting }),
    ...(version !== undefined && { version }),
    ...(slot && { slotAt: slot.at }),
  };
}

function notLeased({ isDuplicate, state }: Enqueued): string {
  if (isDuplicate) return `it was stored before${state === undefined ? "" : `, and is ${state}`}`;
  switch (state) {
    case "scheduled":
      return "it is due later";
    case "blocked":
      return "it waits for what is ahead of it";
    case "parked":
      return "its key is parked";
    default:
      return "it may not start now: its queue or task is paused, or a limit has no room";
  }
}

function endedAs(outcome: Written["outcome"]): Ended {
  const reason = outcome.reason ?? outcome.error?.message;
  switch (outcome.is) {
    case "completed":
      return { state: "completed", reason: undefined };
    case "skipped":
    case "dead":
      return { state: outcome.is, reason };
    case "released":
      return { state: "later", reason: reason ?? "it was handed back" };
    default:
      return { state: "later", reason };
  }
}
