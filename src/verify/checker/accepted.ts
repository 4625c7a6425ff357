/** What was accepted is there and done, and nothing else is. */
import type { Invariant } from "./invariant.ts";
import { firstEnd, handedIn, isAccepted, isOf, type JobRecord, type Ledger } from "./ledger.ts";

/** Accepted, and not there; or said to be done, and not done. */
export function whyLost(record: JobRecord): string | undefined {
  const [stored] = record.stored;
  if (stored === undefined) return isAccepted(record) ? "was acknowledged, and the store does not know it" : undefined;
  if (stored.state === "completed" && firstEnd(record) === undefined) return "is completed, and none of its runs came to its end";
  return undefined;
}

const notLost: Invariant = {
  id: "I1",
  name: "no acknowledged job is lost",
  check: ({ ledger }, found) => {
    for (const record of ledger.jobs.values()) {
      if (record.stored.length === 0 && !isAccepted(record)) continue;
      const why = whyLost(record);
      found.look(why === undefined, () => `${record.n} ${why}`);
    }
  },
};

const notInvented: Invariant = {
  id: "I2",
  name: "nothing is stored or runs that was not asked for, or that was refused",
  check: ({ ledger }, found) => {
    for (const record of ledger.jobs.values()) {
      if (record.stored.length === 0 && record.runs.length === 0) continue;
      const kind = record.stored[0]?.kind ?? record.runs[0]?.kind;
      if (kind === "slot") continue; // I9
      const calls = kind === "hop" || kind === "callback" ? sourceOf(ledger, record.n) : handedIn(record);
      found.look(
        calls.some((call) => isOf(call) !== "fail"),
        () => `${record.n} ${record.runs.length > 0 ? "ran" : "is stored"}, and ${calls.length === 0 ? "nobody asked for it" : "was definitely refused"}`,
      );
    }
  },
};

function sourceOf(ledger: Ledger, n: string): ReturnType<typeof handedIn> {
  const of = n.slice(0, n.lastIndexOf("/"));
  const source = ledger.events.get(of) ?? ledger.batches.get(of);
  return source === undefined ? [] : [source];
}

const counted: Invariant = {
  id: "I20",
  name: "the store counts as many jobs in each state as it has",
  check: ({ ledger }, found) => {
    const listed = new Map<string, number>();
    for (const { stored } of ledger.jobs.values()) for (const { state } of stored) listed.set(state, (listed.get(state) ?? 0) + 1);
    for (const { state, jobs } of ledger.counts) {
      const there = listed.get(state) ?? 0;
      found.look(there === jobs, () => `${jobs} jobs are counted as ${state}, and ${there} are listed`);
    }
  },
};

export const acceptedInvariants: readonly Invariant[] = [notLost, notInvented, counted];
