/** The checker: from the lines of a run to what held and what did not. Knows neither the store nor the processes. */
import type { FaultKind } from "../faults/fault.ts";
import type { Line } from "../history.ts";
import { acceptedInvariants, whyLost } from "./accepted.ts";
import { Causes } from "./causes.ts";
import { followingInvariants } from "./following.ts";
import { holdingInvariants } from "./holding.ts";
import { Found, type Invariant } from "./invariant.ts";
import { isAccepted, isOf, Ledger } from "./ledger.ts";
import { livingInvariants } from "./living.ts";
import { orderingInvariants } from "./ordering.ts";
import { owningInvariants } from "./owning.ts";
import { timingInvariants } from "./timing.ts";

export interface Looked {
  readonly id: string;
  readonly name: string;
  /** How often it was looked at; 0: the run had nothing of it. */
  readonly checked: number;
  readonly broken: number;
  /** At most 20. */
  readonly examples: readonly string[];
}

export interface Verdict {
  readonly held: boolean;
  readonly invariants: readonly Looked[];
  /** Calls by how they were answered. */
  readonly calls: Readonly<Record<"ok" | "fail" | "info", number>>;
  /** Jobs that were acknowledged, those of batches, events and schedules included. */
  readonly accepted: number;
  readonly lost: number;
  readonly starts: number;
  /** Jobs that lost their leases so often that they look like poison. */
  readonly putAside: number;
  readonly duplicates: { readonly total: number; readonly by: Readonly<Partial<Record<FaultKind, number>>>; readonly unexplained: number };
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** From a SIGKILL to the next start of what the killed worker ran; in ms, undefined where there was none. `soon`: how many took 10 s at most. */
  readonly recovery: { readonly jobs: number; readonly soon: number; readonly p50: number | undefined; readonly p99: number | undefined };
}

const number = ({ id }: Invariant): number => Number(id.slice(1));

export const invariants: readonly Invariant[] = [
  ...acceptedInvariants,
  ...owningInvariants,
  ...orderingInvariants,
  ...followingInvariants,
  ...timingInvariants,
  ...holdingInvariants,
  ...livingInvariants,
].toSorted((a, b) => number(a) - number(b));

export function check(lines: Iterable<Line>, which: readonly Invariant[] = invariants): Verdict {
  const ledger = new Ledger(lines);
  const causes = new Causes(ledger);
  const looked = which.map(({ id, name, check: look }): Looked => {
    const found = new Found();
    look({ ledger, causes }, found);
    return { id, name, checked: found.checked, broken: found.broken, examples: found.examples };
  });
  const records = [...ledger.jobs.values()];
  const calls = Object.groupBy(ledger.calls.values(), isOf);
  return {
    held: looked.every(({ broken }) => broken === 0),
    invariants: looked,
    calls: { ok: calls.ok?.length ?? 0, fail: calls.fail?.length ?? 0, info: calls.info?.length ?? 0 },
    accepted: records.filter((record) => record.stored.length > 0 || isAccepted(record)).length,
    lost: records.filter((record) => whyLost(record) !== undefined).length,
    starts: records.reduce((sum, { runs }) => sum + runs.length, 0),
    putAside: records.filter(({ stored }) => stored.some(({ isPoison }) => isPoison)).length,
    duplicates: duplicatesOf(ledger, causes),
    faults: counted(ledger.faults.map(({ kind }) => kind)),
    recovery: recoveryOf(ledger),
  };
}

function duplicatesOf({ jobs }: Ledger, causes: Causes): Verdict["duplicates"] {
  const again = [...jobs.values()].flatMap(({ runs }) => causes.startsAgain(runs));
  const explained = again.flatMap(({ cause }) => (cause === undefined ? [] : [cause.kind]));
  return { total: again.length, by: counted(explained), unexplained: again.length - explained.length };
}

function counted<K extends string>(kinds: readonly K[]): Partial<Record<K, number>> {
  const counts: Partial<Record<K, number>> = {};
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

const soonMs = 10_000;

function recoveryOf({ jobs, faults }: Ledger): Verdict["recovery"] {
  const kills = new Map(faults.flatMap(({ kind, on, from }) => (kind === "kill" ? [[on, from] as const] : [])));
  const tookMs = [...jobs.values()].flatMap(({ runs }) =>
    runs.flatMap(({ p, to }, at) => {
      const [killedAt, next] = [kills.get(p), runs[at + 1]];
      const isOfIt = killedAt !== undefined && to === undefined && next !== undefined && next.from > killedAt;
      return isOfIt ? [next.from - killedAt] : [];
    }),
  );
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share: number): number | undefined => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { jobs: sorted.length, soon: sorted.filter((ms) => ms <= soonMs).length, p50: at(0.5), p99: at(0.99) };
}
