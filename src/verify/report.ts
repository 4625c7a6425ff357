/** What a run says in the end, in lines of text. */
import { faultWords, type FaultKind } from "./faults/fault.ts";
import type { RunReport } from "./run.ts";

const examplesShown = 5;
const labelWidth = 12;

export function reportText(report: RunReport): string {
  const { verdict, guarantees } = report;
  const { duplicates, recovery, calls } = verdict;
  const rows: readonly (readonly [string, string])[] = [
    ["store", report.place],
    ["run", `seed ${report.seed}, ${report.seconds} s, ${report.workers} workers, ${report.producers} producers, leases of ${seconds(report.leaseMs)}`],
    ["faults", kinds(verdict.faults) || "none"],
    ...(report.withoutNetwork === undefined ? [] : [["", `none of the network: ${report.withoutNetwork}`] as const]),
    [
      "accepted",
      `${count(verdict.accepted)} jobs; of ${count(calls.ok + calls.fail + calls.info)} calls ${count(calls.fail)} refused, ${count(calls.info)} in doubt to the end`,
    ],
    ["lost", count(verdict.lost)],
    [
      "duplicated",
      `${count(duplicates.total)} of ${count(verdict.starts)} starts${explained(duplicates.by)}; without a fault that explains them: ${count(duplicates.unexplained)}`,
    ],
    ...(verdict.putAside === 0
      ? []
      : [["put aside", `${count(verdict.putAside)} that lost their leases by faults of this run, four times running: as if they were poison`] as const]),
    ["recovery", recovery.jobs === 0 ? "no job ran in a killed worker" : recoveryWords(recovery)],
    ["drained", report.drainedMs === undefined ? "not in time" : `${seconds(report.drainedMs)} after the last was handed in`],
    ["can lose", `${guarantees.durability} ${guarantees.weaker["G1"] ?? ""}`.trim()],
  ];
  return [...rows.map(([label, text]) => `${label.padEnd(labelWidth)}${text}`), "", ...invariantLines(report)].join("\n");
}

function invariantLines({ verdict }: RunReport): readonly string[] {
  const lines: string[] = [];
  for (const { id, name, checked, broken, examples } of verdict.invariants) {
    const how = broken > 0 ? `BROKEN ${count(broken)} of ${count(checked)}` : checked === 0 ? "not met" : `held ${count(checked)}`;
    lines.push(`${id.padEnd(4)}${how.padEnd(labelWidth + 6)}${name}`);
    for (const example of examples.slice(0, examplesShown)) lines.push(`      ${example}`);
    if (broken > examplesShown) lines.push(`      … ${count(broken - examplesShown)} more`);
  }
  return lines;
}

function recoveryWords({ jobs, p50 = 0, p99 = 0 }: { readonly jobs: number; readonly p50: number | undefined; readonly p99: number | undefined }): string {
  return `${count(jobs)} jobs of killed workers ran again after ${seconds(p50)} (p50), ${seconds(p99)} (p99)`;
}

function explained(by: Readonly<Partial<Record<FaultKind, number>>>): string {
  const words = kinds(by);
  return words === "" ? "" : `, explained by ${words}`;
}

function kinds(by: Readonly<Partial<Record<FaultKind, number>>>): string {
  return (Object.entries(by) as [FaultKind, number][]).map(([kind, jobs]) => `${count(jobs)} ${faultWords[kind]}`).join(", ");
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
