/** Who may run a job: one at a time, by a claim of its own, and not again when it is done. */
import type { Invariant } from "./invariant.ts";
import type { Run } from "./ledger.ts";
import { byKey, startedOf } from "./ordering.ts";

const endWords = { end: "ended", failed: "failed", aborted: "was aborted" } as const;

const fencesGrow: Invariant = {
  id: "I4",
  name: "the fence grows with each start of a job, and along the jobs of a key",
  check: ({ ledger, causes }, found) => {
    // One that was held up between its claim and its first line comes late, and is told so when it settles.
    const isLate = (run: Run, before: Run): boolean => run.fence < before.fence && causes.heldUntil(run) === undefined;
    for (const { n, runs } of ledger.jobs.values()) {
      for (const [at, run] of runs.entries()) {
        const before = runs[at - 1];
        if (before === undefined) continue;
        found.look(
          run.fence > before.fence || isLate(run, before),
          () => `${n} started with fence ${before.fence} (${before.p}), then with ${run.fence} (${run.p})`,
        );
      }
    }
    for (const [key, records] of [...byKey(ledger, "ordered"), ...byKey(ledger, "unique")]) {
      const firsts = startedOf(records).flatMap(({ runs }) => runs.slice(0, 1));
      for (const [at, run] of firsts.entries()) {
        const before = firsts[at - 1];
        if (before === undefined) continue;
        // Several of a key may be handed out by one claim.
        const grows = run.fence > before.fence || (run.fence === before.fence && run.p === before.p);
        found.look(
          grows || isLate(run, before),
          () => `key ${key}: ${before.n} started with fence ${before.fence} (${before.p}), and ${run.n} after it with ${run.fence} (${run.p})`,
        );
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
            `${n} (${run.kind}) started again in ${run.p}, ${Math.round(run.from - (before.to ?? 0))} ms after its run in ${before.p} ${endWords[before.end ?? "end"]}, and no fault explains it`,
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
