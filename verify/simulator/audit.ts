/** What must have come of it all, when every fault is over and nothing is left to do. Complaints begin with the number of the invariant. */
import type * as port from "../../src/core/engine.ts";
import type { Instant, Ms } from "../../src/core/runtime.ts";
import { isEnded } from "../../src/core/states.ts";
import type { StoreWatch } from "./storeWatch.ts";
import { tickEveryMs, type HandedIn, type Ledger } from "./workload.ts";

export interface Life {
  readonly handedIn: readonly HandedIn[];
  readonly ledger: Ledger;
  readonly watch: StoreWatch;
  readonly rows: readonly port.JobRow[];
  readonly events: readonly port.EventRow[];
  readonly now: Instant;
}

/** A schedule goes on while the life is looked at: its last jobs may run still. */
const lastSlotsMs: Ms = 60_000;

const workOf = (row: port.JobRow): { readonly n: number; readonly key: string } => JSON.parse(row.payload) as { n: number; key: string };

export function audit(life: Life): readonly string[] {
  return [
    ...endings(life),
    ...acceptances(life),
    ...alone(life),
    ...order(life),
    ...batches(life),
    ...follows(life),
    ...fanOut(life),
    ...slots(life),
    ...counted(life),
  ];
}

/** I1, I3, I11: each job has ended, and as the store told when it did. */
function endings({ rows, watch, ledger, now }: Life): string[] {
  return rows.flatMap((row) => {
    const who = `${row.task} ${row.id}`;
    if (!isEnded(row.state) && row.task === "tick" && row.dueAt > now - lastSlotsMs) return [];
    if (!isEnded(row.state)) return [`I1 ${who} is ${row.state} at the end, waiting for ${row.waits?.reason ?? row.claim?.process ?? "nothing"}`];
    const told = watch.endOf(row.id);
    if (told !== undefined && told !== row.state) return [`I3 ${who} is ${row.state}, and was told to be ${told}`];
    const isRecorded = !["tick", "locking"].includes(row.task);
    if (row.state === "completed" && isRecorded && !ledger.done.has(`${row.task} ${workOf(row).n}`))
      return [`I1 ${who} is completed, and no run of it came to its end`];
    if (row.state === "dead" && row.isPoison !== true) return [`I13 ${who} is dead: ${row.reason ?? ""}`];
    return [];
  });
}

/** I1, I2: what was acknowledged is there, and what was refused for sure is not. */
function acceptances({ handedIn, rows }: Life): string[] {
  const ids = new Set(rows.map(({ id }) => id));
  const byWork = new Set(rows.map((row) => (row.task === "tick" ? "" : `${row.task} ${workOf(row).n}`)));
  return handedIn.flatMap(({ part, n, id, isRefused }) => {
    if (part === "event" || part === "batch") return [];
    if (id !== undefined && !ids.has(id)) return [`I1 ${part} ${n} was acknowledged as ${id}, and there is no such job`];
    const task = { delayed: "plain", follow: "parent", lock: "locking" }[part as string] ?? part;
    if (id === undefined && isRefused && byWork.has(`${task} ${n}`)) return [`I2 ${part} ${n} was refused for sure, and is there`];
    return [];
  });
}

/** I10: of two jobs of one unique key, the later came when the earlier had ended. */
function alone({ rows }: Life): string[] {
  const byKey = Map.groupBy(
    rows.filter(({ task }) => task === "unique"),
    (row) => workOf(row).key,
  );
  return Array.from(byKey).flatMap(([key, own]) =>
    own.flatMap((row, nth) => {
      const before = own[nth - 1];
      return before === undefined || row.enqueuedAt >= (before.endedAt ?? Number.POSITIVE_INFINITY)
        ? []
        : [`I10 ${row.id} and ${before.id} of ${key} lived at once`];
    }),
  );
}

/** I6: the jobs of a lane were completed in the order of enqueue. */
function order({ watch, rows }: Life): string[] {
  const place = new Map(rows.map(({ id }, at) => [id, at]));
  return Array.from(watch.inLanes).flatMap(([lane, ids]) => {
    const places = ids.map((id) => place.get(id) ?? -1);
    return places.every((at, nth) => nth === 0 || at > (places[nth - 1] ?? -1))
      ? []
      : [`I6 ${lane} was completed in the order ${ids.join(", ")}, enqueued otherwise`];
  });
}

/** I8: the callback of each batch is there once. */
function batches({ handedIn, rows }: Life): string[] {
  const closings = countOf(rows, "closing");
  return handedIn
    .filter(({ part, id }) => part === "batch" && id !== undefined)
    .flatMap(({ n }) => (closings.get(n) === 1 ? [] : [`I8 batch ${n} has ${closings.get(n) ?? 0} callbacks`]));
}

/** What a run hands in is stored with its completion: one child for each parent that is completed. */
function follows({ rows }: Life): string[] {
  const children = countOf(rows, "child");
  return rows
    .filter(({ task }) => task === "parent")
    .flatMap((row) => {
      const { n } = workOf(row);
      const expected = row.state === "completed" ? 1 : 0;
      const has = children.get(n) ?? 0;
      return has === expected || expected === 0 ? [] : [`I8 parent ${n} is ${row.state} and has ${has} children`];
    });
}

/** I15: each event that was acknowledged has one job for each subscription. */
function fanOut({ handedIn, rows, events }: Life): string[] {
  const ids = new Set(events.map(({ id }) => id));
  const [hops, others] = [countOf(rows, "hop"), countOf(rows, "other")];
  return handedIn
    .filter(({ part, id }) => part === "event" && id !== undefined)
    .flatMap(({ n }) => {
      if (!ids.has(`event-${n}`)) return [`I15 event ${n} was acknowledged, and is not there`];
      return hops.get(n) === 1 && others.get(n) === 1 ? [] : [`I15 event ${n} has ${hops.get(n) ?? 0} and ${others.get(n) ?? 0} jobs of its two subscriptions`];
    });
}

/** I9: from the first slot to the last, each is there once. */
function slots({ rows }: Life): string[] {
  const at = rows.flatMap(({ task, slotAt }) => (task === "tick" && slotAt !== undefined ? [slotAt] : [])).toSorted((a, b) => a - b);
  return at.flatMap((slot, nth) => {
    const before = at[nth - 1];
    return before === undefined || slot - before === tickEveryMs ? [] : [`I9 after the slot at ${before} comes one at ${slot}`];
  });
}

/** I16: what is written under a lock, with its fence, is never lost. */
function counted({ ledger }: Life): string[] {
  const { value, writes } = ledger.counter;
  return value === writes ? [] : [`I16 ${writes} writes under the lock left ${value}`];
}

function countOf(rows: readonly port.JobRow[], task: string): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (const row of rows) if (row.task === task) found.set(workOf(row).n, (found.get(workOf(row).n) ?? 0) + 1);
  return found;
}
