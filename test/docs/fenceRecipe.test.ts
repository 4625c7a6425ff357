/** The recipe of the guide, with its own statements: whoever comes late changes no row. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import Database from "better-sqlite3";
import { inRoot } from "../../scripts/root.ts";

const chapter = readFileSync(inRoot("docs/guide/13-locks-and-leaders.md"), "utf8");
const table = /CREATE TABLE stock \(.*\)/.exec(chapter)?.[0] ?? "";
const statement = (name: string): string => new RegExp(`const ${name} = app\\.prepare\\("(.*)"\\)`).exec(chapter)?.[1] ?? "";

class Stock {
  readonly #app: Database.Database = new Database(":memory:");

  constructor() {
    this.#app.exec(`${table}; INSERT INTO stock (sku, count) VALUES ('a', 0)`);
  }

  raise(fence: number): boolean {
    return this.#app.prepare(statement("raise")).run({ sku: "a", fence }).changes === 1;
  }

  write(fence: number, found: number): boolean {
    return this.#app.prepare(statement("write")).run({ sku: "a", fence, found }).changes === 1;
  }

  get count(): number {
    return (this.#app.prepare("SELECT count FROM stock").get() as { count: number }).count;
  }
}

/** A fence is microseconds since 1970: SQLite's integers hold it exactly. */
const early = Date.UTC(2100, 0) * 1_000;
const late = early + 1;

test("a holder that nobody came between writes, and may raise its fence again", () => {
  const stock = new Stock();
  assert.deepEqual([stock.raise(early), stock.raise(early), stock.write(early, 5), stock.count], [true, true, true, 5]);
});

test("once a younger holder has raised its fence, an older one neither writes nor raises", () => {
  const stock = new Stock();
  assert.deepEqual([stock.raise(early), stock.raise(late)], [true, true]);
  assert.deepEqual([stock.write(early, 5), stock.raise(early), stock.write(late, 7), stock.count], [false, false, true, 7]);
});

test("one that never raised its fence does not write", () => {
  const stock = new Stock();
  assert.deepEqual([stock.write(late, 5), stock.count], [false, 0]);
});
