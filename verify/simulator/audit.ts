/** What must have come of it all, when every fault is over and nothing is left to do. Complaints begin with the number of the invariant. */
import type * as port from "../../src/core/engine.ts";
import type { Ms } from "../../src/core/runtime.ts";
import { subscriptionKey } from "../../src/core/notes.ts";
import { isEnded } from "../../src/core/states.ts";
import type { HandedIn } from "./handIn.ts";
import { firstVersion, versionOf, type Ledger } from "./ledger.ts";
import type { StoreWatch } from "./storeWatch.ts";
import { tickEveryMs } from "./workload.ts";

export interface Life {
  readonly handedIn: readonly HandedIn[];
  readonly ledger: Ledger;
  readonly watch: StoreWatch;
  readonly rows: readonly port.JobRow[];
  readonly events: readonly port.EventRow[];
  readonly counts: readonly port.CountRow[];
  /** What a store that went back does not know any more, and how often it did. */
  readonly forgotten: ReadonlySet<string>;
  readonly rewinds: number;
}

/** A schedule goes on while the life is looked at: its last jobs may run still. */
const lastSlotsMs: Ms = 60_000;

/** A job that is in flight so often when its process is gone, one time after the other, is put aside: twice among others, twice alone. */
const deathsMax = 4;
const partsByTask: Readonly<Record<string, string>> = {
  delayed: "plain",
  try: "plain",
  follow: "parent",
  lock: "locking",
  debounce: "debounced",
  guard: "guarded",
};

const workOf = (row: port.JobRow): { readonly n: number; readonly key: string } => JSON.parse(row.payload) as { n: number; key: string };
/** Not by itself: those of a schedule and of a reconciliation. */
const isHandedIn = ({ task }: port.JobRow): boolean => task !== "tick" && !task.startsWith("errand.");

export function audit(life: Life): readonly string[] {
  return [
    ...endings(life),
    ...poison(life),
    ...acceptances(life),
    ...premises(life),
    ...alone(life),
    ...order(life),
    ...batches(life),
    ...follows(life),
    ...fanOut(life),
    ...slots(life),
    ...locked(life),
    ...counted(life),
  ];
}

/** I1, I3, I11: each job has ended, and as the store told when it did. */
function endings({ rows, watch, ledger }: Life): string[] {
  return rows.flatMap((row) => {
    const who = `${row.task} ${row.id}`;
    if (!isEnded(row.state) && !isHandedIn(row) && row.dueAt > watch.now - lastSlotsMs) return [];
    if (!isEnded(row.state)) return [`I1 ${who} is ${row.state} at the end, waiting for ${row.waits?.reason ?? row.claim?.process ?? "nothing"}`];
    const told = watch.endOf(row.id);
    if (told !== undefined && told !== row.state) return [`I3 ${who} is ${row.state}, and was told to be ${told}`];
    const isRecorded = isHandedIn(row) && !["locking", "effect", "bomb"].includes(row.task);
    if (row.state === "completed" && isRecorded && !ledger.done.has(`${row.task} ${workOf(row).n}`))
      return [`I1 ${who} is completed, and no run of it came to its end`];
    if (row.state === "dead" && row.isPoison !== true && !isUnlucky(row)) return [`I13 ${who} is dead: ${row.reason ?? ""} ${JSON.stringify(row.history)}`];
    return [];
  });
}

/** What it needs while it runs was not to be had at any of its attempts: the store for its progress, a lock that others hold. */
function isUnlucky({ task, history }: port.JobRow): boolean {
  const needs = ["locking", "steps"].includes(task) || task.startsWith("errand.");
  return needs && history.every(({ is, error }) => is === "crashed" || error?.code?.startsWith("lock-") === true || error?.code?.startsWith("store-") === true);
}

/** I13: what kills its process is contained, and nothing is put aside that was not in flight in as many deaths. */
function poison({ rows, watch, ledger, rewinds }: Life): string[] {
  const tooMany = [...ledger.deaths]
    .filter(([, deaths]) => deaths > deathsMax * (rewinds + 1))
    .map(([n, deaths]) => `I13 bomb ${n} killed ${deaths} processes`);
  const innocent = rows.filter((row) => row.isPoison === true && watch.handedOut(row.id) < deathsMax);
  return [...tooMany, ...innocent.map(({ task, id }) => `I13 ${task} ${id} was put aside after it was handed out ${watch.handedOut(id)} times`)];
}

