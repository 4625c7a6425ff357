/** Prints the public surface of every door into `api.md`; without `--write`, says whether it has changed since. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { inRoot } from "./root.ts";
import { Declarations, keyOf, type Shown } from "./surface.ts";

const file = inRoot("api.md");
const { values: options } = parseArgs({ options: { write: { type: "boolean", default: false } } });
const { exports: doors } = JSON.parse(readFileSync(inRoot("package.json"), "utf8")) as { exports: Record<string, string | { types: string }> };
const printed = `# The public surface

Printed from the built declarations by \`npm run api\`, and compared by \`npm run check\`: a change to it is a decision, and stands in the changelog.
${sections()}`;

if (options.write) writeFileSync(file, printed);
else process.exitCode = compare(existsSync(file) ? readFileSync(file, "utf8") : "");

function sections(): string {
  const declarations = new Declarations();
  const seenIn = new Map<string, string>();
  let text = "";
  for (const [door, target] of Object.entries(doors)) {
    if (typeof target === "string") continue;
    const name = door.replace(".", "errand");
    const { exports, reached } = declarations.surfaceOf(inRoot(target.types));
    text += `\n## ${name}\n\n${block(exports, name, seenIn)}`;
    const fresh = reached.filter((one) => !seenIn.has(keyOf(one)));
    if (fresh.length > 0) text += `\nNot exported here, but reached:\n\n${block(fresh, name, seenIn)}`;
  }
  return text;
}

function block(shown: readonly Shown[], door: string, seenIn: Map<string, string>): string {
  const lines = shown.map((one) => {
    const before = seenIn.get(keyOf(one));
    seenIn.set(keyOf(one), before ?? door);
    return before === undefined ? one.text : `// ${one.name}: as in "${before}"`;
  });
  return `\`\`\`ts\n${lines.join("\n")}\n\`\`\`\n`;
}

function compare(before: string): number {
  if (before === printed) {
    console.log("The public surface is as api.md says.");
    return 0;
  }
  const [old, fresh] = [before.split("\n"), printed.split("\n")];
  for (const line of old.filter((one) => !fresh.includes(one))) console.error(`- ${line}`);
  for (const line of fresh.filter((one) => !old.includes(one))) console.error(`+ ${line}`);
  console.error("The public surface has changed. If it was meant to: npm run api, and a line in the changelog.");
  return 1;
}
