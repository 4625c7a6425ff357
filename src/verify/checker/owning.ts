/** Who may run a job: one at a time, by a claim of its own, and not again when it is done. */
import type { Invariant } from "./invariant.ts";

const fencesGrow: Invariant = {
  id: "I4",
  name: "the fence of a job grows with each start",
  check: ({ ledger, causes }, found) => {
    for (const { n, runs } of ledger.jobs.values()) {
      for (const [at, run] of runs.entries()) {
        const before = runs[at - 1];
        if (before === undefined) continue;
        // One that was held up between its claim and its first line comes late, and is told so when it settles.
        const isLate = run.fence < before.fence && causes.heldUntil(run) === undefined;
        found.look(run.fence > before.fence || isLate, () => `${n} started with fence ${before.fence} (${before.p}), then with ${run.fence} (${run.p})`);
      }
    }
  },
};

const notDoneTwice: Invariant = {
  id: "I3",
  name: "a job that came to its end starts again only where a fault hid that from the store",
  check: ({ ledger, causes }, found) => {
    for (const { n, runs } of ledger.jobs.values()) {
      found.checked += runs.length === 0 ? 0 : 1;
      for (const { before, run, cause } of causes.startsAgain(runs)) {
        if (before.to === undefined || before.to > run.from || cause !== undefined) continue;
        found.look(
          false,
          () =>
            `${n} (${run.kind}) started again in ${run.p}, ${Math.round(run.from - (before.to ?? 0))} ms after its run in ${before.p} ${before.end}, and no fault explains it`,
        );
      }
    }
  },
};

const oneOwner: Invariant = {
  id: "I5",
  name: "two runs of a job overlap only where a fault took the lease of the first",
  check: ({ ledger, causes }, found) => {
    for (const { n, runs } of ledger.jobs.values()) {
      found.checked += runs.length === 0 ? 0 : 1;
      for (const { before, run, cause } of causes.startsAgain(runs)) {
        if ((before.to !== undefined && before.to <= run.from) || cause !== undefined) continue;
        found.look(false, () => `${n} (${run.kind}) started in ${run.p} while it ran in ${before.p}, and no fault explains it`);
      }
    }
  },
};

export const owningInvariants: readonly Invariant[] = [notDoneTwice, fencesGrow, oneOwner];
