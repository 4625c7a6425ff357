/** Waits for jobs to end: looks at all that are waited for in one call, soon at first, then seldom, and at once where this process's own worker ended one. */
import { at } from "../at.ts";
import { pageMax, pollIdleMs, resultLookSoonMs, resultWaitsMax } from "../defaults.ts";
import { inWords } from "../duration.ts";
import type { Engine, JobRow, Settled } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import type { Hints } from "../lock/hints.ts";
import type { Ms, Runtime, Timer } from "../runtime.ts";
import { isEnded, type JobState } from "../states.ts";
import { jittered } from "../worker/backoff.ts";

/** How a job ended. */
export interface JobResult {
  readonly id: string;
  /** parked: it died, or waits behind one that did, until a person redrives its key. */
  readonly state: "completed" | "skipped" | "cancelled" | "dead" | "parked";
  /** What its run returned, where its task declares `result`. */
  readonly result: unknown;
  /** Why it was skipped or cancelled, or died. */
  readonly reason: string | undefined;
}

interface Waiter {
  readonly id: string;
  readonly since: number;
  readonly until: number;
  readonly resolve: (result: JobResult) => void;
  readonly reject: (error: unknown) => void;
  /** By the monotonic clock. */
  lookedAt: number;
  lookAt: number;
  /** Until its next look, as of its last one. */
  pauseMs: Ms;
  seen: JobState | undefined;
}

/** How much of the time that was waited may pass before the next look, and before a hint is heeded. */
const waitedPart = 0.25;
const waitedPartHinted = 0.1;
/** How much of its pause one gives away to look along with others. */
const sharedPart = 0.4;

export class Results {
  readonly #parts: { readonly engine: Engine; readonly runtime: Runtime; readonly hints: Hints };
  readonly #waiting: Set<Waiter> = new Set();
  #timer: Timer | undefined;
  #isLooking = false;
  #unlisten: (() => void) | undefined;

  constructor(parts: { readonly engine: Engine; readonly runtime: Runtime; readonly hints: Hints }) {
    this.#parts = parts;
  }

