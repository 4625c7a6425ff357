/** What V8 tells of what was run: ranges within ranges, the innermost of which counts. Types are blanked and not removed, so places are those of the source. */
import { pathToFileURL } from "node:url";
import { root } from "../../scripts/root.ts";

export interface Place {
  readonly url: string;
  readonly offset: number;
}

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

export interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

export function isRun(scripts: readonly ScriptCoverage[], { url, offset }: Place): boolean {
  let innermost: Range | undefined;
  for (const script of scripts) {
    if (script.url !== url) continue;
    for (const { ranges } of script.functions)
      for (const range of ranges) if (holds(range, offset) && (innermost === undefined || sizeOf(range) <= sizeOf(innermost))) innermost = range;
  }
  return innermost !== undefined && innermost.count > 0;
}

/** The scripts of this tree. */
export function ownOf(scripts: readonly ScriptCoverage[]): readonly string[] {
  const base = pathToFileURL(`${root}/`).href;
  return scripts.map(({ url }) => url).filter((url) => url.startsWith(base) && !url.includes("/node_modules/"));
}

function holds({ startOffset, endOffset }: Range, offset: number): boolean {
  return startOffset <= offset && offset < endOffset;
}

function sizeOf({ startOffset, endOffset }: Range): number {
  return endOffset - startOffset;
}
