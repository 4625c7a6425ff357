/** Bugs planted in what batches, predecessors, limits, gates, rows, born leases and gathering promise. */
import type {
  At,
  Atom,
  Change,
  Changed,
  Claim,
  Claimed,
  Enqueued,
  JobRow,
  JoinRow,
  KeyLimit,
  NewJob,
  NewJoin,
  NewWork,
  Note,
  NoteWrite,
  Outcome,
  Page,
  Query,
  Selection,
  Settled,
} from "../../src/core/engine.ts";
import type { ErrandError } from "../../src/core/errors.ts";
import { limitPrefix, schedulePrefix } from "../../src/core/notes.ts";
import type { Plant } from "./planted.ts";
import { Wrapped } from "./wrapped.ts";

type Stored = (Enqueued[] | ErrandError)[];

/** Changes the works and notes that are handed in, and shows what was asked for. */
abstract class WorksChanged extends Wrapped {
  readonly #asked = new Map<string, NewJob>();
  readonly #written = new Map<string, string>();

  protected job(job: NewJob): NewJob {
    return job;
  }
  protected join(join: NewJoin): NewJoin {
    return join;
  }
  protected note(note: NoteWrite): NoteWrite {
    return note;
  }

  override enqueue(atoms: readonly Atom[], at: At<unknown>): Stored | Promise<Stored> {
    for (const work of atoms.flatMap((atom) => atom.works)) if (work.kind === "job" && !this.#asked.has(work.id)) this.#asked.set(work.id, work);
    for (const note of atoms.flatMap((atom) => atom.notes ?? [])) if (note.value !== undefined) this.#written.set(note.key, note.value);
    const changed = (work: NewWork): NewWork => (work.kind === "job" ? this.job(work) : work.kind === "join" ? this.join(work) : work);
    return this.inner.enqueue(
      atoms.map((atom) => ({ ...atom, works: atom.works.map(changed), ...(atom.notes && { notes: atom.notes.map((note) => this.note(note)) }) })),
      at,
    );
  }

  override async find<Q extends Query>(query: Q, at: At): Promise<Page<Q>> {
    const page = await this.inner.find(query, at);
    if (query.of === "jobs") return { ...page, rows: (page.rows as readonly JobRow[]).map((row) => this.#asAsked(row)) } as unknown as Page<Q>;
    if (query.of !== "notes") return page;
    const rows = (page.rows as readonly Note[]).map((row) => ({ ...row, value: this.#written.get(row.key) ?? row.value }));
    return { ...page, rows } as unknown as Page<Q>;
  }

  #asAsked(row: JobRow): JobRow {
    const { keyLimits, after } = this.#asked.get(row.id) ?? {};
    return { ...row, ...(keyLimits && { keyLimits }), ...(after && after.length === row.after?.length && { after }) };
  }
}

/** Changes the rows that are shown. */
abstract class Shown extends Wrapped {
  protected jobRow(row: JobRow): JobRow {
    return row;
  }
  protected joinRow(row: JoinRow): JoinRow {
    return row;
  }

  override async find<Q extends Query>(query: Q, at: At): Promise<Page<Q>> {
    const page = await this.inner.find(query, at);
    if (query.of === "jobs") return { ...page, rows: (page.rows as readonly JobRow[]).map((row) => this.jobRow(row)) } as unknown as Page<Q>;
    if (query.of === "joins") return { ...page, rows: (page.rows as readonly JoinRow[]).map((row) => this.joinRow(row)) } as unknown as Page<Q>;
    return page;
  }
}

class StagedIsOpen extends WorksChanged {
  protected override join(join: NewJoin): NewJoin {
    return { ...join, isSealed: true };
  }
}

class SizeUnchecked extends WorksChanged {
  protected override join({ size: _, ...join }: NewJoin): NewJoin {
    return join;
  }
}

class ParentForgotten extends WorksChanged {
  protected override join({ join: _, ...join }: NewJoin): NewJoin {
    return join;
  }
}

class JoinDoesNotWait extends WorksChanged {
  protected override join({ after: _, ...join }: NewJoin): NewJoin {
    return join;
  }
}

/** Whatever was asked, any ending lets go. */
class AnyEndingWill extends WorksChanged {
  protected override job(job: NewJob): NewJob {
    return job.after ? { ...job, after: job.after.map(({ id }) => ({ id, when: "ended" })) } : job;
  }
}

class SecondPredecessorForgotten extends WorksChanged {
  protected override job(job: NewJob): NewJob {
    return job.after ? { ...job, after: job.after.slice(0, 1) } : job;
  }
}

class KeyLimitOneMore extends WorksChanged {
  protected override job(job: NewJob): NewJob {
    return job.keyLimits ? { ...job, keyLimits: job.keyLimits.map(oneMore) } : job;
  }
}

function oneMore({ key, is }: KeyLimit): KeyLimit {
  return { key, is: "running" in is ? { running: is.running + 1 } : { ...is, starts: is.starts + 1 } };
}

class WindowTooShort extends WorksChanged {
  protected override job(job: NewJob): NewJob {
    const shorter = ({ key, is }: KeyLimit): KeyLimit => ({ key, is: "starts" in is ? { ...is, everyMs: is.everyMs - 60 } : is });
    return job.keyLimits ? { ...job, keyLimits: job.keyLimits.map(shorter) } : job;
  }
}

class SecondLimitForgotten extends WorksChanged {
  protected override job(job: NewJob): NewJob {
    return job.keyLimits ? { ...job, keyLimits: job.keyLimits.slice(0, 1) } : job;
  }
}

class LeaseAtBirthIgnored extends WorksChanged {
  protected override job({ lease: _, ...job }: NewJob): NewJob {
    return job;
  }
}

class BirthWithoutTerms extends WorksChanged {
  protected override job(job: NewJob): NewJob {
    if (job.lease === undefined) return job;
    const { terms: _, ...lease } = job.lease;
    return { ...job, lease };
  }
}

class GathersOneMore extends WorksChanged {
  protected override job(job: NewJob): NewJob {
    return job.unique?.mode.is === "gather" ? { ...job, unique: { ...job.unique, mode: { ...job.unique.mode, most: job.unique.mode.most + 1 } } } : job;
  }
}

class GateOneMore extends WorksChanged {
  protected override note(note: NoteWrite): NoteWrite {
    if (!note.key.startsWith(limitPrefix) || note.value === undefined) return note;
    const limit = JSON.parse(note.value) as { running?: number; starts?: number; everyMs?: number };
    const more = limit.running === undefined ? { ...limit, starts: (limit.starts ?? 0) + 1 } : { running: limit.running + 1 };
    return { ...note, value: JSON.stringify(more) };
  }
}

/** A tick that read an old cursor is let through. */
class CursorUnchecked extends WorksChanged {
  protected override note(note: NoteWrite): NoteWrite {
    const { ifVersion: _, ...blind } = note;
    return note.key.startsWith(schedulePrefix) ? blind : note;
  }
}

class ResourceUnlimited extends Wrapped {
  override claim(wanted: Claim, at: At): Claimed | Promise<Claimed> {
    if (wanted.terms === undefined) return this.inner.claim(wanted, at);
    const without = Object.entries(wanted.terms).map(([task, { needs: _, ...terms }]) => [task, terms] as const);
    return this.inner.claim({ ...wanted, terms: Object.fromEntries(without) }, at);
  }
}

class GatesForgotten extends Wrapped {
  override claim({ terms: _, ...wanted }: Claim, at: At): Claimed | Promise<Claimed> {
    return this.inner.claim(wanted, at);
  }
}

class RowTooLong extends Wrapped {
  override claim(wanted: Claim, at: At): Claimed | Promise<Claimed> {
    return this.inner.claim(wanted.inRow === undefined ? wanted : { ...wanted, inRow: wanted.inRow + 1 }, at);
  }
}

class FreshAsOld extends Wrapped {
  override claim(wanted: Claim, at: At): Claimed | Promise<Claimed> {
    if (wanted.terms === undefined) return this.inner.claim(wanted, at);
    const without = Object.entries(wanted.terms).map(([task, { freshFrom: _, ...terms }]) => [task, terms] as const);
    return this.inner.claim({ ...wanted, terms: Object.fromEntries(without) }, at);
  }
}

/** What a member hands over is stored beside its batch, not into it. */
class FollowOutsideTheJoin extends Wrapped {
  override settle(outcomes: readonly Outcome[], at: At<unknown>): Settled[] | Promise<Settled[]> {
    const outside = (work: NewWork): NewWork => {
      if (work.kind !== "job") return work;
      const { join: _, ...job } = work;
      return job;
    };
    return this.inner.settle(
      outcomes.map((outcome) => ({ ...outcome, ...(outcome.follow && { follow: outcome.follow.map(outside) }) })),
      at,
    );
  }
}

/** Cancelling by join cancels the members, not the join. */
class JoinOutlivesItsCancel extends Wrapped {
  override async change(which: Selection, change: Change, limit: number, at: At<unknown>): Promise<Changed> {
    if (!("join" in which) || change.do !== "cancel") return this.inner.change(which, change, limit, at);
    return this.inner.change({ jobs: { join: which.join } }, change, limit, at);
  }
}

class FailureCountsAsSuccess extends Shown {
  protected override joinRow(row: JoinRow): JoinRow {
    return { ...row, succeeded: row.succeeded + row.failed, failed: 0 };
  }
}

class PredecessorsUnnamed extends Shown {
  protected override jobRow(row: JobRow): JobRow {
    return row.waits?.reason === "after" ? { ...row, waits: { ...row.waits, on: row.queue } } : row;
  }
}

export const joinedPlants: readonly Plant[] = [
  { bug: "a staged join is open from the start", breaks: "G11", on: (engine) => new StagedIsOpen(engine) },
  { bug: "a join is sealed though members are missing", breaks: "G11", on: (engine) => new SizeUnchecked(engine) },
  { bug: "a join within a join is not its member", breaks: "G11", on: (engine) => new ParentForgotten(engine) },
  { bug: "a join opens before what it comes after has ended", breaks: "G11", on: (engine) => new JoinDoesNotWait(engine) },
  { bug: "a callback runs however its batch ended", breaks: "G11", on: (engine) => new AnyEndingWill(engine) },
  { bug: "only the first predecessor is waited for", breaks: "G11", on: (engine) => new SecondPredecessorForgotten(engine) },
  { bug: "a member adds work beside its batch", breaks: "G11", on: (engine) => new FollowOutsideTheJoin(engine) },
  { bug: "a cancelled batch takes more members", breaks: "G11", on: (engine) => new JoinOutlivesItsCancel(engine) },
  { bug: "a failed member counts as a success", breaks: "G11", on: (engine) => new FailureCountsAsSuccess(engine) },
  { bug: "why does not name the predecessor", breaks: "G2", on: (engine) => new PredecessorsUnnamed(engine) },
  { bug: "a key limit lets one more run", breaks: "G9", on: (engine) => new KeyLimitOneMore(engine) },
  { bug: "a start is forgotten before its window ends", breaks: "G9", on: (engine) => new WindowTooShort(engine) },
  { bug: "only the first key limit holds", breaks: "G9", on: (engine) => new SecondLimitForgotten(engine) },
  { bug: "a gate lets one more through", breaks: "G9", on: (engine) => new GateOneMore(engine) },
  { bug: "claims do not look at gates", breaks: "G9", on: (engine) => new GatesForgotten(engine) },
  { bug: "a resource is given out without end", breaks: "G9", on: (engine) => new ResourceUnlimited(engine) },
  { bug: "fresh work waits behind the backlog", breaks: "G8", on: (engine) => new FreshAsOld(engine) },
  { bug: "a row is longer than was asked for", breaks: "G7", on: (engine) => new RowTooLong(engine) },
  { bug: "a job that should be born leased is not", breaks: "G3", on: (engine) => new LeaseAtBirthIgnored(engine) },
  { bug: "a job is born leased past its gates", breaks: "G9", on: (engine) => new BirthWithoutTerms(engine) },
  { bug: "one element more is gathered than may be", breaks: "G6", on: (engine) => new GathersOneMore(engine) },
  { bug: "a slot is enqueued by one who read an old cursor", breaks: "G12", on: (engine) => new CursorUnchecked(engine) },
];
