/**
 * `npm run verify -- certificate`: what has been run so far. `--write` writes docs/reliability.md from it; `--check` fails where that is out of
 * date; `--add FILE` adds what a run left in the file that ERRAND_TALLY named.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { readCertificate, record } from "./certificate.ts";
import { documentFile, reliability, writeReliability } from "./document.ts";
import { goalsOf } from "./goals.ts";
import { talliesIn } from "./play.ts";

const { values } = parseArgs({ options: { write: { type: "boolean", default: false }, check: { type: "boolean", default: false }, add: { type: "string" } } });

if (values.add !== undefined) record(talliesIn(readFileSync(values.add, "utf8")));
if (values.write) writeReliability();
else if (values.check && readFileSync(documentFile, "utf8") !== reliability()) {
  console.error("docs/reliability.md is not what the certificate says; npm run verify -- certificate --write");
  process.exitCode = 1;
}
for (const { what, goal, soFar } of goalsOf(readCertificate())) console.log(`${what}: ${soFar} (goal: ${goal})`);
