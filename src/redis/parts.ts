/** A call's atoms in parts of so many works that no script keeps all others waiting long; those that are slim by themselves. */
import type { Atom } from "../core/engine.ts";
import { slimMost } from "./slim.ts";

export interface Part {
  readonly atoms: readonly Atom[];
  readonly isSlim: boolean;
}

/** Where kinds take turns more often than this, all go as the others do. */
const turnsMax = 8;

/** In their order. */
export function partsOf(atoms: readonly Atom[], isSlim: (atom: Atom) => boolean): readonly Part[] {
  const parts = split(atoms, isSlim);
  return parts.length > turnsMax && parts.some((part) => !part.isSlim) ? split(atoms, () => false) : parts;
}

function split(atoms: readonly Atom[], isSlimOne: (atom: Atom) => boolean): Part[] {
  const parts: { atoms: Atom[]; isSlim: boolean }[] = [];
  let works = 0;
  for (const atom of atoms) {
    const isSlim = isSlimOne(atom);
    const last = parts.at(-1);
    works += atom.works.length;
    if (last?.isSlim === isSlim && works <= slimMost) last.atoms.push(atom);
    else {
      parts.push({ atoms: [atom], isSlim });
      works = atom.works.length;
    }
  }
  return parts;
}
