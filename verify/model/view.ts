/** All that an engine shows of itself, read through its own `find` and `count`. */
import type { CountRow, Engine, EventRow, JobRow, LaneRow, LockRow, Note, ProcessRow } from "../../src/core/engine.ts";
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
}

const limit = 1_000;

export const emptyView: View = { jobs: [], byId: new Map(), counts: [], notes: [], events: [], lanes: [], processes: [], locks: [] };

export async function viewOf(engine: Engine, now: Instant): Promise<View> {
  const at = { now };
  const { rows: jobs } = await engine.find({ of: "jobs", where: {}, limit }, at);
  const { rows: notes } = await engine.find({ of: "notes", prefix: "", limit }, at);
  const { rows: events } = await engine.find({ of: "events", limit }, at);
  const { rows: lanes } = await engine.find({ of: "lanes", limit }, at);
  const { rows: processes } = await engine.find({ of: "processes", limit }, at);
  const { rows: locks } = await engine.find({ of: "locks", limit }, at);
  return { jobs, byId: new Map(jobs.map((job) => [job.id, job])), counts: await engine.count(at), notes, events, lanes, processes, locks };
}
