/** Of the modules what a script uses: each function costs every call that builds its module, and the server when it first reads the script. */
import type { Fragment } from "./fragment.ts";

/** A statement in a module's first column: a function, or its other name, or what the functions share, which always comes along. */
interface Piece {
  readonly name: string | undefined;
  readonly text: string;
}

interface Text {
  readonly text: string;
  readonly module?: Fragment;
}

const split = new Map<Fragment, readonly Piece[]>();

/** The modules that the texts use, and that these use, in the order of their first use: each with what of it is used. */
export function usedBy(texts: readonly string[], modules: ReadonlyMap<string, Fragment>): readonly Fragment[] {
  const used = new Map<Fragment, Set<Piece>>();
  const next: Text[] = texts.map((text) => ({ text }));
  const use = (module: Fragment, isUsed: (name: string) => boolean): void => {
    const own = used.get(module) ?? new Set();
    used.set(module, own);
    for (const piece of piecesOf(module)) {
      if (own.has(piece) || (piece.name !== undefined && !isUsed(piece.name))) continue;
      own.add(piece);
      next.push({ text: piece.text, module });
    }
  };
  for (let from = next.shift(); from !== undefined; from = next.shift()) {
    for (const [, name = "", own] of from.text.matchAll(/\bU\.(\w+)(?:\.(\w+))?/g)) {
      const module = modules.get(name);
      if (module === undefined) throw new Error(`a script uses a module ${name} that does not exist`);
      use(module, (piece) => own === undefined || piece === `M.${own}`);
    }
    const words = new Set(from.text.match(/\bM\.\w+|\w+/g));
    if (from.module !== undefined) use(from.module, (piece) => words.has(piece));
  }
  return Array.from(used, ([module, own]) => ({ name: module.name, text: textOf(module, own) }));
}

function textOf(module: Fragment, used: ReadonlySet<Piece>): string {
  const kept = piecesOf(module).filter((piece) => used.has(piece));
  return kept.map(({ text }) => text).join("\n");
}

function piecesOf(module: Fragment): readonly Piece[] {
  const known = split.get(module);
  if (known !== undefined) return known;
  // What a comment names is not used.
  const text = module.text.replaceAll(/^\s*--.*\n/gm, "");
  const pieces = text.split(/\n(?!end\b|[\s})\]])/).map((piece) => ({ name: nameOf(piece), text: piece }));
  split.set(module, pieces);
  return pieces;
}

function nameOf(text: string): string | undefined {
  return /^(?:local function |function )?(M\.\w+)/.exec(text)?.[1] ?? /^local function (\w+)/.exec(text)?.[1];
}
