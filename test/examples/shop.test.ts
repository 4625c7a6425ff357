import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import type { Figures } from "../../examples/shop/figures.ts";
import { postgresMissing } from "../postgres/server.ts";
import { redisMissing } from "../redis/server.ts";
import { madeOrders } from "../../examples/shop/makeOrders.ts";

const folder = join(import.meta.dirname, "../../examples/shop");

for (const [engine, skip] of [
  ["sqlite", false],
  ["postgres", postgresMissing ?? false],
  ["redis", redisMissing ?? false],
] as const) {
  test(
    `with errand no effect is lost, no request fails and the ledger stays in order, whatever is killed or down (${engine})`,
    { timeout: 120_000, skip },
    (t) => shopOn(t, engine),
  );
}

async function shopOn(t: TestContext, engine: string): Promise<void> {
  const shop = start(t, "--fast", "--json", "--engine", engine);
  const [out, err] = await Promise.all([text(shop.process.stdout), text(shop.process.stderr), once(shop.process, "exit")]);
  const { stuffed, errand, broken } = JSON.parse(out) as { readonly stuffed: Figures; readonly errand: Figures; readonly broken: readonly string[] };
  assert.deepEqual({ broken, exitCode: shop.process.exitCode }, { broken: [], exitCode: 0 }, err);
  const { sent, failed, stored, done, lost, doneTwice, entriesOutOfOrder, dead, workersKilled } = errand;
  assert.deepEqual(
    { sent, failed, stored, done, lost, doneTwice, entriesOutOfOrder, dead, workersKilled },
    { sent: 300, failed: 0, stored: 300, done: 3_000, lost: 0, doneTwice: 0, entriesOutOfOrder: 0, dead: 0, workersKilled: 1 },
  );
  assert.ok(errand.retries > 0, "something failed and was tried again");
  assert.ok(
    errand.resent.asked > 0 && errand.skipped + errand.resent.joined >= errand.resent.asked,
    "a receipt asked for again is skipped or joins the one that waits",
  );
  assert.ok(stuffed.failed > 0 && stuffed.lost > 0, "the stuffed endpoint suffers the same troubles");
  assert.deepEqual(readdirSync(shop.temporary), [], "the run leaves no files behind");
}

test("Ctrl-C ends the demonstration with its files", { timeout: 30_000 }, async (t) => {
  const shop = start(t, "--fast");
  await once(shop.process.stderr, "data");
  shop.process.kill("SIGINT");
  assert.deepEqual(await once(shop.process, "exit"), [130, null]);
  assert.deepEqual(readdirSync(shop.temporary), []);
});

test("an engine the shop does not run on is refused, and so is an option out of range", async (t) => {
  for (const [args, complaint] of [
    [["--engine", "mongo"], /--engine mongo: the shop runs on sqlite, postgres, redis;/],
    [["--orders", "1e9"], /--orders 1e9: give a whole number from 100 to 2000/],
    [["--oders", "10"], /--oders/],
  ] as const) {
    const shop = start(t, ...args);
    const [err] = await Promise.all([text(shop.process.stderr), once(shop.process, "exit")]);
    assert.equal(shop.process.exitCode, 2);
    assert.match(err, complaint);
  }
});

test("the orders are the ones that the committed script makes", () => {
  assert.deepEqual(JSON.parse(readFileSync(join(folder, "orders.json"), "utf8")), madeOrders());
});

function start(t: TestContext, ...args: readonly string[]) {
  const temporary = mkdtempSync(join(tmpdir(), "errand-shop-test-"));
  const shop = spawn(process.execPath, [join(folder, "main.ts"), ...args], { env: { ...process.env, TMPDIR: temporary }, stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => {
    shop.kill("SIGKILL"); // its children end with it
    rmSync(temporary, { recursive: true, force: true });
  });
  return { process: shop, temporary };
}
