/** A call inside the caller's transaction is stored whole or not at all. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import Database from "better-sqlite3";
import { broker, ErrandError, task } from "../../src/index.ts";

const noop = task("noop", (_input: { n: number }) => undefined);

test("within(tx) takes 500 items in a call; more are refused whole, also where the caller goes on and commits", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "errand-within-"));
  const file = path.join(folder, "app.db");
  const work = broker(`sqlite:${file}`, { noop });
  await work.open();
  const db = new Database(file);
  db.pragma("synchronous = FULL");
  const items = (count: number): ReturnType<typeof noop.with>[] => Array.from({ length: count }, (_, n) => noop.with({ n }));
  db.exec("BEGIN IMMEDIATE");
  assert.throws(
    () => work.within(db).enqueue(items(501)),
    (error) => ErrandError.is(error, "enqueue-too-many") && error.isDefinite,
  );
  db.exec("COMMIT");
  assert.equal((await work.count()).ready, 0);
  db.exec("BEGIN IMMEDIATE");
  assert.equal(work.within(db).enqueue(items(500)).length, 500);
  db.exec("COMMIT");
  assert.equal((await work.count()).ready, 500);
  db.close();
  await work.close();
  rmSync(folder, { recursive: true, force: true });
});
