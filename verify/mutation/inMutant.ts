/** Started by trial.ts with a mutant in place: the laws that it was given, until one goes red. Each is told when it begins, so that its time can be measured. */
import { readFileSync, writeSync } from "node:fs";
import { holdTo, laws } from "../../src/conformance/index.ts";
import { onMemory } from "../../test/conformance/engines.ts";

const wanted = JSON.parse(readFileSync(0, "utf8")) as readonly string[];
for (const name of wanted) {
  const law = laws.find((one) => one.name === name);
  if (law === undefined) throw new Error(`no law is called "${name}"`);
  tell(`begun ${name}`);
  try {
    await holdTo(law, onMemory);
  } catch {
    tell(`red ${name}`);
    process.exit(1);
  }
}
process.exit(0);

/** At once: a law that never yields would keep it. */
function tell(line: string): void {
  writeSync(1, `${line}\n`);
}
