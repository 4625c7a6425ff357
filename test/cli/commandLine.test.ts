import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import Database from "better-sqlite3";
import { inRoot } from "../../scripts/root.ts";
import { Shop, tasksFile } from "./shop.ts";

/** What is typed, the exit code, and what it answers on stderr. */
const mistakes: readonly (readonly [string, number, RegExp])[] = [
  ["jbos", 2, /there is no command "jbos", did you mean "jobs"\?/],
  ["help nix", 2, /there is no command "nix"; there are work, jobs, batches, schedules, rebuild, queues, metrics, locks, migrate, doctor/],
  ["jobs lst", 2, /jobs has no "lst", did you mean "list"\?/],
  ["jobs 0123456789abcdef", 2, /errand jobs show 0123456789abcdef/],
  ["jobs --stat dead", 2, /there is no option --stat, did you mean "--state"\?/],
  ["jobs --state ded", 2, /--state has "ded", did you mean "dead"\?/],
  ["jobs --limit", 2, /--limit needs a value/],
  ["jobs --limit 1001", 2, /a whole number from 1 to 1,000/],
  ["jobs --queue=", 2, /--queue is empty/],
  ["jobs list x", 2, /jobs list does not take "x"/],
  ["jobs list --dry-run", 2, /jobs list does not take --dry-run; it takes --state/],
  ["jobs show", 2, /takes an id/],
  ["jobs cancel", 2, /of which jobs\?/],
  ["jobs cancel x --all", 2, /ids or a filter, not both/],
  ["jobs cancel --state dead", 2, /jobs cancel does nothing to dead jobs/],
  ["jobs redrive", 2, /of which jobs\?/],
  ["jobs redrive x", 2, /errand jobs retry x/],
  ["jobs redrive --state ready", 2, /jobs redrive does nothing to ready jobs/],
  ["queues pause", 2, /takes a queue, or --task/],
  ["queues pause a --task b", 2, /takes a queue, or --task/],
  ["queues pause a/b", 2, /name-invalid/],
  ["work", 2, /which definitions\?/],
  ["work nix.js", 2, /there is no file .*nix\.js/],
  [`work ${tasksFile} --grace 10`, 2, /--grace is "10"/],
  [`work ${tasksFile} --queue mail=0`, 2, /write it as --queue mail=5/],
  [`work ${tasksFile} --log debgu`, 2, /did you mean "debug"\?/],
  [`work ${tasksFile} --store memory:`, 2, /use sqlite:shop\.db/],
  ["jobs --store shop.db", 2, /did you mean "sqlite:shop\.db"\?/],
  ["jobs --store sqlte:shop.db", 2, /engine-unknown/],
  ["jobs --store memory:", 2, /within one process/],
  ["migrate sqlite:shop.db", 2, /not-supported: .*postgres:\/\//],
  ["migrate --print postgres://db/shop --schema pg_x", 2, /option-invalid/],
  ["doctor sqlite:nix.db", 2, /there is no file/],
  ["doctor a b", 2, /takes one store/],
  ["verify memory:", 2, /not-supported: memory: is a store within one process/],
  ["verify --store shop.db", 2, /did you mean "sqlite:shop\.db"\?/],
  ["verify sqlite:shop.db --seconds 4", 2, /a whole number from 5 to 21,600/],
  ["verify sqlite:shop.db --sede 4", 2, /did you mean "--seed"\?/],
  ["verify sqlite:nix/shop.db", 2, /option-invalid: the directory of .* does not exist/],
  ["verify nix.js", 2, /there is no file .*nix\.js/],
  ["jobs --store postgres://127.0.0.1:1/shop", 1, /store-unreachable/],
  ["jobs --store sqlite:text.db", 1, /store-foreign: .*name another/],
  ["queues --store sqlite:newer.db", 1, /store-newer: .*update errand/],
  ["queues --store sqlite:app.db", 2, /holds nothing of errand/],
];

describe("the command line", { concurrency: 4 }, () => {
  let shop: Shop;
  before(async () => {
    shop = new Shop();
    await shop.work.open();
    writeFileSync(path.join(shop.folder, "text.db"), "no database, but long enough to be taken for one ".repeat(100));
    database("newer.db", "CREATE TABLE errand_meta (key TEXT PRIMARY KEY, value TEXT); INSERT INTO errand_meta VALUES ('schema', '99')");
    database("app.db", "CREATE TABLE orders (id)");
  });
  after(() => shop[Symbol.asyncDispose]());

  function database(name: string, sql: string): void {
    new Database(path.join(shop.folder, name)).exec(sql).close();
  }

  for (const [typed, code, answer] of mistakes) {
    it(`errand ${typed.replace(tasksFile, "tasks.ts")}: ends with ${code} and says what is wrong`, async () => {
      const ended = await shop.errand(...typed.split(" "));
      assert.equal(ended.code, code, ended.err);
      assert.match(ended.err, answer);
      assert.match(ended.err, /^errand: /);
      assert.doesNotMatch(ended.err, /^\s+at |cli-usage/m);
      assert.equal(ended.out, "");
    });
  }

  it("asks for a store where none is named", async () => {
    const ended = await shop.ended(shop.start(["jobs"], { ERRAND_STORE: "" }));
    assert.deepEqual([ended.code, ended.err], [2, "errand: which store? give --store sqlite:shop.db, or set ERRAND_STORE\n"]);
  });

  it("makes no store by looking at one, and names the one that was meant", async () => {
    for (const args of [["jobs"], ["queues"], ["queues", "pause", "mail"]]) {
      const { code, err } = await shop.errand(...args, "--store", "sqlite:shp.db");
      assert.equal(code, 2);
      assert.match(err, /there is no file .*shp\.db, did you mean "shop\.db"\?/);
    }
    assert.equal(existsSync(path.join(shop.folder, "shp.db")), false);
  });

  it("leaves a database of somebody else as it is", async () => {
    const file = path.join(shop.folder, "app.db");
    const was = readFileSync(file);
    await shop.errand("jobs", "--store", "sqlite:app.db");
    assert.deepEqual(readFileSync(file), was);
    assert.equal(existsSync(`${file}-wal`), false);
  });

  it("has a version, the package's", async () => {
    const { version } = JSON.parse(readFileSync(inRoot("package.json"), "utf8")) as { version: string };
    assert.deepEqual(await shop.errand("--version"), { code: 0, out: `${version}\n`, err: "" });
  });

  it("helps with each command, in lines that fit 80 columns, and names every exit code", async () => {
    for (const args of [
      [],
      ["--help"],
      ["help", "jobs"],
      ["jobs", "redrive", "--help"],
      ["queues", "-h"],
      ["work", "--help"],
      ["doctor", "-h"],
      ["migrate", "-h"],
    ]) {
      const { code, out } = await shop.errand(...args);
      assert.equal(code, 0);
      assert.match(out, /Exit codes: 0 /);
      assert.deepEqual(
        out.split("\n").filter((line) => line.length > 80),
        [],
      );
    }
  });
});
