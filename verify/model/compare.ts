/** Holds what an engine shows against the model. Texts that errand is free to word are compared by what they must say. */
import type { AttemptRow, JobRow, Note, Waits } from "../../src/core/engine.ts";
import type { ErrandError } from "../../src/core/errors.ts";
import { replayPrefix } from "../../src/core/notes.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { must, mustEqual } from "./divergence.ts";
import type { Model } from "./model.ts";
import { gateNames } from "./plans.ts";
import { gateRowsOf } from "./gates.ts";
import { joinRowOf, rowOf } from "./rows.ts";
import { joinWithId, processNamed } from "./state.ts";
import type { View } from "./view.ts";

export function compareViews(model: Model, view: View, now: Instant): void {
  const { state } = model;
  const expected = state.jobs.toSorted((a, b) => a.seq - b.seq);
  mustEqual(
    "the jobs, in the order of enqueue",
    view.jobs.map((job) => job.id),
    expected.map((job) => job.id),
  );
  for (const [index, job] of expected.entries()) {
    const row = view.jobs[index];
    if (row === undefined) continue;
    compareRow(row, rowOf(job, state), view, now);
    if (job.join !== undefined) mustEqual(`the own join of ${job.id}`, row.joins?.[0], joinWithId(state, job.join)?.id);
  }
  compareJoins(model, view);
  if (view.areGatesAsked) mustEqual("the gates", sorted(view.gates), sorted(gateRowsOf(state, gateNames, now)));
  mustEqual("the counts", sorted(view.counts.filter((row) => row.jobs > 0)), sorted(model.count()));
  mustEqual("the notes", notesOf(view.notes), notesOf(state.notes));
  mustEqual("the closed lanes", sorted(view.lanes), sorted(state.closedLanes));
  mustEqual("the events", sorted(view.events), sorted(state.events.map(({ content: _, rememberMs: __, ...event }) => event)));
  compareLocks(model, view);
  compareProcesses(model, view);
}

/** By the order of storing. A failed join without members may show it as it likes. */
function compareJoins({ state }: Model, view: View): void {
  mustEqual(
    "the joins, in the order of storing",
    view.joins.map((join) => join.id),
    state.joins.map((join) => join.id),
  );
  for (const [index, join] of state.joins.entries()) mustEqual(`join ${join.id}`, view.joins[index], joinRowOf(join, state));
}

function compareRow(got: JobRow, expected: JobRow, view: View, now: Instant): void {
  const what = `job ${got.id} (${expected.state})`;
  compareWaits(what, got, expected, view);
  must(got.waits === undefined || (got.waits.since >= got.enqueuedAt && got.waits.since <= now), `${what} waits since ${got.waits?.since}`);
  compareReason(what, got, expected.reason, view);
  const normal = (row: JobRow): object => ({
    ...row,
    waits: row.waits?.reason === "after" && isHeldTwice(row, view) ? "join" : row.waits?.reason,
    isPoison: row.isPoison ?? false,
    reason: undefined,
    joins: row.joins?.toSorted(),
    history: row.history.map(normalAttempt),
  });
  mustEqual(what, normal(got), normal(expected));
}

/** `since` and `on` are free within what they must name. */
function compareWaits(what: string, got: JobRow, expected: JobRow, view: View): void {
  const { waits } = got;
  if (waits === undefined || expected.waits === undefined) return mustEqual(`${what} waits`, waits, expected.waits);
  must(namesIt(waits, got, view), `${what} waits for ${waits.reason} on ${JSON.stringify(waits.on)}`);
}

/** A member of a cancelled join that comes after something as well: either holds it. */
function isHeldTwice(row: JobRow, view: View): boolean {
  return row.after !== undefined && view.joins.some((join) => join.id === row.joins?.[0] && join.isCancelled);
}

