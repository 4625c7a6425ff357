/**
 * Bugs planted on purpose: each breaks one rule of the port and hides as well as it can. The model test is worth its name only if it finds every one.
 */
import type {
  At,
  Atom,
  Change,
  Changed,
  ChangedJob,
  Claim,
  Claimed,
  CountRow,
  Enqueued,
  Engine,
  Grant,
  Heard,
  JobRow,
  LockRequest,
  NewJob,
  NoteWrite,
  Outcome,
  Page,
  Query,
  Selection,
  Settled,
  TaskTerms,
  Tidied,
  Tidy,
  Waiting,
} from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { Ms } from "../../src/core/runtime.ts";
import { suspectsBeforeAlone } from "../../src/core/defaults.ts";
import { clockOf, Wrapped } from "./wrapped.ts";

type Stored = (Enqueued[] | ErrandError)[];

export interface Plant {
  readonly bug: string;
  readonly breaks: string;
  readonly on: (engine: Engine) => Engine;
}

/** Changes the jobs that are handed in. */
abstract class JobsChanged extends Wrapped {
  protected abstract changed(job: NewJob, at: At<unknown>): Promise<NewJob>;

  override async enqueue(atoms: readonly Atom[], at: At<unknown>): Promise<Stored> {
    return this.inner.enqueue(await Promise.all(atoms.map((atom) => this.#atom(atom, at))), at);
  }

  async #atom(atom: Atom, at: At<unknown>): Promise<Atom> {
    return { ...atom, works: await Promise.all(atom.works.map(async (work) => (work.kind === "job" ? this.changed(work, at) : work))) };
  }
}

/** Changes the rows that are shown. */
abstract class RowsChanged extends Wrapped {
  protected abstract shown(row: JobRow): JobRow;

  override async find<Q extends Query>(query: Q, at: At): Promise<Page<Q>> {
    const page = await this.inner.find(query, at);
    return query.of === "jobs" ? ({ ...page, rows: (page.rows as readonly JobRow[]).map((row) => this.shown(row)) } as unknown as Page<Q>) : page;
  }
}

class FenceIgnored extends Wrapped {
  override async settle(outcomes: readonly Outcome[], at: At<unknown>): Promise<Settled[]> {
    return this.inner.settle(await Promise.all(outcomes.map((outcome) => this.#mended(outcome, at))), at);
  }

  async #mended(outcome: Outcome, at: At<unknown>): Promise<Outcome> {
    const claim = (await this.row(outcome.id, at))?.claim;
    return claim ? { ...outcome, claim: claim.claim, fence: claim.fence } : outcome;
  }
}

class FenceStandsStill extends Wrapped {
  override async claim(wanted: Claim, at: At): Promise<Claimed> {
    const claimed = await this.inner.claim(wanted, at);
    return claimed.jobs.length === 0 ? { ...claimed, fence: wanted.lastFence } : claimed;
  }
}

class UniqueForgottenOnceRunning extends JobsChanged {
  protected async changed(job: NewJob, at: At<unknown>): Promise<NewJob> {
    if (job.unique?.mode.is !== "keep") return job;
    const { rows } = await this.inner.find({ of: "jobs", where: { unique: job.unique.key, states: ["running"] }, limit: 1 }, clockOf(at));
    return rows.length === 0 ? job : { ...job, unique: { ...job.unique, mode: { is: "one-more" } } };
  }
}

class ThrottleForgotten extends JobsChanged {
  protected async changed(job: NewJob): Promise<NewJob> {
    return job.unique?.mode.is === "throttle" ? { ...job, unique: { ...job.unique, mode: { is: "keep" } } } : job;
  }
}

class LaneAdmitsOneMore extends JobsChanged {
  protected async changed(job: NewJob): Promise<NewJob> {
    return job.lane ? { ...job, lane: { ...job.lane, width: job.lane.width + 1 } } : job;
  }
}

class ParkedLaneAdmitsNew extends JobsChanged {
  protected async changed(job: NewJob, at: At<unknown>): Promise<NewJob> {
    const { rows } = await this.inner.find({ of: "lanes", limit: 1_000 }, clockOf(at));
    if (!rows.some((lane) => lane.lane === job.lane?.key)) return job;
    const { lane: _, ...free } = job;
    return free;
  }
}

class ReplaceKeepsTheOldDueTime extends JobsChanged {
  protected async changed(job: NewJob, at: At<unknown>): Promise<NewJob> {
    if (job.unique?.mode.is !== "replace") return job;
    const { rows } = await this.inner.find({ of: "jobs", where: { unique: job.unique.key, states: ["scheduled"] }, limit: 1 }, clockOf(at));
    const { delayMs: _, ...due } = job;
    return rows[0] ? { ...due, dueAt: rows[0].dueAt } : job;
  }
}

/** Ready 50 ms early, with the due time shown as it was asked for. */
class EarlyPromotion extends RowsChanged {
  readonly #early = new Set<string>();

  override enqueue(atoms: readonly Atom[], at: At<unknown>): Stored | Promise<Stored> {
    return this.inner.enqueue(
      atoms.map((atom) => ({
        ...atom,
        works: atom.works.map((work) => (work.kind === "job" && work.delayMs === 100 && !work.unique ? this.#sooner(work) : work)),
      })),
      at,
    );
  }

  protected shown(row: JobRow): JobRow {
    return this.#early.has(row.id) && row.attempts === 0
      ? {
          ...row,
          dueAt: row.dueAt + 50,
          urgency: row.urgency + 50,
          ...(row.waits && { waits: { ...row.waits, on: row.waits.reason === "time" ? String(row.dueAt + 50) : row.waits.on } }),
        }
      : row;
  }

  #sooner(job: NewJob): NewJob {
    this.#early.add(job.id);
    return { ...job, delayMs: 50 };
  }
}

/** First come, first served, whatever was asked; shown as if it had been heard. */
class PriorityIgnored extends RowsChanged {
  readonly #asked = new Map<string, Ms>();

  override enqueue(atoms: readonly Atom[], at: At<unknown>): Stored | Promise<Stored> {
    return this.inner.enqueue(
      atoms.map((atom) => ({
        ...atom,
        works: atom.works.map((work) => (work.kind === "job" && !work.unique && work.rememberMs === 0 ? this.#flat(work) : work)),
      })),
      at,
    );
  }

  protected shown(row: JobRow): JobRow {
    const asked = this.#asked.get(row.id);
    return asked === undefined || row.headStartMs !== 0 ? row : { ...row, headStartMs: asked, urgency: row.urgency - asked };
  }

  #flat(job: NewJob): NewJob {
    this.#asked.set(job.id, job.headStartMs);
    return { ...job, headStartMs: 0 };
  }
}

/** Cancel is promised, shown, and forgotten: the run completes. */
class CancelOfRunningCompletes extends RowsChanged {
  readonly #promised = new Set<string>();

  override async change(which: Selection, change: Change, limit: number, at: At<unknown>): Promise<Changed> {
    if (change.do !== "cancel" || !("ids" in which)) return this.inner.change(which, change, limit, at);
    const jobs: ChangedJob[] = [];
    for (const id of which.ids.slice(0, limit)) jobs.push(await this.#cancel(id, change, at));
    return { jobs, hasMore: which.ids.length > limit };
  }

  protected shown(row: JobRow): JobRow {
    return row.claim && this.#promised.has(row.id) ? { ...row, claim: { ...row.claim, isCancelling: true } } : row;
  }

  async #cancel(id: string, change: Change, at: At<unknown>): Promise<ChangedJob> {
    const isRunning = (await this.row(id, at))?.state === "running";
    if (isRunning) this.#promised.add(id);
    return isRunning ? { id, is: "cancelling" } : ((await this.inner.change({ ids: [id] }, change, 1, at)).jobs[0] ?? { id, is: "unknown" });
  }
}

class CancelsUnheard extends Wrapped {
  override async beat(process: string, leaseMs: Ms, at: At): Promise<Heard> {
    return { ...(await this.inner.beat(process, leaseMs, at)), cancelled: [] };
  }
}

class LossUnheard extends Wrapped {
  override async beat(process: string, leaseMs: Ms, at: At): Promise<Heard> {
    return { ...(await this.inner.beat(process, leaseMs, at)), isLost: false };
  }
}

class RetryChargesTwice extends RowsChanged {
  protected shown(row: JobRow): JobRow {
    const retries = row.history.filter((attempt) => attempt.is === "retry").length;
    return row.attempts > 0 ? { ...row, attempts: row.attempts + Math.min(retries, 1) } : row;
  }
}

class ExpiresAtOnce extends Wrapped {
  override tidy(pass: Tidy, at: At): Tidied | Promise<Tidied> {
    return this.inner.tidy({ ...pass, mayExpire: true }, at);
  }
}

class SuspectsRunAmongOthers extends Wrapped {
  override async claim(wanted: Claim, at: At): Promise<Claimed> {
    const claimed = await this.inner.claim(wanted, at);
    const isFree = wanted.alone === "no" && claimed.jobs.length === 0 && claimed.hasSuspects && wanted.queues.every((queue) => queue.slots > 0);
    return isFree ? { ...(await this.inner.claim({ ...wanted, alone: "only", settling: [] }, at)), settled: claimed.settled } : claimed;
  }
}

class AtomsTornApart extends Wrapped {
  override async enqueue(atoms: readonly Atom[], at: At<unknown>): Promise<Stored> {
    return Promise.all(atoms.map(async (atom) => this.#torn(atom, at)));
  }

  async #torn(atom: Atom, at: At<unknown>): Promise<Enqueued[] | ErrandError> {
    const parts: Atom[] = [...atom.works.map((work) => ({ works: [work] })), { works: [], ...(atom.notes && { notes: atom.notes }) }];
    const answers = await this.inner.enqueue(parts, at);
    return answers.find((answer) => answer instanceof ErrandError) ?? answers.flatMap((answer) => (answer instanceof ErrandError ? [] : answer));
  }
}

class NotesOverwritten extends Wrapped {
  override enqueue(atoms: readonly Atom[], at: At<unknown>): Stored | Promise<Stored> {
    const blind = ({ ifVersion: _, ...note }: NoteWrite): NoteWrite => note;
    return this.inner.enqueue(
      atoms.map((atom) => ({ ...atom, ...(atom.notes && { notes: atom.notes.map(blind) }) })),
      at,
    );
  }
}

class FollowUpsDropped extends Wrapped {
  override settle(outcomes: readonly Outcome[], at: At<unknown>): Settled[] | Promise<Settled[]> {
    return this.inner.settle(
      outcomes.map(({ follow: _, ...outcome }) => outcome),
      at,
    );
  }
}

class LockGrantedTwice extends Wrapped {
  override lock(request: LockRequest, at: At): Grant | Waiting | Promise<Grant | Waiting> {
    return this.inner.lock({ ...request, permits: (request.permits ?? 1) + 1 }, at);
  }
}

class OtherPermitsTakenAsTheRest extends Wrapped {
  override async lock(request: LockRequest, at: At): Promise<Grant | Waiting> {
    try {
      return await this.inner.lock(request, at);
    } catch (error) {
      if (!ErrandError.is(error, "permits-conflict")) throw error;
      return this.inner.lock({ ...request, permits: Number(error.details["others"]) }, at);
    }
  }
}

class RetriesUnbounded extends Wrapped {
  override claim(wanted: Claim, at: At): Claimed | Promise<Claimed> {
    const unbounded = ({ retriesMost: _, ...terms }: TaskTerms): TaskTerms => terms;
    const terms = Object.fromEntries(Object.entries(wanted.terms ?? {}).map(([task, one]) => [task, unbounded(one)]));
    return this.inner.claim({ ...wanted, ...(wanted.terms && { terms }) }, at);
  }
}

/** A bound that is met is rounded up: every call hands out one. */
class OneRetryAtLeast extends Wrapped {
  override claim(wanted: Claim, at: At): Claimed | Promise<Claimed> {
    const rounded = (terms: TaskTerms): TaskTerms => (terms.retriesMost === 0 ? { ...terms, retriesMost: 1 } : terms);
    const terms = Object.fromEntries(Object.entries(wanted.terms ?? {}).map(([task, one]) => [task, rounded(one)]));
    return this.inner.claim({ ...wanted, ...(wanted.terms && { terms }) }, at);
  }
}

class RunningUncounted extends Wrapped {
  override async count(at: At): Promise<CountRow[]> {
    return (await this.inner.count(at)).filter((row) => row.state !== "running" || row.jobs < 2);
  }
}

class SuspicionForgotten extends RowsChanged {
  protected shown(row: JobRow): JobRow {
    return row.suspects > suspectsBeforeAlone ? { ...row, suspects: suspectsBeforeAlone } : row;
  }
}

export const plants: readonly Plant[] = [
  { bug: "the fence of an outcome is not looked at", breaks: "G3", on: (engine) => new FenceIgnored(engine) },
  { bug: "the fence of an empty claim stands still", breaks: "G3", on: (engine) => new FenceStandsStill(engine) },
  { bug: "a unique key is forgotten once its job runs", breaks: "G6", on: (engine) => new UniqueForgottenOnceRunning(engine) },
  { bug: "a throttled key ends with its job", breaks: "G6", on: (engine) => new ThrottleForgotten(engine) },
  { bug: "a replaced job keeps its old due time", breaks: "G6", on: (engine) => new ReplaceKeepsTheOldDueTime(engine) },
  { bug: "a lane admits one more than its width", breaks: "G7", on: (engine) => new LaneAdmitsOneMore(engine) },
  { bug: "a parked lane lets new jobs pass", breaks: "G7", on: (engine) => new ParkedLaneAdmitsNew(engine) },
  { bug: "a delayed job is ready early", breaks: "G5", on: (engine) => new EarlyPromotion(engine) },
  { bug: "priority is shown but not kept to", breaks: "G8", on: (engine) => new PriorityIgnored(engine) },
  { bug: "a cancelled run completes", breaks: "G4", on: (engine) => new CancelOfRunningCompletes(engine) },
  { bug: "a beat does not hear cancels", breaks: "G4", on: (engine) => new CancelsUnheard(engine) },
  { bug: "a beat does not hear that all was lost", breaks: "G3", on: (engine) => new LossUnheard(engine) },
  { bug: "a retry is charged twice", breaks: "G13", on: (engine) => new RetryChargesTwice(engine) },
  { bug: "leases expire though the asker may not expire them", breaks: "G20", on: (engine) => new ExpiresAtOnce(engine) },
  { bug: "a suspect runs among others", breaks: "G13", on: (engine) => new SuspectsRunAmongOthers(engine) },
  { bug: "suspicion is not counted beyond the second crash", breaks: "G13", on: (engine) => new SuspicionForgotten(engine) },
  { bug: "a refused atom leaves its first works behind", breaks: "G1", on: (engine) => new AtomsTornApart(engine) },
  { bug: "a note is overwritten whatever its version", breaks: "G12", on: (engine) => new NotesOverwritten(engine) },
  { bug: "follow-up work is dropped", breaks: "G2", on: (engine) => new FollowUpsDropped(engine) },
  { bug: "a lock is granted once too often", breaks: "G17", on: (engine) => new LockGrantedTwice(engine) },
  { bug: "who names other permits is heard as if he had named those of the others", breaks: "G17", on: (engine) => new OtherPermitsTakenAsTheRest(engine) },
  { bug: "what was tried before is handed out without a bound", breaks: "G9", on: (engine) => new RetriesUnbounded(engine) },
  { bug: "one that was tried before is handed out where none may be", breaks: "G9", on: (engine) => new OneRetryAtLeast(engine) },
  { bug: "a second running job is not counted", breaks: "G19", on: (engine) => new RunningUncounted(engine) },
];
