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
    const expected = await this.#planner.job(errand);
    const options = optionsOf(errand);
    const rows = await this.jobs();
    if (rows.some((row) => isEnqueuedAs(row, expected, options))) return;
    throw new ErrandError(
      "assertion-failed",
      `${expected.task} ${expected.payload}${shownOptions(options)} was not enqueued; ${listOf("enqueued", rows, (row) => shownJob(row))}`,
    );
  }

  async assertNotEnqueued(what: Errand | TaskOf<never>): Promise<void> {
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

  async #fits(errand: Errand): Promise<(row: JobRow) => boolean> {
    const expected = await this.#planner.job(errand);
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
  if (isHop(row) || row.task !== expected.task || !isSameJson(row.payload, expected.payload)) return false;
  if (options.id !== undefined && row.id !== options.id) return false;
  if (options.priority !== undefined && row.headStartMs !== expected.headStartMs) return false;
  const dueAt = expected.dueAt ?? (expected.delayMs === undefined ? undefined : row.enqueuedAt + expected.delayMs);
  return dueAt === undefined || row.starts > 0 || row.dueAt === Math.max(dueAt, row.enqueuedAt);
}

function optionsOf(errand: Errand): AnyErrandOptions {
  return errand[madeByTaskWith].options;
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
  return given.length === 0 ? "" : ` with ${given.map(([name, value]) => `${name} ${value instanceof Date ? value.toISOString() : String(value)}`).join(", ")}`;
}
