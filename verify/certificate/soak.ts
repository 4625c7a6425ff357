/**
 * `npm run verify:soak -- --hours 2`: round after round of every layer and every topology, each with seeds that were never used, until the time is over. After each round
 * verify/certificate.json is written, so Ctrl-C costs the round in hand at most, and the next soak goes on behind it. It stops at the first round in which something
 * was broken, and says how to play that again. `--only fault-run` plays only these layers, `--on sqlite,redis` only these topologies.
 */
import { parseArgs } from "node:util";
import { now, readCertificate, record } from "./certificate.ts";
import { writeReliability } from "./document.ts";
import { layersFor, type Layer } from "./layers.ts";
import { play } from "./play.ts";
import { unused } from "./spans.ts";

const { values } = parseArgs({
  options: { hours: { type: "string", default: "2" }, only: { type: "string" }, on: { type: "string" }, loud: { type: "boolean", default: false } },
});
const lastsMs = Number(values.hours) * 3_600_000;
/** Seeds below are those of CI and of people. */
const firstSeed = 1_000_000;

const [only, on] = [values.only?.split(","), values.on?.split(",")];
const wanted = layersFor({ isSoak: true }).filter(({ layer, on: place }) => (only?.includes(layer) ?? true) && (on?.includes(place ?? "") ?? true));
if (wanted.length === 0) throw new Error("nothing to play: no layer is called that");
const rotation = wanted.flatMap((layer) => Array.from({ length: layer.share }, () => layer));
const begun = performance.now();
let isStopped = false;
process.on("SIGINT", () => (isStopped = true));
process.on("SIGTERM", () => (isStopped = true));

// Where the last soak ended, the next one begins.
let turn = readCertificate().sums.reduce((sum, { runs }) => sum + runs, 0);
while (!isStopped && performance.now() - begun < lastsMs) {
  const layer = rotation[turn++ % rotation.length];
  if (layer === undefined || !(await isHeld(layer))) break;
}

async function isHeld(layer: Layer): Promise<boolean> {
  const seed = seedFor(layer);
  const minutesLeft = Math.max(0, (lastsMs - (performance.now() - begun)) / 60_000);
  console.log(`${new Date().toISOString()}  ${layer.what}, seed ${seed} (${minutesLeft.toFixed(0)} min to go)`);
  const { code, tallies, command, tookMs } = await play(layer, { seed, isSoak: true }, values.loud);
  // What was ended from outside tells nothing.
  if (isStopped) return false;
  if (code > 1) {
    console.error(`\nIt could not run (exit code ${code}), so there is nothing to record. Again: ${command}\n`);
    process.exitCode = code;
    return false;
  }
  const isBroken = code !== 0;
  record(tallies, isBroken ? { ...now(), layer: layer.layer, command } : undefined);
  writeReliability();
  for (const { engine, counts } of tallies) console.log(`    ${engine}: ${JSON.stringify(counts)}`);
  console.log(`    ${(tookMs / 1_000).toFixed(0)} s`);
  if (!isBroken) return true;
  console.error(`\nSomething was broken. Again: ${command}\n`);
  process.exitCode = 1;
  return false;
}

/** Of all places of a layer, so that a seed is never used twice. */
function seedFor({ layer }: Layer): number {
  const spans = readCertificate().sums.filter((sum) => sum.layer === layer || (layer === "disk" && ["power-cut", "syscalls"].includes(sum.layer)));
  return unused(
    spans.flatMap(({ seeds }) => seeds),
    firstSeed,
  );
}
