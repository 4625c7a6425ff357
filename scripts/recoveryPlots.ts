/** Draws docs/images/recovery*.svg: an outage of what a task depends on, with its breaker and without, as simulated under virtual time. */
import { mkdirSync, writeFileSync } from "node:fs";
import { memory } from "../src/memory/index.ts";
import { outage, type OutagePlan, type Second } from "../verify/recovery/outage.ts";
import { chart, type Panel } from "./recoveryChart.ts";
import { inRoot } from "./root.ts";

const capacity = 100;
const plan: OutagePlan = {
  breaker: {},
  dependency: { capacity, latencyMs: 50 },
  workers: 4,
  slots: 10,
  arrivals: 40,
  downFromS: 60,
  downUntilS: 120,
  backlog: 3_000,
  endS: 300,
};

mkdirSync(inRoot("docs/images"), { recursive: true });
await draw("recovery.svg", plan);
await draw("recovery-stated-rate.svg", { ...plan, limits: [{ starts: capacity, every: "1s" }], endS: 240 });

async function draw(file: string, what: OutagePlan): Promise<void> {
  const [on, off] = [await simulated(what), await simulated({ ...what, breaker: false })];
  const lines = (value: (second: Second) => number): Panel["lines"] => [
    { name: "without a breaker", colour: "off", values: off.map(value) },
    { name: "with a breaker", colour: "on", values: on.map(value) },
  ];
  const rule = { at: capacity, name: "what it carries" };
  const panels: readonly Panel[] = [
    {
      title: "Calls to the service, a second (logarithmic)",
      scale: "log",
      from: 1,
      to: 1_000,
      ticks: [1, 10, 100, 1_000],
      lines: lines(({ starts }) => starts),
      rule,
    },
    { title: "Good answers, a second", scale: "linear", from: 0, to: 120, ticks: [0, 40, 80, 120], lines: lines(({ good }) => good), rule },
    { title: "Jobs that wait", scale: "linear", from: 0, to: 10_000, ticks: [0, 5_000, 10_000], lines: lines(({ waiting }) => waiting) },
  ];
  const middle = (what.downFromS + what.downUntilS) / 2;
  const svg = chart({
    panels,
    seconds: what.endS,
    shade: { from: what.downFromS, until: what.downUntilS, name: "the service is down" },
    mark: { at: middle, name: `${what.backlog.toLocaleString("en-US")} more at once` },
  });
  writeFileSync(inRoot(`docs/images/${file}`), svg);
}

async function simulated(what: OutagePlan): Promise<readonly Second[]> {
  const engine = memory();
  return (await outage({ name: "memory", open: () => ({ engine: () => engine, dispose: () => undefined }) }, what)).seconds;
}
