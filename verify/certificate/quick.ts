/** `npm run verify`: a few minutes of every layer, with new seeds. `--record` adds what was done to verify/certificate.json. */
import { parseArgs } from "node:util";
import { now, record } from "./certificate.ts";
import { writeReliability } from "./document.ts";
import { layersFor } from "./layers.ts";
import { play } from "./play.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    record: { type: "boolean", default: false },
    loud: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const broken: string[] = [];
for (const layer of layersFor({ isSoak: false })) {
  console.log(`${layer.what}, seed ${seed}`);
  const { code, tallies, command, tookMs } = await play(layer, { seed, isSoak: false }, values.loud);
  console.log(`    ${code === 0 ? "held" : "BROKEN"} after ${(tookMs / 1_000).toFixed(0)} s`);
  if (code !== 0) broken.push(command);
  // Above 1 it could not run, which tells nothing of errand.
  if (!values.record || code > 1) continue;
  record(tallies, code === 0 ? undefined : { ...now(), layer: layer.layer, command });
  writeReliability();
}
for (const command of broken) console.error(`Something was broken. Again: ${command}`);
process.exitCode = broken.length === 0 ? 0 : 1;
