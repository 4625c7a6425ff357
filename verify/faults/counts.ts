/** What a run adds to the certificate: whole numbers. */
import { networkFaults } from "../../src/verify/faults/fault.ts";
import type { FaultsReport } from "./run.ts";

/** Those that end in Most are the largest of all runs; the others are added up. */
export function countsOf({ verdict, seconds }: FaultsReport): Readonly<Record<string, number>> {
  const { faults, duplicates, recovery, recovered } = verdict;
  const made = (kind: keyof typeof faults): number => faults[kind] ?? 0;
  const rounded = (ms: number | undefined): number => Math.round(ms ?? 0);
  return {
    runs: 1,
    runsBroken: verdict.held ? 0 : 1,
    seconds,
    accepted: verdict.accepted,
    lost: verdict.lost,
    forgotten: verdict.forgotten - verdict.lost,
    starts: verdict.starts,
    duplicates: duplicates.total,
    unexplainedDuplicates: duplicates.unexplained,
    workerKills: made("kill"),
    pausesBeyondLease: made("stop"),
    terms: made("term"),
    ...Object.fromEntries(networkFaults.map((kind) => [`network_${kind}`, made(kind)])),
    networkFaults: networkFaults.reduce((sum, kind) => sum + made(kind), 0),
    writeLocksHeld: made("busy"),
    serverCrashes: made("crash"),
    serverPauses: made("hang"),
    starved: verdict.starved,
    backendsEnded: made("terminate"),
    promotions: made("promote"),
    reshards: made("move"),
    wipes: made("wipe"),
    checked: verdict.invariants.reduce((sum, { checked }) => sum + checked, 0),
    broken: verdict.invariants.reduce((sum, { broken }) => sum + broken, 0),
    recoveredJobs: recovery.jobs,
    recoveredIn10s: recovery.soon,
    // The first runs that were recorded did not count those within 10 s.
    recoveredTimed: recovery.jobs,
    recoveryP50MsMost: rounded(recovery.p50),
    recoveryP99MsMost: rounded(recovery.p99),
    restoredJobs: recovered.jobs,
    restoredP99MsMost: rounded(recovered.p99),
  };
}
