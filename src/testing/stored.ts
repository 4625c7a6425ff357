/** What the store holds, compared with what a test expects of it. */
import { isDeepStrictEqual } from "node:util";
import { at } from "../core/at.ts";
import { pageMax } from "../core/defaults.ts";
import type { Engine, EventRow, JobRow, NewJob, Page, Query, Row } from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import type { Fact } from "../core/event.ts";
import type { Planner } from "../core/plan.ts";
import type { Runtime } from "../core/runtime.ts";
import { madeByTaskWith, type AnyErrandOptions, type Errand, type TaskOf } from "../core/task.ts";
import { isBatchStored, shownBatch, shownJoin, type Rows } from "./storedBatch.ts";

const listedMax = 20;

export class Stored {
  readonly #engine: Engine;
  readonly #runtime: Runtime;
  readonly #planner: Planner;

  constructor(parts: { readonly engine: Engine; readonly runtime: Runtime; readonly planner: Planner }) {
    this.#engine = parts.engine;
    this.#runtime = parts.runtime;
    this.#planner = parts.planner;
  }

  /** In the order of enqueue, whatever became of them, hops included. */
  jobs(task?: string): Promise<JobRow[]> {
    const where = task === undefined ? {} : { task };
    return this.#all((after) => ({ of: "jobs", where, limit: pageMax, ...after }));
  }

  events(name?: string): Promise<EventRow[]> {
    return this.#all((after) => ({ of: "events", ...(name !== undefined && { name }), limit: pageMax, ...after }));
  }

  async assertEnqueued(errand: Errand): Promise<void> {
    if (isGroup(errand)) return this.#assertBatch(errand);
    const expected = await this.#job(errand);
    const options = optionsOf(errand);
    const rows = await this.jobs();
    if (rows.some((row) => isEnqueuedAs(row, expected, options))) return;
    throw new ErrandError(
      "assertion-failed",
      `${expected.task} ${expected.payload}${shownOptions(options)} was not enqueued; ${listOf("enqueued", rows, (row) => shownJob(row))}`,
    );
  }

  async assertNotEnqueued(what: Errand | TaskOf<never>): Promise<void> {
    if (what.kind === "errand" && isGroup(what)) return this.#assertNoBatch(what);
    const fits = what.kind === "task" ? () => true : await this.#fits(what);
    const found = (await this.jobs(what.name)).filter((row) => !isHop(row) && fits(row));
    if (found.length === 0) return;
    throw new ErrandError("assertion-failed", `${what.name} was enqueued and should not have been; ${listOf("enqueued", found, (row) => shownJob(row))}`);
  }

  async assertPublished(fact: Fact): Promise<void> {
    const expected = await this.#planner.event(fact);
    const rows = await this.events();
    if (rows.some((row) => row.name === expected.name && isSameJson(row.payload, expected.payload) && (expected.rememberMs === 0 || row.id === expected.id)))
      return;
    throw new ErrandError(
      "assertion-failed",
      `${expected.name} ${expected.payload} was not published; ${listOf("published", rows, (row) => `${row.name} ${row.payload}`)}`,
    );
  }

  /** What an errand comes after is compared by id; an errand named there is not in this call. */
  async #job(errand: Errand): Promise<NewJob> {
    const [work] = (await this.#planner.plan([errand])).works;
    if (work?.kind !== "job") throw new TypeError("a job was planned as something else");
    return work;
  }

  async #assertBatch(errand: Errand): Promise<void> {
    const [plan, rows] = [await this.#planner.plan([errand]), await this.#rows()];
    if (isBatchStored(plan, rows, isMemberAs)) return;
    throw new ErrandError("assertion-failed", `${shownBatch(plan)} was not enqueued; ${listOf("enqueued", rows.joins, (row) => shownJoin(row, rows))}`);
  }