  /** Rejects with `result-timeout`, `result-too-many`, `job-unknown`, and the store's error where the last look failed. */
  of(id: string, withinMs: Ms): Promise<JobResult> {
    if (this.#waiting.size >= resultWaitsMax) return Promise.reject(tooMany());
    const now = this.#parts.runtime.monotonic();
    return new Promise((resolve, reject) => {
      this.#waiting.add({
        id,
        since: now,
        until: now + withinMs,
        resolve,
        reject,
        lookedAt: Number.NEGATIVE_INFINITY,
        lookAt: now,
        pauseMs: 0,
        seen: undefined,
      });
      this.#unlisten ??= this.#parts.hints.listen(() => this.#hinted());
      this.#arm();
    });
  }

  /** What the store made of outcomes of this process's worker. */
  told(answers: readonly Settled[]): void {
    if (this.#waiting.size === 0) return;
    const now = this.#parts.runtime.monotonic();
    const ended = new Set(answers.filter(({ state }) => state !== undefined && isOver(state)).map(({ id }) => id));
    for (const waiter of this.#waiting) if (ended.has(waiter.id)) waiter.lookAt = now;
    if (ended.size > 0) this.#arm();
  }

  close(): void {
    const error = new ErrandError("broker-closed", "the broker that waited for this job was closed; the job goes on");
    for (const waiter of this.#waiting) waiter.reject(error);
    this.#waiting.clear();
    this.#timer?.cancel();
    this.#rest();
  }

  /** Something changed in the store, maybe this. */
  #hinted(): void {
    const now = this.#parts.runtime.monotonic();
    for (const waiter of this.#waiting) waiter.lookAt = Math.min(waiter.lookAt, waiter.lookedAt + pauseMs((now - waiter.since) * waitedPartHinted));
    this.#arm();
  }

  #arm(): void {
    if (this.#isLooking) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#waiting.size === 0) return this.#rest();
    let next = Number.POSITIVE_INFINITY;
    for (const { lookAt, until } of this.#waiting) next = Math.min(next, lookAt, until);
    const restMs = next - this.#parts.runtime.monotonic();
    if (restMs <= 0) void this.#look();
    else this.#timer = this.#parts.runtime.after(Math.ceil(restMs), () => void this.#look());
  }

  #rest(): void {
    this.#unlisten?.();
    this.#unlisten = undefined;
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { engine, runtime } = this.#parts;
    this.#isLooking = true;
    const now = runtime.monotonic();
    // Those that are due soon look along, so that many waits share their looks.
    const due = [...this.#waiting].filter(({ lookAt, pauseMs, until }) => lookAt <= now + pauseMs * sharedPart || until <= now).slice(0, pageMax);
    try {
      const { rows } = await engine.find({ of: "jobs", ids: [...new Set(due.map(({ id }) => id))] }, at(runtime));
      const byId = new Map(rows.map((row) => [row.id, row]));
      const joins = await this.#joinsAmong(due.map(({ id }) => id).filter((id) => !byId.has(id)));
      for (const waiter of due) this.#judge(waiter, byId.get(waiter.id), { now, isJoin: joins.has(waiter.id) });
    } catch (error) {
      for (const waiter of due) if (waiter.until <= now) this.#end(waiter, () => waiter.reject(error));
      for (const waiter of due) this.#lookLater(waiter, now);
    }
    this.#isLooking = false;
    this.#arm();
  }

  /** Batches and chains have no result of their own. */
  async #joinsAmong(ids: readonly string[]): Promise<ReadonlySet<string>> {
    if (ids.length === 0) return new Set();
    const { engine, runtime } = this.#parts;
    const { rows } = await engine.find({ of: "joins", ids: [...new Set(ids)] }, at(runtime));
    return new Set(rows.map(({ id }) => id));
  }

  #judge(waiter: Waiter, row: JobRow | undefined, { now, isJoin }: { readonly now: number; readonly isJoin: boolean }): void {
    if (row === undefined) this.#end(waiter, () => waiter.reject(isJoin ? noJob(waiter) : unknown(waiter)));
    else if (isOver(row.state)) this.#end(waiter, () => waiter.resolve(resultOf(row)));
    else if (waiter.until <= now) this.#end(waiter, () => waiter.reject(timedOut(waiter, row.state)));
    else {
      waiter.seen = row.state;
      this.#lookLater(waiter, now);
    }
  }

  #lookLater(waiter: Waiter, now: number): void {
    waiter.lookedAt = now;
    waiter.pauseMs = pauseMs((now - waiter.since) * waitedPart);
    waiter.lookAt = now + jittered(waiter.pauseMs, this.#parts.runtime.random());
  }

  #end(waiter: Waiter, settle: () => void): void {
    if (this.#waiting.delete(waiter)) settle();
  }
}

function pauseMs(ms: Ms): Ms {
  return Math.min(pollIdleMs, Math.max(resultLookSoonMs, ms));
}

function isOver(state: JobState): boolean {
  return isEnded(state) || state === "parked";
}

function resultOf({ id, state, result, reason, lane }: JobRow): JobResult {
  return {
    id,
    state: state as JobResult["state"],
    result: result === undefined ? undefined : (JSON.parse(result) as unknown),
    reason: reason ?? (state === "parked" ? `its key ${lane} is parked` : undefined),
  };
}

function timedOut({ id, since, until }: Waiter, state: JobState): ErrandError {
  return new ErrandError("result-timeout", `job ${id} has not ended within ${inWords(until - since)}, it is ${state}; it goes on: ask again, or ask why()`, {
    details: { job: id, state },
  });
}

function tooMany(): ErrandError {
  return new ErrandError("result-too-many", `this broker waits for ${resultWaitsMax.toLocaleString("en-US")} results already; ask again when some have ended`, {
    details: { most: resultWaitsMax },
  });
}

function noJob({ id }: Waiter): ErrandError {
  return new ErrandError(
    "job-unknown",
    `${id} is a batch or chain, which has no result of its own; work.batch("${id}") tells how far it is, or give it whenAllEnd, and ask for the result of that job`,
    { details: { id } },
  );
}

function unknown({ id, seen }: Waiter): ErrandError {
  const gone =
    seen === undefined
      ? "no job has that id, or its retention has passed"
      : `it was ${seen} and is gone: somebody deleted it, or its retention is shorter than the wait`;
  return new ErrandError("job-unknown", `job ${id}: ${gone}; keep ended jobs longer (keep), or ask sooner`, { details: { job: id } });
}
