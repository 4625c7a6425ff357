/** What is to be reached, and how far it has come. */
import { allPlanted, readMatrix } from "../planted/matrix.ts";
import { percent } from "../mutation/interval.ts";
import type { Certificate, Sum } from "./certificate.ts";

export interface Goal {
  readonly what: string;
  readonly goal: string;
  readonly soFar: string;
}

const faultRuns = ["fault-run"];
const plantedLeast = 40;

export function goalsOf({ sums }: Certificate): readonly Goal[] {
  const sum: Summing = (layers, name) => counted(sums, layers, name, (one, other) => one + other);
  const most: Summing = (layers, name) => counted(sums, layers, name, Math.max);
  const hasRun = sums.some(({ layer }) => layer === "fault-run");
  const ofFaults = (text: string): string => (hasRun ? text : "not run yet");
  const calm = sums.filter(({ layer }) => layer === "million");
  return [
    {
      what: "accepted jobs under faults, and how many of them were lost",
      goal: "10,000,000, 0 lost",
      soFar: ofFaults(`${shown(sum(faultRuns, "accepted"))}, ${shown(sum(faultRuns, "lost"))} lost`),
    },
    { what: "workers killed with SIGKILL", goal: "50,000", soFar: ofFaults(shown(sum(faultRuns, "workerKills"))) },
    { what: "pauses beyond the lease", goal: "10,000", soFar: ofFaults(shown(sum(faultRuns, "pausesBeyondLease"))) },
    { what: "crashes of a server", goal: "2,000", soFar: ofFaults(shown(sum(faultRuns, "serverCrashes"))) },
    { what: "faults of the network", goal: "10,000", soFar: ofFaults(shown(sum(faultRuns, "networkFaults"))) },
    {
      what: "killed workers' jobs that run again within 10 s; the largest p99 of a run",
      goal: "99 %, 10 s",
      soFar: ofFaults(`${recoveredSoFar(sum)}; ${(most(faultRuns, "recoveryP99MsMost") / 1_000).toFixed(1)} s`),
    },
    {
      what: "duplicate starts that no fault explains",
      goal: "0",
      soFar: ofFaults(
        `${shown(sum(faultRuns, "unexplainedDuplicates"))}, of ${shown(sum(faultRuns, "duplicates"))} duplicates in ${shown(sum(faultRuns, "starts"))} starts`,
      ),
    },
    {
      what: "duplicates and losses without faults, in a million jobs on each engine",
      goal: "0 and 0 in 1,000,000",
      soFar:
        calm.length === 0
          ? "not run yet"
          : calm
              .map(({ engine, counts }) => `${engine}: ${shown(counts["duplicates"] ?? 0)} and ${shown(counts["lost"] ?? 0)} in ${shown(counts["jobs"] ?? 0)}`)
              .join("; "),
    },
    { what: "small changes of core and the worker that laws or tests notice", goal: "85 %", soFar: mutantsSoFar(sum) },
    { what: "planted bugs that are caught within 10 minutes", goal: `${plantedLeast} of ${plantedLeast}`, soFar: plantedSoFar() },
  ];
}

export function shown(count: number): string {
  return count.toLocaleString("en-US");
}

type Summing = (layers: readonly string[], name: string) => number;

/** The first runs that were recorded did not count it. */
function recoveredSoFar(sum: Summing): string {
  const jobs = sum(faultRuns, "recoveredTimed");
  return jobs === 0 ? "not counted yet" : `${percent(sum(faultRuns, "recoveredIn10s") / jobs)} of ${shown(jobs)}`;
}

function mutantsSoFar(sum: Summing): string {
  const tried = sum(["mutation"], "mutants");
  if (tried === 0) return "not run yet";
  const noticed = sum(["mutation"], "killed") + sum(["mutation"], "timedOut");
  const equivalent = sum(["mutation"], "equivalent");
  return `${percent(noticed / tried)} of ${shown(tried)} drawn at random; ${shown(equivalent)} more change nothing that can be seen`;
}

function plantedSoFar(): string {
  const matrix = readMatrix();
  const caught = allPlanted.filter(({ name }) => Object.values(matrix[name] ?? {}).some(({ by }) => by !== null)).length;
  return `${caught} of ${allPlanted.length}`;
}

function counted(sums: readonly Sum[], layers: readonly string[], name: string, add: (one: number, other: number) => number): number {
  return sums.filter(({ layer }) => layers.includes(layer)).reduce((all, { counts }) => add(all, counts[name] ?? 0), 0);
}
