/** What is asked on every store alike: jobs that arrive at random, the cost of a job against the backlog, workers that are killed. */
import type { BenchQuestion, Section } from "./question.ts";
import type { Store } from "./systems/system.ts";

export interface Asking {
  readonly store: Store;
  readonly systems: readonly string[];
  /** Those of them for which large numbers are no matter of hours. */
  readonly quick: readonly string[];
  /** Measured of each backlog; by system, those of the first stand for the others. */
  readonly jobs: Readonly<Record<string, number>>;
}

const trickleSeconds = 60;
const halfLoadSeconds = 20;
const killedSeconds = 24;
const killedBacklog = 20_000;
const backlogs = [1_000, 10_000, 100_000, 1_000_000];
/** Stored by whoever is slow in a few minutes. */
const smallMost = 10_000;
const hugeBacklog = 10_000_000;

export function topicsOf({ store, systems, quick, jobs }: Asking): readonly BenchQuestion[] {
  const load: Section = `${store}-load`;
  const waiting = (count: number): BenchQuestion => ({
    section: `${store}-backlog`,
    name: "backlog",
    title: `${count.toLocaleString("en-US")} waiting`,
    unit: "jobs/s",
    systems: count > smallMost ? quick : systems,
    jobs,
    backlog: count,
    isLong: true,
  });
  const first = systems[0] ?? "";
  return [
    { section: load, name: "trickle", title: "50 a second", unit: "ms", systems, jobs: { [first]: 50 }, seconds: trickleSeconds, isLong: true },
    { section: load, name: "half-load", title: "half of what it sustains", unit: "ms", systems, jobs: { [first]: 1 }, seconds: halfLoadSeconds, isLong: true },
    ...backlogs.map(waiting),
    { ...waiting(hugeBacklog), isHuge: true },
    {
      section: `${store}-killed`,
      name: "killed",
      title: "4 processes of 25 hands, jobs of 1 ms, one killed each 2 s",
      unit: "jobs/s",
      systems: quick,
      jobs: { [first]: killedBacklog },
      seconds: killedSeconds,
      isLong: true,
    },
  ];
}
