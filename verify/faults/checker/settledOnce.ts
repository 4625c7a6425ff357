/** Ends that the store has acknowledged. */
import type { OwnInvariant } from "./ownLedger.ts";

export const settledOnce: OwnInvariant = {
  id: "I3",
  name: "a job whose end was acknowledged to its worker never starts again, and no other end of it is",
  check: (ledger, found) => {
    for (const [job, ends] of ledger.settled) {
      const [first] = ends;
      // Of slots, which come by themselves, the time alone tells.
      if (first === undefined || ledger.mayBeForgotten(ledger.nameOf(job)) || ledger.losses.some(({ from, to }) => first.t >= from && first.t <= to)) continue;
      // By a later claim: who hears late of an earlier one is refused when it settles.
      const late = ledger.startsOf(job).find(({ t, fence }) => t > first.t && fence > first.fence);
      found.look(
        ends.length === 1,
        () => `${ledger.nameOf(job)} ended ${ends.length} times for the store: ${ends.map(({ p, fence }) => `${p} with fence ${fence}`).join(", ")}`,
      );
      found.look(
        late === undefined,
        () => `${ledger.nameOf(job)} started in ${late?.p}, ${Math.round((late?.t ?? 0) - first.t)} ms after its end in ${first.p} was acknowledged`,
      );
    }
  },
};
