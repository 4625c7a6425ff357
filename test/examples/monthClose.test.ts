import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import type { GuardsAtWork } from "../../examples/month-close/guardsAtWork.ts";
import type { Outcome } from "../../examples/month-close/run.ts";

const folder = join(import.meta.dirname, "../../examples/month-close");

test(
  "with errand no charge is wrong, none is missing and every customer is told, though the world changes and a worker is killed",
  { timeout: 180_000 },
  async (t) => {
    const close = start(t, "--customers", "200", "--json");
    const [out, err] = await Promise.all([text(close.process.stdout), text(close.process.stderr), once(close.process, "exit")]);
    assert.equal(close.process.exitCode, 0, `${err}\n${out}`);
    const { straight, errand, broken } = JSON.parse(out) as { straight: Outcome<undefined>; errand: Outcome<GuardsAtWork>; broken: readonly string[] };
    assert.deepEqual(broken, []);
    const { audit, killed, told } = errand;
    const { wrong, disagreements, heldWrongly, letters, lettersMissing, lettersTwice, lettersWrong, hasReport } = audit;
    assert.deepEqual(
      { wrong, disagreements, heldWrongly, letters, lettersMissing, lettersTwice, lettersWrong, hasReport, killed },
      { wrong: [], disagreements: 0, heldWrongly: 0, letters: 200, lettersMissing: 0, lettersTwice: 0, lettersWrong: 0, hasReport: true, killed: 1 },
    );
    assert.ok(audit.changes > 0 && audit.declined > 0, "the world changed, and some banks declined");
    assert.ok(told.jobs >= 200 * 4, "each customer's jobs were done");
    assert.ok(straight.audit.wrong.length > 0, "straight through the same troubles make wrong charges");
    assert.equal(straight.killed, 1);
    assert.deepEqual(readdirSync(close.temporary), [], "the run leaves no files behind");
  },
);

test("Ctrl-C ends the close with its files", { timeout: 30_000 }, async (t) => {
  const close = start(t, "--customers", "200");
  await once(close.process.stderr, "data");
  close.process.kill("SIGINT");
  assert.deepEqual(await once(close.process, "exit"), [130, null]);
  assert.deepEqual(readdirSync(close.temporary), []);
});

for (const [args, complaint] of [
  [["--customers", "1e9"], /--customers 1e9: give a whole number from 100 to 9999/],
  [["--costumers", "10"], /--costumers/],
] as const)
  test(`${args.join(" ")} is refused`, async (t) => {
    const close = start(t, ...args);
    const [err] = await Promise.all([text(close.process.stderr), once(close.process, "exit")]);
    assert.equal(close.process.exitCode, 2);
    assert.match(err, complaint);
  });

test("the excerpts in its README are what runs", () => {
  const definitions = readFileSync(join(folder, "definitions.ts"), "utf8");
  const excerpts = [...readFileSync(join(folder, "README.md"), "utf8").matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code.trimEnd());
  assert.ok(excerpts.length >= 3);
  assert.deepEqual(
    excerpts.filter((code) => !definitions.includes(code)),
    [],
  );
});

function start(t: TestContext, ...args: readonly string[]) {
  const temporary = mkdtempSync(join(tmpdir(), "errand-month-close-test-"));
  const child = spawn(process.execPath, [join(folder, "main.ts"), ...args], { env: { ...process.env, TMPDIR: temporary }, stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => {
    child.kill("SIGKILL"); // its children end with it
    rmSync(temporary, { recursive: true, force: true });
  });
  return { process: child, temporary };
}
