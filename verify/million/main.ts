/** `npm run verify -- million`: a million jobs on each engine, handed in and done by real processes, without a fault. Each must be done once. `--record` adds it to the certificate. */
import { parseArgs } from "node:util";
import { record } from "../certificate/certificate.ts";
import { writeReliability } from "../certificate/document.ts";
import { tally, type Tally } from "../tally.ts";
import { doMany, type Done } from "./doMany.ts";
import { placeOf, type MillionEngine } from "./places.ts";

const engines: readonly MillionEngine[] = ["memory", "sqlite", "postgres", "redis"];
const { values } = parseArgs({
  options: {
    engine: { type: "string" },
    jobs: { type: "string", default: "1000000" },
    workers: { type: "string", default: "2" },
    record: { type: "boolean", default: false },
  },
});
const wanted = values.engine?.split(",") ?? engines;
let code = 0;

for (const engine of engines.filter((one) => wanted.includes(one))) {
  const place = await placeOf(engine);
  if (typeof place === "string") {
    console.log(`NOT TESTED: ${engine}: ${place}`);
    continue;
  }
  try {
    const done = await doMany(place.store, { jobs: Number(values.jobs), workers: Number(values.workers), tell: (line) => console.log(`  ${engine}: ${line}`) });
    told(engine, done);
  } finally {
    await place.remove();
  }
}
process.exitCode = code;

function told(engine: string, { jobs, lost, duplicates, left, seconds }: Done): void {
  console.log(`${engine}: ${jobs} jobs, ${lost} lost, ${duplicates} started twice, ${left} left, ${seconds} s`);
  const done: Tally = { layer: "million", engine, seeds: "0", counts: { jobs, lost, duplicates, left } };
  tally(done);
  if (values.record) {
    record([done]);
    writeReliability();
  }
  if (lost + duplicates + left > 0) code = 1;
}
