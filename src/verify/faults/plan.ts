/** Which faults are made, when and on whom: all of it from the seed, before the run begins. Each seed has its own taste for them. */
import { Seeded } from "../seeded.ts";
import { networkFaults, type ProcessFault } from "./fault.ts";

export interface PlannedFault {
  readonly kind: ProcessFault;
  /** From the beginning of the faults. */
  readonly atMs: number;
  /** 0: it has no length. */
  readonly lastsMs: number;
  /** The place of the process: whoever has it then. Places of workers come first. */
  readonly place: number;
  /** Of a slow connection. */
  readonly delayMs: number;
  /** Made in any case, once somebody can be found for it. */
  readonly isSure: boolean;
}

export interface PlanOptions {
  readonly seed: number;
  readonly workers: number;
  readonly producers: number;
  readonly lastsMs: number;
  readonly leaseMs: number;
  readonly hasNetwork: boolean;
  readonly hasFile: boolean;
}

/** The mean time between two faults, of one process. */
const everyMs = 8_000;
const producersShare = 0.15;

export function faultPlan(options: PlanOptions): readonly PlannedFault[] {
  const chance = new Seeded(options.seed, "faults");
  const tastes = Object.fromEntries(kindsOf(options).map((kind) => [kind, 0.3 + chance.next()])) as Record<ProcessFault, number>;
  const meanMs = everyMs / (options.workers + options.producers);
  const plan = firstOf(options, chance);
  for (let atMs = meanMs; atMs < options.lastsMs; atMs += meanMs * chance.between(0.3, 1.7)) plan.push(faultOf(chance.pick(tastes), atMs, options, chance));
  return plan.toSorted((a, b) => a.atMs - b.atMs);
}

function kindsOf({ hasNetwork, hasFile }: PlanOptions): readonly ProcessFault[] {
  return ["kill", "kill", "stop", "term", ...(hasNetwork ? networkFaults : []), ...(hasFile ? ["busy" as const] : [])];
}

/** Also the shortest run has one of each kind: the long ones begin at once. */
function firstOf(options: PlanOptions, chance: Seeded): PlannedFault[] {
  const kinds = [...new Set(kindsOf(options))].filter((kind) => kind !== "stop");
  const spread = options.lastsMs / (kinds.length + 1);
  const sure = (kind: ProcessFault, atMs: number): PlannedFault => ({ ...faultOf(kind, atMs, options, chance), isSure: true });
  return [sure("stop", 0), ...kinds.map((kind, at) => sure(kind, (at + 0.5) * spread))];
}

function faultOf(kind: ProcessFault, atMs: number, { workers, producers, leaseMs, lastsMs }: PlanOptions, chance: Seeded): PlannedFault {
  const isProducer = producers > 0 && kind !== "stop" && chance.isIn(producersShare);
  const place = isProducer ? workers + chance.below(producers) : chance.below(workers);
  const most = Math.max(500, lastsMs / 3);
  const lasts: Readonly<Record<ProcessFault, number>> = {
    kill: 0,
    term: 0,
    stop: leaseMs * chance.between(1.2, 2),
    cut: chance.between(200, 4_000),
    freeze: chance.between(500, 1.5 * leaseMs),
    delay: chance.between(1_000, 6_000),
    "half-open": chance.between(500, leaseMs),
    busy: chance.between(300, 4_000),
  };
  const lastsMsOf = kind === "stop" ? lasts.stop : Math.min(most, lasts[kind]);
  return { kind, atMs, lastsMs: Math.round(lastsMsOf), place, delayMs: kind === "delay" ? Math.round(chance.between(20, 250)) : 0, isSure: false };
}
