/** Prints what becomes of services through an outage of a minute, with ten minutes of backlog, with a breaker and without: the table of the guide. */
import { memory } from "../src/memory/index.ts";
import type { DependencyOptions } from "../verify/recovery/dependency.ts";
import { outage, type OutagePlan, type Told } from "../verify/recovery/outage.ts";

const capacity = 30;
const plan: OutagePlan = {
  breaker: {},
  dependency: { capacity, latencyMs: 50 },
  workers: 3,
  slots: 40,
  arrivals: 24,
  downFromS: 60,
  downUntilS: 120,
  backlog: 14_400,
  endS: 240,
};
const like = (overload: NonNullable<DependencyOptions["overload"]>): OutagePlan => ({ ...plan, dependency: { capacity, latencyMs: 50, overload } });
const flaps = [
  [127, 131],
  [141, 144],
] as const;

const services: readonly (readonly [name: string, plan: OutagePlan])[] = [
  ["its rate is stated", { ...plan, limits: [{ starts: capacity, every: "1s" }] }],
  ["rejects what it does not carry", like("rejects")],
  ["collapses under more than it carries", like("collapses")],
  ["slows down, until callers give up", like("slows")],
  ["collapses, and is down twice again", { ...like("collapses"), flaps, endS: 264 }],
];

for (const [name, what] of services)
  for (const breaker of [{}, false] as const) {
    const told = await simulated({ ...what, breaker });
    console.log(`${name}, ${breaker === false ? "without a breaker" : "with a breaker"}: ${figuresOf(what, told)}`);
  }

function figuresOf({ flaps: more = [], downUntilS }: OutagePlan, { seconds, starts, started, mostWhileDown }: Told): string {
  const from = (more.at(-1)?.[1] ?? downUntilS) + 30;
  const since = seconds.filter(({ at }) => at >= from);
  const good = since.reduce((sum, second) => sum + second.good, 0) / since.length / capacity;
  const most = Math.max(...seconds.map((second) => second.starts));
  return `${Math.round(100 * good)} % good, ${(starts / started).toFixed(2)} starts a job, ${mostWhileDown} at once while down, ${most} in a second at most`;
}

async function simulated(what: OutagePlan): Promise<Told> {
  const engine = memory();
  return outage({ name: "memory", open: () => ({ engine: () => engine, dispose: () => undefined }) }, what);
}
