/** `errand batches list`: a page, newest first, without those that are in others. */
import type { JoinRow } from "../core/engine.ts";
import { inWords } from "../core/duration.ts";
import { realRuntime } from "../runtime/real.ts";
import { numberOf, usage, type Arguments } from "./arguments.ts";
import { remark, say } from "./output.ts";
import { plainJson } from "./plain.ts";
import type { OpenStore } from "./store.ts";
import { table } from "./table.ts";

const rowsDefault = 50;
const rowsMax = 1_000;

export async function listBatches({ engine }: OpenStore, given: Arguments): Promise<number> {
  const after = given.text("after");
  if (after !== undefined && !/^\d+$/.test(after)) throw usage(`--after is "${after}"; give what the page before names`);
  const limit = numberOf(given, "limit", rowsDefault, 1, rowsMax);
  const { rows, next } = await engine.find({ of: "joins", limit, newestFirst: true, ...(after !== undefined && { after }) }, {});
  if (given.has("json")) say(plainJson({ batches: rows.map(summary), next: next ?? null }));
  else if (rows.length > 0) say(batchTable(rows));
  if (rows.length === 0) remark("there is no batch and no chain");
  else if (next !== undefined && !given.has("json")) remark(`there may be more: --after ${next}`);
  return rows.length === 0 ? 3 : 0;
}

function batchTable(rows: readonly JoinRow[]): string {
  const now = realRuntime().now();
  return table(rows, [
    { title: "id", of: ({ id }) => id },
    { title: "name", of: ({ name }) => name },
    { title: "state", of: ({ state, isCancelled }) => (isCancelled ? `${state}, cancelled` : state) },
    { title: "members", of: ({ members }) => members },
    { title: "ended", of: ({ members, live }) => members - live },
    { title: "badly", of: ({ failed }) => failed },
    { title: "age", of: ({ storedAt }) => inWords(Math.max(0, now - storedAt)), spare: 1 },
  ]);
}

function summary({ id, name, state, isCancelled, members, live, succeeded, failed, storedAt, closedAt }: JoinRow): Readonly<Record<string, unknown>> {
  return {
    id,
    name,
    state,
    isCancelled,
    counts: { members, live, succeeded, failed },
    storedAt: new Date(storedAt),
    closedAt: closedAt === undefined ? null : new Date(closedAt),
  };
}
