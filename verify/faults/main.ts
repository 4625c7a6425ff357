/** `npm run verify -- faults`: fault runs on servers of its own. */
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { reportText } from "../../src/verify/report.ts";
import { tally } from "../tally.ts";
import { countsOf } from "./counts.ts";
import { presets, type PresetName } from "./presets.ts";
import { faultsRun, type FaultsReport } from "./run.ts";
import { lateMs } from "./starved.ts";
import type { Topology } from "./stage.ts";
import { topologies } from "./topologies.ts";

const help = `npm run verify -- faults [--topology NAME] [--seconds N] [--seed N]

  --topology NAME   one of those below, several with commas, or "all". Default: all
  --seconds N       of each: without and with faults together. Default 60
  --seed N          of what is handed in and which faults are made. Default: by chance
  --preset NAME     usual, or soak: shorter leases, more of everything, a SIGKILL every other second
  --workers N, --producers N, --rate N   instead of the preset's
  --keep            keep the histories, and say where
  --keep-broken     those of runs where something was broken
  --quiet           say how each ended, and no more
  --ci              60 s on each engine, two at a time

${topologies.map(({ name, what }) => `  ${name.padEnd(22)}${what}`).join("\n")}`;

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    topology: { type: "string", default: "all" },
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1_000_000)) },
    preset: { type: "string", default: "usual" },
    workers: { type: "string" },
    producers: { type: "string" },
    rate: { type: "string" },
    keep: { type: "boolean", default: false },
    "keep-broken": { type: "boolean", default: false },
    quiet: { type: "boolean", default: false },
    ci: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const stopped = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopped.abort(new Error(`ended by ${signal}`)));

if (values.help) console.log(help);
else if (values.ci) {
  const { runForCi } = await import("./ci.ts");
  process.exitCode = await runForCi(values.seed);
} else {
  let code = 0;
  for (const topology of chosen()) code = Math.max(code, await one(topology));
  // A socket that its server left open must not keep the process.
  process.stdout.write("", () => process.exit(code));
}

function chosen(): readonly Topology[] {
  const names = values.topology === "all" ? topologies.map(({ name }) => name) : values.topology.split(",");
  return names.map((name) => {
    const found = topologies.find((topology) => topology.name === name);
    if (found === undefined) throw new Error(`there is no topology "${name}"; it is one of ${topologies.map((topology) => topology.name).join(", ")}`);
    return found;
  });
}

/** 0: all held; 1: something was broken; 2: it could not run. */
async function one(topology: Topology): Promise<0 | 1 | 2> {
  if (topology.missing !== undefined) {
    console.log(`NOT TESTED: ${topology.name}: ${topology.missing}`);
    return 0;
  }
  const usual = presets[values.preset as PresetName];
  const preset = {
    ...usual,
    workers: Number(values.workers ?? usual.workers),
    producers: Number(values.producers ?? usual.producers),
    rate: Number(values.rate ?? usual.rate),
  };
  const [seed, seconds] = [Number(values.seed), Number(values.seconds)];
  try {
    const keep = values.keep || values["keep-broken"];
    const report = await faultsRun({ topology, preset, seed, seconds, keep, progress, signal: stopped.signal });
    tally({ layer: "fault-run", engine: topology.name, seeds: String(seed), counts: countsOf(report) });
    const isKept = values.keep || !report.verdict.held;
    if (!isKept && report.history !== undefined) rmSync(report.history, { recursive: true });
    told(topology, report, isKept ? report.history : undefined);
    return report.verdict.held ? 0 : 1;
  } catch (error) {
    console.log(`${topology.name}, seed ${seed}: could not run: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return 2;
  }
}

function progress(what: string): void {
  if (!values.quiet) console.log(`  ${what}`);
}

function told({ name }: Topology, report: FaultsReport, history: string | undefined): void {
  const { verdict, seed, tookMs } = report;
  if (!values.quiet || !verdict.held) console.log(reportText(report));
  const { forgotten, recovered, lost, accepted } = verdict;
  if (forgotten > lost) console.log(`forgotten   ${forgotten - lost}, as the store's guarantees say; ${recovered.jobs} found again by a reconciliation`);
  if (verdict.starved > 0) console.log(`starved     ${verdict.starved} times a process got no time from the machine for ${lateMs} ms: it counts as a pause`);
  if (history !== undefined) console.log(`histories   ${history}`);
  console.log(`${name}, seed ${seed}: ${verdict.held ? "all held" : "BROKEN"}; ${accepted} accepted, ${lost} lost, ${Math.round(tookMs / 1_000)} s`);
}
