/** How much of everything. */
import type { PlannedFault, PlanOptions } from "../../src/verify/faults/plan.ts";
import { faultPlan } from "../../src/verify/faults/plan.ts";
import { Seeded } from "../../src/verify/seeded.ts";
import type { Rates } from "./workload/environment.ts";

export interface Preset {
  readonly workers: number;
  readonly producers: number;
  readonly leaseMs: number;
  readonly hands: number;
  /** Calls a second of a producer. */
  readonly rate: number;
  /** Of all producers together, a second. */
  readonly rates: Rates;
  /** The mean time from one disturbance of the server to the next. */
  readonly disturbEveryMs: number;
  readonly plan: (options: PlanOptions) => readonly PlannedFault[];
}

/** As `errand verify` does, with as many faults of processes. */
const usual: Preset = {
  workers: 6,
  producers: 2,
  leaseMs: 3_000,
  hands: 10,
  rate: 25,
  rates: { bulk: 0.5, within: 6, restored: 5, paced: 3, poison: 0.1 },
  disturbEveryMs: 6_000,
  plan: faultPlan,
};

/**
 * A worker is SIGKILLed every other second. More of anything overloads two cores: each process that starts costs half a second of CPU, and so does each job that was
 * running at two deaths, since it runs in a process of its own then; who is starved loses its lease, and more jobs are suspect.
 */
const soak: Preset = {
  workers: 6,
  producers: 2,
  leaseMs: 4_000,
  hands: 10,
  rate: 40,
  rates: { bulk: 6, within: 8, restored: 8, paced: 3, poison: 0.1 },
  disturbEveryMs: 8_000,
  plan: soakPlan,
};

export const presets = { usual, soak } as const;
export type PresetName = keyof typeof presets;

const killEveryMs = 2_000;

function soakPlan(options: PlanOptions): readonly PlannedFault[] {
  const chance = new Seeded(options.seed, "kills");
  const plan = faultPlan(options).filter(({ kind }) => kind !== "kill");
  for (let atMs = killEveryMs; atMs < options.lastsMs; atMs += killEveryMs * chance.between(0.5, 1.5))
    plan.push({ kind: "kill", atMs, lastsMs: 0, place: chance.below(options.workers), delayMs: 0, isSure: false });
  return plan.toSorted((a, b) => a.atMs - b.atMs);
}
