/** All mutants of core and the worker, as Stryker makes them, and a sample of them that a seed gives again. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { inRoot } from "../../scripts/root.ts";

export interface Mutant {
  /** From the root. */
  readonly file: string;
  readonly line: number;
  /** Characters of the file that are replaced. */
  readonly start: number;
  readonly end: number;
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  /** The same for as long as the text it changes is. */
  readonly id: string;
}

/** As much of Stryker's instrumenter as is used. */
interface Instrumenter {
  instrument(files: readonly object[], options: object): Promise<{ readonly mutants: readonly Made[] }>;
}
interface Place {
  readonly line: number;
  readonly column: number;
}
interface Made {
  readonly mutatorName: string;
  readonly replacement: string;
  readonly location: { readonly start: Place; readonly end: Place };
}
type Class = { readonly inject: readonly string[] } & (new (...given: unknown[]) => Instrumenter);

/** Not among the dependencies: 78 packages that nobody needs who does not measure this. */
const stryker = "@stryker-mutator/instrumenter@10.1.1";
const folder = inRoot(".work/mutation");
/** Texts are for people: laws look at codes and states, and at what an error says only here and there. */
const leftOut = ["StringLiteral", "Regex"];
/** Stryker changes a tree, this a text: what binds less tightly than before needs its parentheses. */
const looser = ["LogicalOperator", "BooleanLiteral"];

export async function allMutants(): Promise<readonly Mutant[]> {
  const instrumenter = await instrumenterOf(installed());
  const mutants: Mutant[] = [];
  for (const file of globSync("src/core/**/*.ts", { cwd: inRoot(".") }).sort()) {
    const content = readFileSync(inRoot(file), "utf8");
    const starts = [0, ...[...content.matchAll(/\n/g)].map(({ index }) => index + 1)];
    const at = ({ line, column }: Place): number => (starts[line] ?? 0) + column;
    const made = await instrumenter.instrument([{ name: inRoot(file), content, mutate: true }], { plugins: null, excludedMutations: [], ignorers: [] });
    const seen = new Map<string, number>();
    for (const { mutatorName: kind, replacement, location } of made.mutants.filter(({ mutatorName }) => !leftOut.includes(mutatorName))) {
      const [start, end] = [at(location.start), at(location.end)];
      const from = content.slice(start, end);
      const to = looser.includes(kind) ? `(${replacement})` : replacement;
      const name = JSON.stringify([file, kind, from, to]);
      seen.set(name, (seen.get(name) ?? 0) + 1);
      mutants.push({ file, line: location.start.line + 1, start, end, from, to, kind, id: `${name}${seen.get(name)}` });
    }
  }
  return mutants;
}

/** In an order of the seed's own, in which a mutant keeps its place when others come and go: the sample is the same but for what was edited. */
export function sampleOf(mutants: readonly Mutant[], size: number, seed: number): readonly Mutant[] {
  const placeOf = ({ id }: Mutant): string => createHash("sha256").update(`${seed} ${id}`).digest("hex");
  return mutants
    .map((mutant) => ({ mutant, place: placeOf(mutant) }))
    .sort((one, other) => (one.place < other.place ? -1 : 1))
    .slice(0, size)
    .map(({ mutant }) => checked(mutant));
}

/** One that is no program would be noticed by everybody, and prove nothing. */
function checked(mutant: Mutant): Mutant {
  const text = readFileSync(inRoot(mutant.file), "utf8");
  stripTypeScriptTypes(text.slice(0, mutant.start) + mutant.to + text.slice(mutant.end));
  return mutant;
}

function installed(): string {
  const door = path.join(folder, "node_modules/@stryker-mutator/instrumenter/dist/src/index.js");
  if (existsSync(door)) return door;
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "package.json"), '{ "private": true }\n');
  console.log(`Installing ${stryker} into .work/mutation (once) …`);
  const { status, stderr } = spawnSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--save-exact", stryker], {
    cwd: folder,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`npm could not install ${stryker}: ${stderr}`);
  return door;
}

async function instrumenterOf(door: string): Promise<Instrumenter> {
  const { createInstrumenter } = (await import(pathToFileURL(door).href)) as { readonly createInstrumenter: (injector: object) => Instrumenter };
  const quiet = new Proxy({}, { get: () => () => false });
  const values = new Map<string, unknown>([["logger", quiet]]);
  const injector = {
    provideValue: (name: string, value: unknown) => {
      values.set(name, value);
      return injector;
    },
    injectClass: (Made: Class) => new Made(...Made.inject.map((name) => values.get(name))),
  };
  return createInstrumenter(injector);
}
