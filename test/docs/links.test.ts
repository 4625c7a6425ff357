import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { inRoot, root } from "../../scripts/root.ts";

const files = globSync(["*.md", "docs/**/*.md", "examples/**/*.md", "bench/*.md"], { cwd: root });

for (const file of files) {
  test(`every relative link of ${file} leads somewhere`, () => {
    assert.deepEqual(
      linksOf(file).filter((link) => !resolves(file, link)),
      [],
    );
  });
}

function linksOf(file: string): readonly string[] {
  const prose = readFileSync(inRoot(file), "utf8")
    .replaceAll(/^```[\s\S]*?^```/gm, "")
    .replaceAll(/`[^`\n]*`/g, "");
  return Array.from(prose.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g), ([, link = ""]) => link).filter((link) => !/^[a-z]+:/.test(link));
}

function resolves(file: string, link: string): boolean {
  const [target = "", anchor] = link.split("#");
  const full = target === "" ? inRoot(file) : path.join(path.dirname(inRoot(file)), target);
  return existsSync(full) && (anchor === undefined || !full.endsWith(".md") || anchorsOf(full).includes(anchor));
}

/** A heading's anchor, as code hosts make it: small letters, no punctuation, dashes for spaces. */
function anchorsOf(file: string): readonly string[] {
  const headings = readFileSync(file, "utf8").matchAll(/^#+ (.*)$/gm);
  return Array.from(headings, ([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(/\s/g, "-"),
  );
}
