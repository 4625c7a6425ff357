/** All that an engine shows of itself, read through its own `find` and `count`. */
import type { CountRow, Engine, EventRow, GateRow, JobRow, JoinRow, LaneRow, LockRow, Maybe, Note, Page, ProcessRow, Query } from "../../src/core/engine.ts";
import type { Instant } from "../../src/core/runtime.ts";

export interface View {
  readonly jobs: readonly JobRow[];
  readonly byId: ReadonlyMap<string, JobRow>;
  readonly counts: readonly CountRow[];
  readonly notes: readonly Note[];
  readonly events: readonly EventRow[];
  readonly lanes: readonly LaneRow[];
  readonly processes: readonly ProcessRow[];
  readonly locks: readonly LockRow[];
  readonly joins: readonly JoinRow[];
  readonly gates: readonly GateRow[];
  readonly areGatesAsked: boolean;
}

/** What can be asked for by name only. */
export interface Names {
  readonly joins: readonly string[];
  readonly gates: readonly string[];
}

const limit = 1_000;

export const emptyView: View = {
  jobs: [],
  byId: new Map(),
  counts: [],
  notes: [],
  events: [],
  lanes: [],
  processes: [],
  locks: [],
  joins: [],
  gates: [],
  areGatesAsked: false,
};

export async function viewOf(engine: Engine, now: Instant, names: Names): Promise<View> {
  const at = { now };
  const [jobs, notes, events, lanes, processes, locks, joins, gates, counts] = await Promise.all([
    rowsOf(engine.find({ of: "jobs", where: {}, limit }, at)),
    rowsOf(engine.find({ of: "notes", prefix: "", limit }, at)),
    rowsOf(engine.find({ of: "events", limit }, at)),
    rowsOf(engine.find({ of: "lanes", limit }, at)),
    rowsOf(engine.find({ of: "processes", limit }, at)),
    rowsOf(engine.find({ of: "locks", limit }, at)),
    names.joins.length === 0 ? [] : rowsOf(engine.find({ of: "joins", ids: names.joins }, at)),
    names.gates.length === 0 ? [] : rowsOf(engine.find({ of: "gates", names: names.gates }, at)),
    engine.count(at),
  ]);
  const byId = new Map(jobs.map((job) => [job.id, job]));
  return { jobs, byId, counts, notes, events, lanes, processes, locks, joins, gates, areGatesAsked: names.gates.length > 0 };
}

async function rowsOf<Q extends Query>(page: Maybe<Page<Q>>): Promise<Page<Q>["rows"]> {
  return (await page).rows;
}
