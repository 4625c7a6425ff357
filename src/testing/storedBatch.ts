/** Whether a batch or chain is stored as a test expects it: its members, its callbacks, and what comes after what. Ids that errand makes are left out of it. */
import type { Plan } from "../core/compose/plan.ts";
import { afterOf } from "../core/compose/stage.ts";
import type { JobRow, JoinRow, NewJob, NewJoin, NewWork } from "../core/engine.ts";

/** All that is stored, in the order of storing. */
export interface Rows {
  readonly jobs: readonly JobRow[];
  readonly joins: readonly JoinRow[];
}
/** Task, payload and options. */
export type Fits = (row: JobRow, job: NewJob) => boolean;

export function isBatchStored({ works, answers = [] }: Plan, rows: Rows, fits: Fits): boolean {
  const root = works[answers[0] ?? 0];
  return root?.kind === "join" && rows.joins.some((row) => new Match(works, rows, fits).has(root, row));
}

/** `batch of part {"n":1}, part {"n":2}; chain of …` */
export function shownBatch({ works, answers = [] }: Plan): string {
  const root = works[answers[0] ?? 0];
  const shown = (work: NewWork): string =>
    work.kind === "join"
      ? `${work.name} of ${membersOf(works, work.id).map(shown).join(", ") || "nothing"}`
      : work.kind === "job"
        ? `${work.task} ${work.payload}`
        : work.name;
  const beside = works.filter((work) => work !== root && work.kind !== "event" && work.join === undefined);
  return root === undefined ? "nothing" : [root, ...beside].map(shown).join("; after it ");
}

export function shownJoin(row: JoinRow, { jobs, joins }: Rows): string {
  const members = [
    ...jobs.filter((job) => job.joins?.[0] === row.id).map((job) => `${job.task} ${job.payload}`),
    ...joins.filter((join) => join.join === row.id).map((join) => `a ${join.name}`),
  ];
  const more = members.length > shownMax ? ` and ${members.length - shownMax} more` : "";
  return `${row.name} of ${members.slice(0, shownMax).join(", ") || "nothing"}${more}`;
}

const shownMax = 10;

class Match {
  readonly #works: readonly NewWork[];
  readonly #rows: Rows;
  readonly #fits: Fits;
  /** Expected ids, and those of the rows that stand for them. */
  readonly #rowOf: Map<string, string> = new Map();
  readonly #taken: Set<string> = new Set();

  constructor(works: readonly NewWork[], rows: Rows, fits: Fits) {
    this.#works = works;
    this.#rows = rows;
    this.#fits = fits;
  }

  /** The whole call: the join, all in it, and what follows it outside. */
  has(root: NewJoin, row: JoinRow): boolean {
    if (!this.#takes(root, row)) return false;
    const outside = this.#works.filter((work) => work !== root && work.kind !== "event" && work.join === undefined);
    return outside.every((work) => this.#finds(work, undefined));
  }

  #takes(join: NewJoin, row: JoinRow): boolean {
    if (row.name !== join.name || !this.#isSame(join, row)) return false;
    this.#take(join.id, row.id);
    const members = membersOf(this.#works, join.id);
    const stored = this.#rows.jobs.filter((job) => job.joins?.[0] === row.id).length + this.#rows.joins.filter((inner) => inner.join === row.id).length;
    return stored === members.length && members.every((work) => this.#finds(work, row.id));
  }

  /** The first that fits and stands for no other: rows and works are in the same order. */
  #finds(work: NewWork, parent: string | undefined): boolean {
    if (work.kind === "join") return this.#rows.joins.some((row) => row.join === parent && !this.#taken.has(row.id) && this.#takes(work, row));
    if (work.kind !== "job") return false;
    const found = this.#rows.jobs.find((row) => row.joins?.[0] === parent && !this.#taken.has(row.id) && this.#isSame(work, row) && this.#fits(row, work));
    if (found === undefined) return false;
    this.#take(work.id, found.id);
    return true;
  }

  #isSame(work: NewJob | NewJoin, row: JobRow | JoinRow): boolean {
    if (work.rememberMs > 0 && row.id !== work.id) return false;
    const expected = afterOf(work).map(({ id, when }) => `${when} ${this.#rowOf.get(id) ?? id}`);
    const stored = (row.after ?? []).map(({ id, when }) => `${when} ${id}`);
    return expected.length === stored.length && expected.every((each) => stored.includes(each));
  }

  #take(id: string, row: string): void {
    this.#rowOf.set(id, row);
    this.#taken.add(row);
  }
}

function membersOf(works: readonly NewWork[], join: string): NewWork[] {
  return works.filter((work) => work.kind !== "event" && work.join === join);
}
