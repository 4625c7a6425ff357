/** What a seed draws: which parts of the workload there are, which faults, and how often. Each life has its own mix, so that rare things meet. */
import type { Ms } from "../../src/core/runtime.ts";
import { Seeded } from "../../src/testing/seeded.ts";

/** Parts of the workload: what is handed in, and what goes on by itself (see {@link ownPace}). */
export const parts = [
  "plain",
  "delayed",
  "ordered",
  "unique",
  "debounce",
  "limited",
  "rated",
  "batch",
  "follow",
  "event",
  "lock",
  "steps",
  "guard",
  "try",
  "effect",
  "bomb",
  "schedule",
  "cancel",
  "leader",
  "people",
] as const;
export type Part = (typeof parts)[number];
/** Nothing is handed in of them. */
export const ownPace: readonly Part[] = ["schedule", "cancel", "leader", "people"];

/** `mean`: seconds between two of them in a fleet, where they happen by themselves; `share`: of calls. 0: never. */
export interface Faults {
  readonly crashMean: number;
  readonly pauseMean: number;
  readonly blockMean: number;
  readonly cutMean: number;
  /** The wall clock of a process is set; that of the store's machine. */
  readonly setClockMean: number;
  readonly setStoreClockMean: number;
  /** The store goes back to an earlier prefix of what was done. */
  readonly rewindMean: number;
  readonly deathShare: number;
  readonly dropShare: number;
  readonly lostReplyShare: number;
  readonly repeatShare: number;
  readonly lateShare: number;
  readonly slowShare: number;
  readonly refuseShare: number;
}
export type Fault = keyof Faults;

export interface Plan {
  readonly seed: number;
  readonly parts: readonly Part[];
  readonly faults: Faults;
  readonly workers: number;
  readonly slots: number;
  readonly leaseS: number;
  /** Works that are handed in while there are faults. */
  readonly works: number;
  readonly faultsMs: Ms;
  readonly latencyMs: Ms;
  /** How wrong the wall clocks of processes are, and by what part their monotonic ones are too fast or too slow. */
  readonly skewMs: Ms;
  readonly drift: number;
  /** A thread of its own beats. */
  readonly hasThread: boolean;
}

const none: Faults = {
  crashMean: 0,
  pauseMean: 0,
  blockMean: 0,
  cutMean: 0,
  setClockMean: 0,
  setStoreClockMean: 0,
  rewindMean: 0,
  deathShare: 0,
  dropShare: 0,
  lostReplyShare: 0,
  repeatShare: 0,
  lateShare: 0,
  slowShare: 0,
  refuseShare: 0,
};
export const withoutFaults: Faults = none;

export function planOf(seed: number): Plan {
  const random = new Seeded(Math.imul(seed, 0x9e3779b1) ^ 0xabcdef);
  const draw = (least: number, most: number): number => least + Math.floor(random.random() * (most - least + 1));
  const maybe = (chance: number, value: () => number): number => (random.random() < chance ? value() : 0);
  const own = parts.filter((part) => random.random() < (part === "bomb" ? 0.1 : 0.4));
  return {
    seed,
    parts: own.some((part) => !ownPace.includes(part)) ? own : [...own, "plain"],
    workers: draw(1, 4),
    slots: draw(1, 8),
    leaseS: draw(4, 12),
    works: draw(10, 80),
    faultsMs: draw(20, 90) * 1_000,
    latencyMs: draw(0, 40),
    skewMs: maybe(0.3, () => draw(1_000, 600_000)),
    drift: maybe(0.3, () => random.random() * 0.05),
    hasThread: random.random() < 0.8,
    faults: {
      crashMean: maybe(0.4, () => draw(5, 30)),
      pauseMean: maybe(0.3, () => draw(5, 30)),
      blockMean: maybe(0.3, () => draw(5, 30)),
      cutMean: maybe(0.3, () => draw(5, 30)),
      setClockMean: maybe(0.2, () => draw(5, 30)),
      setStoreClockMean: maybe(0.15, () => draw(10, 40)),
      rewindMean: maybe(0.15, () => draw(10, 60)),
      deathShare: maybe(0.3, () => random.random() * 0.01),
      dropShare: maybe(0.3, () => random.random() * 0.1),
      lostReplyShare: maybe(0.3, () => random.random() * 0.1),
      repeatShare: maybe(0.3, () => random.random() * 0.1),
      lateShare: maybe(0.3, () => random.random() * 0.05),
      slowShare: maybe(0.3, () => random.random() * 0.1),
      refuseShare: maybe(0.2, () => random.random() * 0.1),
    },
  };
}

/** The same life with less in it, to see what of it matters; the least first. */
export function smaller(plan: Plan): readonly Plan[] {
  const withoutPart = plan.parts.map((part) => ({ ...plan, parts: plan.parts.filter((other) => other !== part) }));
  const withoutFault = (Object.keys(plan.faults) as Fault[])
    .filter((fault) => plan.faults[fault] > 0)
    .map((fault) => ({ ...plan, faults: { ...plan.faults, [fault]: 0 } }));
  const fewer = [
    ...(plan.works > 5 ? [{ ...plan, works: Math.ceil(plan.works / 2) }] : []),
    ...(plan.workers > 1 ? [{ ...plan, workers: plan.workers - 1 }] : []),
    ...(plan.skewMs > 0 ? [{ ...plan, skewMs: 0 }] : []),
    ...(plan.drift > 0 ? [{ ...plan, drift: 0 }] : []),
    ...(plan.faultsMs > 20_000 ? [{ ...plan, faultsMs: Math.ceil(plan.faultsMs / 2) }] : []),
  ];
  return [...withoutPart.filter((other) => other.parts.some((part) => !ownPace.includes(part))), ...withoutFault, ...fewer];
}
