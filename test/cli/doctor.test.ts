/** `errand doctor` on SQLite. */
import assert from "node:assert/strict";
import { closeSync, openSync, writeSync } from "node:fs";
import { describe, it } from "node:test";
import Database from "better-sqlite3";
import { greet } from "./fixtures/tasks.ts";
import { Shop } from "./shop.ts";

describe("errand doctor on SQLite", { concurrency: 4 }, () => {
  it("finds nothing in a store that is used, and says what it has looked at", async () => {
    await using shop = new Shop();
    await shop.work.enqueue(greet.with({ name: "Ada" }));
    const { code, out, err } = await shop.errand("doctor");
    assert.deepEqual([code, out], [0, ""]);
    assert.match(err, /looked at the file's integrity; its tables, columns and indexes; its journal\nnothing is wrong\n$/);
  });

  it("finds what is missing or another, and the SQL that it prints repairs it", async () => {
    await using shop = new Shop();
    await shop.work.open();
    await shop.work.close();
    const database = new Database(shop.file);
    database.exec("DROP INDEX errand_jobs_lane; DROP INDEX errand_jobs_state; CREATE INDEX errand_jobs_state ON errand_jobs (seq); DROP TABLE errand_done");
    const { code, out } = await shop.errand("doctor");
    assert.equal(code, 1);
    assert.match(
      out,
      /^-- schema: table errand_done is missing\n-- schema: index errand_jobs_lane is missing\n-- schema: index errand_jobs_state is another than this version's\n/,
    );
    database.exec(out);
    database.close();
    assert.equal((await shop.errand("doctor")).code, 0);
  });

  it("finds a page that was overwritten", async () => {
    await using shop = new Shop();
    await shop.work.enqueue(Array.from({ length: 500 }, (_, n) => greet.with({ name: `${n} ${"x".repeat(100)}` })));
    await shop.work.close();
    const database = new Database(shop.file);
    database.pragma("wal_checkpoint(TRUNCATE)");
    const root = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'errand_jobs_id'").pluck().get() as number;
    const size = database.pragma("page_size", { simple: true }) as number;
    database.close();
    const file = openSync(shop.file, "r+");
    writeSync(file, Buffer.alloc(200, 0xff), 0, 200, (root - 1) * size + 20);
    closeSync(file);
    const { code, out, err } = await shop.errand("doctor");
    assert.equal(code, 1);
    assert.match(out + err, /restore (a|it from a) backup/);
  });
});
