/** All that an engine shows of itself, read through its own `find` and `count`. */
import type { CountRow, Engine, EventRow, GateRow, JobRow, JoinRow, LaneRow, LockRow, Note, ProcessRow } from "../../src/core/engine.ts";
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
  const { rows: jobs } = await engine.find({ of: "jobs", where: {}, limit }, at);
  const { rows: notes } = await engine.find({ of: "notes", prefix: "", limit }, at);
  const { rows: events } = await engine.find({ of: "events", limit }, at);
  const { rows: lanes } = await engine.find({ of: "lanes", limit }, at);
  const { rows: processes } = await engine.find({ of: "processes", limit }, at);
  const { rows: locks } = await engine.find({ of: "locks", limit }, at);
  const joins = names.joins.length === 0 ? [] : (await engine.find({ of: "joins", ids: names.joins }, at)).rows;
  const gates = names.gates.length === 0 ? [] : (await engine.find({ of: "gates", names: names.gates }, at)).rows;
  const byId = new Map(jobs.map((job) => [job.id, job]));
  return { jobs, byId, counts: await engine.count(at), notes, events, lanes, processes, locks, joins, gates, areGatesAsked: names.gates.length > 0 };
}
