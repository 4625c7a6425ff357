/** A bug that is planted on purpose, under a name. Types alone: what reads them runs before anything of errand is loaded. */

export type EngineName = "memory" | "sqlite" | "postgres" | "redis";
export type Area = "port" | "worker" | "core" | "schedules" | "locks" | "engine" | "durability";

/** One place of the source that is to read otherwise. */
export interface Patch {
  /** From the root of the repository. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly from: string;
  readonly to: string;
}

export interface Planted {
  /** For ERRAND_PLANTED. */
  readonly name: string;
  /** What goes wrong, in a sentence. */
  readonly what: string;
  /** The guarantee, or the invariant of a fault run, that it breaks. */
  readonly breaks: string;
  readonly area: Area;
  /** Where it is looked for; a bug of core or the worker shows on each. */
  readonly engine: EngineName;
  /** Without any: it is planted at the engine's port, by the name of {@link Planted.port}. */
  readonly patches?: readonly Patch[];
  /** As test/conformance, verify/model or verify/simulator call it. */
  readonly port?: string;
}

/** Throws where the source does not have the place, or has it twice: a bug that was not planted would be taken for one that was not found. */
export function patched(source: string, file: string, patches: readonly Patch[]): string {
  let text = source;
  for (const { from, to } of patches.filter((patch) => patch.file === file)) {
    const times = text.split(from).length - 1;
    if (times !== 1) throw new Error(`the place of a planted bug stands ${times} times in ${file}, and must stand there once: ${from}`);
    text = text.replace(from, () => to);
  }
  return text;
}
