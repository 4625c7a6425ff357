/** `npm run verify -- planted`: every planted bug, by the first layer that should catch it. */
import { parseArgs } from "node:util";
import { writeReliability } from "../certificate/document.ts";
import { tally } from "../tally.ts";
import { catchers, firstCatcher } from "./layers.ts";
import { allPlanted, knownBy, noteIn } from "./matrix.ts";
import type { Planted } from "./plant.ts";
import { tried, withinMs } from "./tried.ts";

const help = `npm run verify -- planted [--only NAME,…] [--all-layers | --layer NAME] [--record] [--list]

  --only NAME,…   these bugs, or those of an area or an engine. Default: all
  --layer NAME    by this layer: ${catchers.map(({ layer }) => layer).join(", ")}
  --all-layers    by each, for the whole matrix: hours
  --record        writes verify/planted/matrix.json
  --list          names them

A bug by hand: ERRAND_PLANTED=name NODE_OPTIONS="--import ./verify/planted/hook.ts" node --test …`;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    layer: { type: "string" },
    "all-layers": { type: "boolean", default: false },
    record: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const only = values.only?.split(",");
const wanted = allPlanted.filter((bug) => only === undefined || [bug.name, bug.area, bug.engine].some((word) => only.includes(word)));

if (values.help) console.log(help);
else if (values.list)
  for (const { name, breaks, area, engine, what } of wanted) console.log(`${name.padEnd(28)}${breaks.padEnd(5)}${area.padEnd(12)}${engine.padEnd(10)}${what}`);
else await run();

async function run(): Promise<void> {
  const isFirst = !values["all-layers"] && values.layer === undefined;
  let caught = 0;
  for (const bug of wanted) if (isFirst ? await byFirst(bug) : await byLayers(bug)) caught++;
  console.log(`${caught} of ${wanted.length} planted bugs were caught, each within ${withinMs / 60_000} minutes`);
  tally({ layer: "planted", engine: "all", seeds: "all", counts: { bugs: wanted.length, caught } });
  if (values.record) writeReliability();
  if (isFirst && caught < wanted.length) process.exitCode = 1;
}

async function byFirst(bug: Planted): Promise<boolean> {
  const { layer, program } = firstCatcher(bug, knownBy(bug.name));
  return isCaught(bug, layer, program);
}

async function byLayers(bug: Planted): Promise<boolean> {
  let isFound = false;
  for (const { layer, program } of catchers) {
    const own = program(bug.engine, knownBy(bug.name)(layer));
    if (own === undefined || (values.layer !== undefined && values.layer !== layer)) continue;
    if (await isCaught(bug, layer, own)) isFound = true;
  }
  return isFound;
}

async function isCaught({ name }: Planted, layer: string, program: Parameters<typeof tried>[1]): Promise<boolean> {
  const result = await tried(name, program);
  console.log(`${result.by === undefined ? "NOT SEEN" : "caught"}  ${name} by ${layer}, ${result.seconds} s${result.by === undefined ? "" : `: ${result.by}`}`);
  if (values.record) noteIn(name, layer, result);
  return result.by !== undefined;
}
