/** What a door shows: its exports with their declarations, and the types that these lead to. Read from the built declarations. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseSync, type ParseResult } from "oxc-parser";

/** A declaration, and the file it stands in. */
export interface Shown {
  /** What it is exported as. */
  readonly name: string;
  /** What it is declared as. */
  readonly declaredName: string;
  readonly file: string;
  readonly text: string;
}

export interface Surface {
  readonly exports: readonly Shown[];
  /** Not exported by this door, but named by what is. */
  readonly reached: readonly Shown[];
}

interface Origin {
  readonly file: string;
  readonly name: string;
}

interface Module {
  readonly declared: ReadonlyMap<string, string>;
  readonly imported: ReadonlyMap<string, Origin>;
  readonly exported: ReadonlyMap<string, Origin>;
  readonly stars: readonly string[];
}

type Statement = ParseResult["program"]["body"][number];

const builtinFile = "";
/** Stands for the name in `import * as port`. */
const wholeModule = "*";

export class Declarations {
  readonly #modules: Map<string, Module> = new Map();

  surfaceOf(door: string): Surface {
    const exports = Array.from(this.#exportsOf(door), ([name, origin]) => ({ ...this.#shown(origin), name })).toSorted(byName);
    return { exports, reached: this.#reachedFrom(exports) };
  }

  #exportsOf(file: string): ReadonlyMap<string, Origin> {
    const { exported, stars } = this.#module(file);
    const all = new Map(stars.flatMap((star) => [...this.#exportsOf(star)]));
    for (const [name, origin] of exported) all.set(name, this.#resolve(origin));
    return all;
  }

  /** Follows imports and re-exports to the file that declares it. */
  #resolve({ file, name }: Origin): Origin {
    if (file === builtinFile) return { file, name };
    const { declared, imported } = this.#module(file);
    if (declared.has(name)) return { file, name };
    const next = imported.get(name) ?? this.#exportsOf(file).get(name);
    if (next === undefined) throw new Error(`${file} declares no ${name}`);
    return this.#resolve(next);
  }

  #shown({ file, name }: Origin): Shown {
    return { file, name, declaredName: name, text: file === builtinFile ? "" : (this.#module(file).declared.get(name) ?? "") };
  }

  #reachedFrom(exports: readonly Shown[]): readonly Shown[] {
    const found = new Map(exports.map((one) => [keyOf(one), one]));
    const own = new Set(found.keys());
    for (const one of found.values()) {
      for (const shown of this.#namedBy(one).map((origin) => this.#shown(origin))) {
        if (!found.has(keyOf(shown))) found.set(keyOf(shown), shown);
      }
    }
    return Array.from(found)
      .filter(([key]) => !own.has(key))
      .map(([, one]) => one)
      .toSorted(byName);
  }

  #namedBy({ file, text, declaredName }: Shown): readonly Origin[] {
    const { declared, imported } = this.#module(file);
    const words = new Set(text.replaceAll(/"[^"]*"/g, "").match(/[\w$.]+/g));
    const origins = Array.from(words, (word): Origin | undefined => {
      const [first = "", second = ""] = word.split(".");
      const origin = imported.get(first);
      if (origin?.name === wholeModule) return { file: origin.file, name: second };
      return declared.has(first) ? { file, name: first } : origin;
    });
    return origins
      .filter((origin) => origin !== undefined && origin.name !== declaredName && origin.file !== builtinFile)
      .map((origin) => this.#resolve(origin as Origin));
  }

  #module(file: string): Module {
    const known = this.#modules.get(file);
    if (known !== undefined) return known;
    const made = moduleOf(file, readFileSync(file, "utf8"));
    this.#modules.set(file, made);
    return made;
  }
}

function moduleOf(file: string, text: string): Module {
  const parsed = parseSync(file, text);
  const declared = new Map<string, string>();
  for (const statement of parsed.program.body) {
    for (const name of namesOf(statement)) declared.set(name, joined(declared.get(name), withoutComments(text, statement, parsed)));
  }
  const { exported, stars } = exportsIn(file, parsed);
  return { declared, imported: importsIn(file, parsed), exported, stars };
}

function namesOf(statement: Statement): readonly string[] {
  const declaration = statement.type === "ExportNamedDeclaration" && statement.declaration !== null ? statement.declaration : statement;
  if (declaration.type === "VariableDeclaration") return declaration.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : []));
  return "id" in declaration && declaration.id?.type === "Identifier" ? [declaration.id.name] : [];
}

/** Overloads stand in several statements. */
function joined(before: string | undefined, text: string): string {
  return before === undefined ? text : `${before}\n${text}`;
}

function withoutComments(text: string, { start, end }: Statement, { comments }: ParseResult): string {
  let at = start;
  let kept = "";
  for (const comment of comments.filter((one) => one.start >= start && one.end <= end)) {
    kept += text.slice(at, comment.start);
    at = comment.end;
  }
  return `${kept}${text.slice(at, end)}`
    .replaceAll(/^\s*#private;$/gm, "")
    .replaceAll(/\n\s*\n/g, "\n")
    .replace(/^(export )?(declare )?/, "");
}

function importsIn(file: string, parsed: ParseResult): ReadonlyMap<string, Origin> {
  const entries = parsed.module.staticImports.flatMap((one) => one.entries.map((entry) => ({ entry, from: declarationFile(file, one.moduleRequest.value) })));
  const nameOf = ({ importName, localName }: (typeof entries)[number]["entry"]): string =>
    importName.kind === "NamespaceObject" ? wholeModule : (importName.name ?? localName.value);
  return new Map(entries.map(({ entry, from }) => [entry.localName.value, { file: from, name: nameOf(entry) }]));
}

function exportsIn(file: string, parsed: ParseResult): { exported: ReadonlyMap<string, Origin>; stars: readonly string[] } {
  const exported = new Map<string, Origin>();
  const stars: string[] = [];
  for (const entry of parsed.module.staticExports.flatMap(({ entries }) => entries)) {
    const from = entry.moduleRequest === null ? file : declarationFile(file, entry.moduleRequest.value);
    const name = entry.exportName.name ?? entry.exportName.kind.toLowerCase();
    if (entry.importName.kind === "AllButDefault") stars.push(from);
    else exported.set(name, { file: from, name: entry.importName.name ?? entry.localName.name ?? name });
  }
  return { exported, stars };
}

function declarationFile(from: string, specifier: string): string {
  if (!specifier.startsWith(".")) return builtinFile;
  const file = path.join(path.dirname(from), specifier.replace(/\.[jt]s$/, ".d.ts"));
  if (!existsSync(file)) throw new Error(`${from} imports ${specifier}, which was not built`);
  return file;
}

/** Tells declarations of the same name in two files apart. */
export function keyOf({ file, declaredName }: Shown): string {
  return `${file}#${declaredName}`;
}

function byName(a: Shown, b: Shown): number {
  return a.name < b.name ? -1 : 1;
}