function namesIt({ reason, on }: Waits, row: JobRow, view: View): boolean {
  const isInstant = on === String(row.dueAt) || on === new Date(row.dueAt).toISOString();
  if (reason === "time" || reason === "retry" || reason === "snooze") return isInstant;
  if (reason === "limit") return row.keyLimits?.some((limit) => limit.key === on) ?? false;
  if (reason === "join") return row.joins?.[0] === on;
  if (reason === "after") return row.after?.some((one) => one.id === on) ?? false;
  if (reason === "key" || reason === "parked") return on === row.lane || view.byId.has(on) || view.lanes.some((lane) => lane.closedBy === on);
  return on === row.queue || on === row.task || on === "";
}

/** Reasons that callers gave come back; errand's own are free, but for the one of a job that was too late. */
function compareReason(what: string, row: JobRow, expected: string | undefined, view: View): void {
  const { reason: got, state, claim } = row;
  if (expected === "quarantined" || expected === "" || (expected === undefined && (state === "parked" || claim?.isCancelling))) return;
  if (expected === undefined) return must(got === undefined, `${what}: reason ${JSON.stringify(got)} though it is ${state}`);
  if (expected.startsWith("too late")) return must(got?.startsWith("too late: not started by ") ?? false, `${what}: reason ${JSON.stringify(got)}`);
  // Where several ended otherwise, any of them may be named.
  const told = [...(row.after ?? []), ...view.joins.flatMap((join) => join.after ?? [])].find(({ id }) => got?.includes(` ${id}, which `));
  if (expected.startsWith("not ") && got?.slice(0, 11) === expected.slice(0, 11) && told) return;
  mustEqual(`${what}: reason`, got, expected);
}

function normalAttempt(row: AttemptRow): object {
  return row.ranMs === undefined ? { ...row, reason: undefined } : row;
}

function compareLocks(model: Model, view: View): void {
  const shape = (lock: { name: string; mode: string; ticket: string; process: string; isGranted: boolean; fence: number }): object => ({
    name: lock.name,
    mode: lock.mode,
    ticket: lock.ticket,
    process: lock.process,
    isGranted: lock.isGranted,
    fence: lock.isGranted ? lock.fence : 0,
  });
  mustEqual("the locks", sorted(view.locks.map(shape)), sorted(model.state.tickets.map(shape)));
}

/** A process that holds jobs is shown with its lease; whether one that holds none is shown is free. */
function compareProcesses(model: Model, view: View): void {
  const running = Map.groupBy(
    model.state.jobs.filter((job) => job.claim !== undefined),
    (job) => job.claim?.process ?? "",
  );
  for (const [process, jobs] of running) {
    const row = view.processes.find((shown) => shown.process === process);
    const leaseUntil = processNamed(model.state, process)?.leaseUntil;
    mustEqual(`process ${process}`, { leaseUntil: row?.leaseUntil, running: row?.running }, { leaseUntil, running: jobs.length });
  }
  for (const row of view.processes) must(row.running === 0 || running.has(row.process), `process ${row.process} is shown to run ${row.running} jobs`);
}

/** How far a replay has come is the engine's own. */
export function notesOf(notes: readonly Note[]): readonly object[] {
  return sorted(notes.filter((note) => !note.key.startsWith(replayPrefix)));
}

/** What is stored together and has several faults is refused for any of them. */
export function isRefusal({ code }: ErrandError): boolean {
  return refusals.has(code);
}

const refusals: ReadonlySet<string> = new Set(["id-conflict", "note-conflict", "after-unknown", "join-closed", "join-incomplete", "graph-cycle"]);

/** By what names a row. */
export function sorted(rows: readonly object[]): readonly object[] {
  if (rows.length < 2) return rows;
  return rows
    .map((row) => ({ row, name: nameOf(row as Named) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ row }) => row);
}

type Named = Readonly<Record<"id" | "key" | "name" | "kind" | "ticket" | "lane" | "process" | "queue" | "task" | "state", unknown>>;

function nameOf({ id, key, name, kind, ticket, lane, process, queue, task, state }: Named): string {
  return [id, key, name, kind, ticket, lane, process, queue, task, state].join(" ");
}
