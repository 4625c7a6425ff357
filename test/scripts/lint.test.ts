import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { inRoot } from "../../scripts/root.ts";

/** What lint must find: the rule, and a file that breaks it. Each stands in its own file under src/core/ of a copy of the configuration. */
const breaches: Readonly<Record<string, string>> = {
  "eslint(no-restricted-properties) Date.now": "export const at: number = Date.now();",
  "eslint(no-restricted-properties) Math.random": "export const luck: number = Math.random();",
  "eslint(no-restricted-properties) process.hrtime": "export const at: bigint = process.hrtime.bigint();",
  "eslint(no-restricted-properties) AbortSignal.timeout": "export const signal: AbortSignal = AbortSignal.timeout(5);",
  "eslint(no-restricted-globals) performance": "export const at: number = performance.now();",
  "eslint(no-restricted-globals) setTimeout": "setTimeout(() => undefined, 1);",
  "eslint(no-restricted-globals) setInterval": "setInterval(() => undefined, 1);",
  "eslint(no-restricted-globals) setImmediate": "setImmediate(() => undefined);",
  "eslint(no-restricted-globals) crypto": "export const id: string = crypto.randomUUID();",
  "eslint(no-console)": 'console.log("here");',
  "eslint(max-lines)": Array.from({ length: 401 }, (_, line) => `export const line${line} = ${line};`).join("\n"),
  "eslint(max-lines-per-function)": `export function long(): void {\n${"  void 0;\n".repeat(61)}}`,
  "eslint(max-lines-per-function) method": `export class Long {\n  method(): void {\n${"    void 0;\n".repeat(61)}  }\n}`,
  "typescript(no-floating-promises)": "async function send(): Promise<void> {}\nsend();",
  "typescript(no-misused-promises)": "[1].forEach(async () => undefined);",
  "typescript(await-thenable)": "const send = (): number => 1;\nexport const sent: number = await send();",
  "typescript(no-explicit-any)": "export const anything: any = 1;",
  "typescript(no-non-null-assertion)": "export const first = (names: string[]): string => names[0]!;",
  "typescript(consistent-type-imports)": 'import { Stats } from "node:fs";\nexport type Read = Stats;',
  "typescript(return-await)":
    "const send = async (): Promise<number> => 1;\nexport async function guarded(): Promise<number> {\n  try {\n    return send();\n  } catch {\n    return 0;\n  }\n}",
};

describe("lint", () => {
  let folder = "";
  let found: readonly { code: string; filename: string }[] = [];

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "errand-lint-"));
    for (const file of [".oxlintrc.json", "tsconfig.json", "package.json"]) cpSync(inRoot(file), path.join(folder, file));
    symlinkSync(inRoot("node_modules"), path.join(folder, "node_modules"));
    mkdirSync(path.join(folder, "src/core"), { recursive: true });
    mkdirSync(path.join(folder, "src/runtime"), { recursive: true });
    Object.values(breaches).forEach((source, at) => writeFileSync(path.join(folder, `src/core/planted${at}.ts`), `${source}\nexport {};\n`));
    writeFileSync(path.join(folder, "src/runtime/clock.ts"), "export const at: number = Date.now() + performance.now();\n");
    found = findings(folder);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  Object.keys(breaches).forEach((name, at) => {
    it(`finds ${name}`, () => {
      const rules = found.filter(({ filename }) => filename.endsWith(`/planted${at}.ts`)).map(({ code }) => code);
      assert.ok(rules.includes(name.split(" ")[0] ?? ""), `found only ${JSON.stringify(rules)}`);
    });
  });

  it("lets src/runtime/ read the clock", () => {
    assert.deepEqual(
      found.filter(({ filename }) => filename.endsWith("/clock.ts")),
      [],
    );
  });
});

function findings(folder: string): readonly { code: string; filename: string }[] {
  try {
    execFileSync(path.join(folder, "node_modules/.bin/oxlint"), ["--format=json", "src"], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    return [];
  } catch (error) {
    const { stdout } = error as { stdout: string };
    return (JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] }).diagnostics;
  }
}
