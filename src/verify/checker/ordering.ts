/** Keys: one after the other in the order of enqueue, or one at all. */
import type { Found, Invariant } from "./invariant.ts";
import { firstEnd, firstStart, handedIn, isOf, okOf, type JobRecord, type Ledger } from "./ledger.ts";

export function byKey(ledger: Ledger, kind: "ordered" | "unique"): Map<string, JobRecord[]> {
  const keyOf = ({ calls }: JobRecord): string | undefined => {
    const asked = calls[0]?.asked;
    return asked?.op === "enqueue" && asked.kind === kind ? asked.key : undefined;
  };
  const keyed = Map.groupBy(ledger.jobs.values(), keyOf);
  keyed.delete(undefined);
  return keyed as Map<string, JobRecord[]>;
}

/** Where one of a key is put aside, those behind it are parked until somebody decides. */
export function heldByPoison(ledger: Ledger): ReadonlySet<string> {
  const held = [...byKey(ledger, "ordered").values()].filter((records) => records.some(({ stored }) => stored.some(({ isPoison }) => isPoison)));
  return new Set(held.flatMap((records) => records.flatMap(({ n, stored }) => (stored.some(({ state }) => state === "parked") ? [n] : []))));
}

/** By its first start; those that never started are left out. */
export function startedOf(records: readonly JobRecord[]): JobRecord[] {
  return records.filter((record) => firstStart(record) !== undefined).toSorted((a, b) => (firstStart(a) ?? 0) - (firstStart(b) ?? 0));
}

/** The next starts when the one before has come to its end. */
function lookForOverlap(key: string, records: readonly JobRecord[], found: Found): void {
  const started = startedOf(records);
  for (const [at, next] of started.entries()) {
    const before = started[at - 1];
    // One that was put aside has been ended by the store.
    if (before === undefined || before.stored.some(({ isPoison }) => isPoison)) continue;
    const [ended, start] = [firstEnd(before), firstStart(next) ?? 0];
    found.look(ended !== undefined && ended <= start, () => `${next.n} of key ${key} started before ${before.n} had come to its end`);
  }
}

/** Whoever was handed in after another one was acknowledged starts after it. */
function lookForOrder(key: string, records: readonly JobRecord[], found: Found): void {
  const started = startedOf(records).filter(({ calls }) => calls.some((call) => isOf(call) === "ok"));
  const begun = (record: JobRecord): number => Math.min(...record.calls.map(({ asked }) => asked.t));
  const acknowledged = (record: JobRecord): number => Math.min(...record.calls.map((call) => okOf(call)?.t ?? Number.POSITIVE_INFINITY));
  const byAcknowledged = started.toSorted((a, b) => acknowledged(a) - acknowledged(b));
  let [at, latest] = [0, undefined as JobRecord | undefined];
  for (const next of started.toSorted((a, b) => begun(a) - begun(b))) {
    for (let before = byAcknowledged[at]; before !== undefined && acknowledged(before) < begun(next); before = byAcknowledged[++at]) {
      if ((firstStart(before) ?? 0) > (latest === undefined ? 0 : (firstStart(latest) ?? 0))) latest = before;
    }
    const before = latest;
    if (before !== undefined)
      found.look(
        (firstStart(before) ?? 0) < (firstStart(next) ?? 0),
        () => `${next.n} of key ${key} started before ${before.n}, which was acknowledged before it was handed in`,
      );
  }
}

const ordered: Invariant = {
  id: "I6",
  name: "jobs of a key start in the order of enqueue, each after the end of the one before",
  check: ({ ledger }, found) => {
    for (const [key, records] of byKey(ledger, "ordered")) {
      lookForOverlap(key, records, found);
      lookForOrder(key, records, found);
    }
  },
};

const unique: Invariant = {
  id: "I10",
  name: "a unique key has one live job at most, and every loser is told of it; the same id is the same job",
  check: ({ ledger }, found) => {
    for (const [key, records] of byKey(ledger, "unique")) {
      lookForOverlap(key, records, found);
      const known = new Set(records.filter((record) => handedIn(record).some((call) => isOf(call) !== "fail")).map(({ n }) => n));
      for (const { n, calls } of records) {
        const told = calls.map((call) => okOf(call)?.id).find((id) => id !== undefined);
        if (told !== undefined) found.look(known.has(told), () => `${n} of key ${key} was told of ${told}, which is no job of that key`);
      }
    }
    for (const { n, calls, stored } of ledger.jobs.values()) {
      if (calls.length > 0 && stored.length > 0) found.look(stored.length === 1, () => `${n} is stored ${stored.length} times`);
    }
  },
};

export const orderingInvariants: readonly Invariant[] = [ordered, unique];
