/**
 * Plants the bug that ERRAND_PLANTED names, for this process and all that it starts:
 * `ERRAND_PLANTED=retry-at-once NODE_OPTIONS="--import ./verify/planted/hook.ts" npm test -- conformance/memory`.
 * A bug of the source is a change of its text while it is loaded, one of the port wraps what the engines' doors answer. Nothing of it is in what is shipped.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { sourceBugs } from "./sourceBugs.ts";
import { patched, type Patch } from "./plant.ts";

const root = path.dirname(path.dirname(import.meta.dirname));
const doors = ["memory", "sqlite", "postgres", "redis"];
const name = process.env["ERRAND_PLANTED"];
/** A mutant of scripts of the mutation run: a patch by itself. */
const mutant = process.env["ERRAND_MUTANT"];

if (name !== undefined && name !== "") await plant(name);
if (mutant !== undefined) change(JSON.parse(mutant) as Mutant);

interface Mutant {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly to: string;
}

async function plant(wanted: string): Promise<void> {
  const bug = sourceBugs.find((one) => one.name === wanted);
  if (bug !== undefined) {
    const patches = bug.patches ?? [];
    // At once, so that one whose file is never loaded is not silent.
    for (const file of files(patches)) patched(readFileSync(path.join(root, file), "utf8"), file, patches);
    onLoad(files(patches), (source, file) => patched(source, file, patches));
    return;
  }
  onLoad(
    doors.map((engine) => `src/${engine}/index.ts`),
    wrapped,
  );
  const { isPortBug } = await import("./portBug.ts");
  if (!isPortBug(wanted)) throw new Error(`no planted bug is called "${wanted}"; npm run verify -- planted --list names them`);
}

function change({ file, start, end, to }: Mutant): void {
  onLoad([file], (source) => source.slice(0, start) + to + source.slice(end));
}

function onLoad(only: readonly string[], to: (source: string, file: string) => string): void {
  const urls = new Map(only.map((file) => [pathToFileURL(path.join(root, file)).href, file]));
  registerHooks({
    load: (url, context, next) => {
      const loaded = next(url, context);
      const file = urls.get(url);
      if (file === undefined) return loaded;
      const source = typeof loaded.source === "string" ? loaded.source : Buffer.from((loaded.source ?? "") as Uint8Array).toString("utf8");
      return { ...loaded, source: to(source, file) };
    },
  });
}

/** The door answers what its engine is with the bug. */
function wrapped(source: string, file: string): string {
  const engine = path.basename(path.dirname(file));
  const own = patched(source, file, [{ file, from: `export function ${engine}(`, to: "function asItIs(" }]);
  const from = pathToFileURL(path.join(import.meta.dirname, "portBug.ts")).href;
  return `${own}\nimport { withBug } from ${JSON.stringify(from)};\nexport function ${engine}(...given) { return withBug(asItIs(...given)); }\n`;
}

function files(patches: readonly Patch[]): string[] {
  return [...new Set(patches.map(({ file }) => file))];
}
