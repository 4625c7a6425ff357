/** Started by main.ts with a mutant in place: the laws that it was given, until one goes red, whose name it tells. */
import { readFileSync } from "node:fs";
import { holdTo, laws } from "../../src/conformance/index.ts";
import { onMemory } from "../../test/conformance/engines.ts";

const wanted = JSON.parse(readFileSync(0, "utf8")) as readonly string[];
for (const name of wanted) {
  const law = laws.find((one) => one.name === name);
  if (law === undefined) continue;
  try {
    await holdTo(law, onMemory);
  } catch {
    process.stdout.write(name, () => process.exit(1));
    await new Promise(() => undefined);
  }
}
process.exit(0);
