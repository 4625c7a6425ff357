/** The TypeScript of the documents, as files that the compiler can check. */
import { readFileSync } from "node:fs";
import { inRoot } from "../../scripts/root.ts";

export interface CodeBlock {
  readonly file: string;
  /** The line of the document that the source's first line stands on. */
  readonly line: number;
  readonly source: string;
}

/**
 * Each block tagged `ts` is a module of its own. A comment before it may give it what the reader takes as known:
 * `<!-- given: declare const mail: Mail; -->`, `<!-- continues -->` for all of the block before it, or `<!-- continues, given: … -->`.
 */
export function codeBlocksOf(file: string): readonly CodeBlock[] {
  const text = readFileSync(inRoot(file), "utf8");
  const blocks: CodeBlock[] = [];
  for (const match of text.matchAll(/(?:^<!-- (continues|(?:continues, )?given:[\s\S]*?) -->\n+)?^```ts\n([\s\S]*?)^```$/gm)) {
    const [whole, comment = "", code = ""] = match;
    const before = comment.startsWith("continues") ? (blocks.at(-1)?.source ?? "") : "";
    const given = `${before}${comment.replace(/^(continues(, )?)?(given:)?/, "")}`;
    const codeLine = text.slice(0, match.index + whole.indexOf("```ts")).split("\n").length + 1;
    const source = given === "" ? code : `${given.trimEnd()}\n${code}`;
    blocks.push({ file, line: codeLine - (source.split("\n").length - code.split("\n").length), source });
  }
  return blocks;
}