  async #assertNoBatch(errand: Errand): Promise<void> {
    const plan = await this.#planner.plan([errand]);
    if (isBatchStored(plan, await this.#rows(), isMemberAs))
      throw new ErrandError("assertion-failed", `${shownBatch(plan)} was enqueued and should not have been`);
  }

  async #rows(): Promise<Rows> {
    const joins = await this.#all((after) => ({ of: "joins", limit: pageMax, ...after }));
    // Grows while it is gone through: batches within batches.
    for (const { id } of joins) joins.push(...(await this.#all((after) => ({ of: "joins", parent: id, limit: pageMax, ...after }))));
    return { jobs: await this.jobs(), joins };
  }

  async #fits(errand: Errand): Promise<(row: JobRow) => boolean> {
    const expected = await this.#job(errand);
    return (row) => isEnqueuedAs(row, expected, optionsOf(errand));
  }

  async #all<Q extends Query>(query: (after: { readonly after?: string }) => Q): Promise<Row<Q["of"]>[]> {
    const rows: Row<Q["of"]>[] = [];
    let page: Page<Q> | undefined;
    do {
      page = await this.#engine.find(query(page?.next === undefined ? {} : { after: page.next }), at(this.#runtime));
      rows.push(...page.rows);
    } while (page.next !== undefined);
    return rows;
  }
}

/** A hop carries the event; the task's own job comes out of it. */
export function isHop(row: JobRow): boolean {
  return row.from?.isHop === true;
}

/** Task and payload; and of the errand's options those that it was given. A due time is compared until the job has first started: retries move it. */
function isEnqueuedAs(row: JobRow, expected: NewJob, options: AnyErrandOptions): boolean {
  if (isHop(row) || row.task !== expected.task || !isPayload(row.payload, expected)) return false;
  if (options.id !== undefined && row.id !== options.id) return false;
  if (options.priority !== undefined && row.headStartMs !== expected.headStartMs) return false;
  if (expected.expecting !== undefined && !isSameJson(row.expecting ?? "null", expected.expecting)) return false;
  if (!(expected.after ?? []).every(({ id }) => row.after?.some((each) => each.id === id))) return false;
  const dueAt = expected.dueAt ?? (expected.delayMs === undefined ? undefined : row.enqueuedAt + expected.delayMs);
  return dueAt === undefined || row.starts > 0 || row.dueAt === Math.max(dueAt, row.enqueuedAt);
}

/** As a member of a batch: its due time is not compared, since it may count from when its batch let it go. */
function isMemberAs(row: JobRow, expected: NewJob): boolean {
  if (isHop(row) || row.task !== expected.task || row.headStartMs !== expected.headStartMs || !isSameJson(row.payload, expected.payload)) return false;
  return expected.expecting === undefined || isSameJson(row.expecting ?? "null", expected.expecting);
}

function isGroup(errand: Errand): boolean {
  return errand[madeByTaskWith].task === undefined;
}

function optionsOf(errand: Errand): AnyErrandOptions {
  return errand[madeByTaskWith].options;
}

/** Of one that gathers: among what it gathered. */
function isPayload(stored: string, { payload, unique }: NewJob): boolean {
  if (unique?.mode.is !== "gather") return isSameJson(stored, payload);
  const [expected] = JSON.parse(payload) as readonly unknown[];
  return (JSON.parse(stored) as readonly unknown[]).some((element) => isDeepStrictEqual(element, expected));
}

function isSameJson(one: string, other: string): boolean {
  return one === other || isDeepStrictEqual(JSON.parse(one), JSON.parse(other));
}

function listOf<T>(verb: string, rows: readonly T[], shown: (row: T) => string): string {
  if (rows.length === 0) return `nothing was ${verb}`;
  const more = rows.length > listedMax ? [`and ${rows.length - listedMax} more`] : [];
  return [`${verb} were:`, ...rows.slice(0, listedMax).map(shown), ...more].join("\n  ");
}

function shownJob(row: JobRow): string {
  if (isHop(row)) return `${row.from?.event} ${row.payload}, of which drain() makes ${row.task}`;
  const due = row.state === "scheduled" ? `, due ${new Date(row.dueAt).toISOString()}` : "";
  return `${row.task} ${row.payload} (${row.state}${due})`;
}

function shownOptions(options: AnyErrandOptions): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const shown = (value: unknown): string => (value instanceof Date ? value.toISOString() : typeof value === "string" ? value : JSON.stringify(value));
  return given.length === 0 ? "" : ` with ${given.map(([name, value]) => `${name} ${shown(value)}`).join(", ")}`;
}
