/** Rates. */
import { pacedEveryMs, pacedStarts } from "../workload/policies.ts";
import type { OwnInvariant } from "./ownLedger.ts";

/** A start is written down somewhat later than the store allowed it, sooner or later on a busy machine. */
const writtenWithinMs = 500;
const disturbedForMs = 3_000;

export const pacedInTime: OwnInvariant = {
  id: "I14",
  name: "no more jobs of a task start within its time than its rate says",
  check: (ledger, found) => {
    const starts = (ledger.starts.get("paced") ?? []).filter(
      ({ p, t, n }) => ledger.faultsWithin(p, t - disturbedForMs, t).length === 0 && !ledger.mayBeForgotten(n),
    );
    const times = starts.map(({ t }) => t).toSorted((a, b) => a - b);
    for (const [at, time] of times.entries()) {
      const before = times[at - pacedStarts];
      if (before === undefined) continue;
      found.look(
        time - before >= pacedEveryMs - writtenWithinMs,
        () => `${pacedStarts + 1} jobs started within ${Math.round(time - before)} ms, and ${pacedStarts} may within ${pacedEveryMs}`,
      );
    }
  },
};
