/** All mutants of core and the worker, as Stryker makes them, and a sample of them that a seed gives again. */
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { inRoot } from "../../scripts/root.ts";
import { Seeded } from "../../src/testing/seeded.ts";

export interface Mutant {
  /** From the root. */
  readonly file: string;
  readonly line: number;
  /** Characters of the file that are replaced. */
  readonly start: number;
  readonly end: number;
  readonly to: string;
  readonly kind: string;
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

export async function allMutants(): Promise<readonly Mutant[]> {
  const instrumenter = await instrumenterOf(installed());
  const mutants: Mutant[] = [];
  for (const file of globSync("src/core/**/*.ts", { cwd: inRoot(".") }).sort()) {
    const content = readFileSync(inRoot(file), "utf8");
    const starts = [0, ...[...content.matchAll(/\n/g)].map(({ index }) => index + 1)];
    const at = ({ line, column }: Place): number => (starts[line] ?? 0) + column;
    const made = await instrumenter.instrument([{ name: inRoot(file), content, mutate: true }], { plugins: null, excludedMutations: [], ignorers: [] });
    for (const { mutatorName: kind, replacement: to, location } of made.mutants.filter(({ mutatorName }) => !leftOut.includes(mutatorName)))
      mutants.push({ file, line: location.start.line + 1, start: at(location.start), end: at(location.end), to, kind });
  }
  return mutants;
}

export function sampleOf(mutants: readonly Mutant[], size: number, seed: number): readonly Mutant[] {
  const random = new Seeded(seed);
  const left = [...mutants];
  return Array.from({ length: Math.min(size, left.length) }, () => left.splice(Math.floor(random.random() * left.length), 1)).flat();
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
