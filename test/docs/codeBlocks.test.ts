import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { inRoot, root } from "../../scripts/root.ts";
import { codeBlocksOf, type CodeBlock } from "./codeBlocks.ts";

const documents = globSync(["README.md", "docs/**/*.md", "examples/**/*.md"], { cwd: root }).sort();
const blocks = documents.flatMap(codeBlocksOf);

const settings = {
  extends: inRoot("tsconfig.json"),
  compilerOptions: {
    noUnusedLocals: false,
    noUnusedParameters: false,
    isolatedDeclarations: false,
    moduleDetection: "force",
    paths: { errand: [inRoot("src/index.ts")], "errand/*": [inRoot("src/*/index.ts")] },
  },
  include: ["*.ts"],
};

test(`the ${blocks.length} blocks of TypeScript in the documents type-check`, () => {
  assert.ok(
    blocks.some(({ file }) => file === "README.md"),
    "README.md has no block tagged ts",
  );
  assert.deepEqual(mistakesIn(blocks), []);
});

test("a mistake in a block is found, and told by the line of its document", () => {
  const mistakes = mistakesIn([{ file: "guide.md", line: 7, source: 'import { task } from "errand";\ntask(1, {});\n' }]);
  assert.match(mistakes.join("\n"), /^guide\.md:8: .*not assignable/);
});

/** The folder stands inside the clone, so that the blocks find the packages that are installed there. */
function mistakesIn(all: readonly CodeBlock[]): readonly string[] {
  mkdirSync(inRoot(".work"), { recursive: true });
  const folder = mkdtempSync(inRoot(".work/docs-"));
  try {
    all.forEach(({ source }, at) => writeFileSync(path.join(folder, `block${at}.ts`), source));
    writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(settings));
    return compile(folder).map((mistake) => inDocument(mistake, all));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function compile(folder: string): readonly string[] {
  try {
    execFileSync(inRoot("node_modules/.bin/tsc"), ["-p", ".", "--pretty", "false"], { cwd: folder, encoding: "utf8" });
    return [];
  } catch (error) {
    return (error as { stdout: string }).stdout.split("\n").filter((line) => /^\S.*error TS/.test(line));
  }
}

function inDocument(mistake: string, all: readonly CodeBlock[]): string {
  const [, at = "", line = "", told = ""] = /^block(\d+)\.ts\((\d+),\d+\): error (.*)$/.exec(mistake) ?? [];
  const block = all[Number(at)];
  return told === "" || block === undefined ? mistake : `${block.file}:${block.line + Number(line) - 1}: ${told}`;
}