/** I1, I2: what was acknowledged is there, and what was refused for sure is not. */
function acceptances({ handedIn, rows, watch, forgotten }: Life): string[] {
  const ids = new Set(rows.map(({ id }) => id));
  const byWork = new Set(rows.filter(isHandedIn).map((row) => `${row.task} ${workOf(row).n}`));
  return handedIn.flatMap(({ part, n, id, isRefused }) => {
    if (part === "event" || part === "batch") return [];
    if (id !== undefined && !ids.has(id) && !forgotten.has(id) && !watch.isDeleted(id))
      return [`I1 ${part} ${n} was acknowledged as ${id}, and there is no such job`];
    if (id === undefined && isRefused && byWork.has(`${partsByTask[part] ?? part} ${n}`)) return [`I2 ${part} ${n} was refused for sure, and is there`];
    return [];
  });
}

/** I19: skipped is what relied on what had changed, and nothing else. */
function premises({ rows, ledger }: Life): string[] {
  return rows.flatMap((row) => {
    if (row.task !== "guarded" || row.state !== "skipped") return [];
    const { n } = workOf(row);
    return versionOf(ledger, n) === firstVersion ? [`I19 guarded ${n} was skipped, and nothing had changed: ${row.reason ?? ""}`] : [];
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
function batches({ handedIn, rows, forgotten }: Life): string[] {
  const closings = countOf(rows, "closing");
  return handedIn
    .filter(({ part, id }) => part === "batch" && id !== undefined && !forgotten.has(id))
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

/** I15: each event that was acknowledged has one job for each subscription that there was. */
function fanOut({ handedIn, rows, events, watch, forgotten }: Life): string[] {
  const ids = new Set(events.map(({ id }) => id));
  const [hops, others] = [countOf(rows, "hop"), countOf(rows, "other")];
  return handedIn
    .filter(({ part, id }) => part === "event" && id !== undefined)
    .flatMap(({ n }) => {
      const id = `event-${n}`;
      if (!ids.has(id)) return forgotten.has(id) ? [] : [`I15 event ${n} was acknowledged, and is not there`];
      const expected = watch.subscriptionsOf(id);
      const [wanted, wantedToo] = [Number(expected.includes(subscriptionKey("to-hop"))), Number(expected.includes(subscriptionKey("to-other")))];
      const [has, hasToo] = [hops.get(n) ?? 0, others.get(n) ?? 0];
      return has === wanted && hasToo === wantedToo
        ? []
        : [`I15 event ${n} has ${has} and ${hasToo} jobs of its subscriptions, for ${wanted} and ${wantedToo}`];
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

/** I20: what is counted is what is there. */
function counted({ rows, counts }: Life): string[] {
  const there = new Map<string, number>();
  for (const { queue, task, state } of rows) there.set(`${queue} ${task} ${state}`, (there.get(`${queue} ${task} ${state}`) ?? 0) + 1);
  const told = new Map(counts.filter(({ jobs }) => jobs > 0).map(({ queue, task, state, jobs }) => [`${queue} ${task} ${state}`, jobs]));
  return [...new Set([...there.keys(), ...told.keys()])].flatMap((line) =>
    there.get(line) === told.get(line) ? [] : [`I20 ${told.get(line) ?? 0} of ${line} are counted, and ${there.get(line) ?? 0} are there`],
  );
}

/** I16: what is written under a lock, with its fence, is never lost. */
function locked({ ledger }: Life): string[] {
  const { value, writes } = ledger.counter;
  return value === writes ? [] : [`I16 ${writes} writes under the lock left ${value}`];
}

function countOf(rows: readonly port.JobRow[], task: string): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (const row of rows) if (row.task === task) found.set(workOf(row).n, (found.get(workOf(row).n) ?? 0) + 1);
  return found;
}
