/** All that a file holds, as a short text: two files with the same one hold the same. */
import { createHash } from "node:crypto";
import type { Connection } from "../../src/sqlite/driver.ts";
import { Database } from "../../test/sqlite/bench.ts";

const objects = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_stat%' ORDER BY name";

/** Every row of every table, in the order of the tables' keys. */
export function fingerprintOf(connection: Connection): string {
  const hash = createHash("sha1");
  for (const [name, sql] of rowsOf(connection, objects)) {
    hash.update(`${String(name)} ${String(sql)}\n`);
    for (const row of rowsOf(connection, `SELECT * FROM "${String(name)}"`)) hash.update(JSON.stringify(row));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Of a file that nobody has open. */
export function fingerprintOfFile(file: string): string {
  const connection = new Database(file, { timeout: 0 });
  try {
    return fingerprintOf(connection);
  } finally {
    connection.close();
  }
}

/** What SQLite finds wrong with it; empty: nothing. */
export function damageOf(connection: Connection): string {
  const said = rowsOf(connection, "PRAGMA integrity_check").flat().join("; ");
  return said === "ok" ? "" : said;
}

function rowsOf(connection: Connection, sql: string): unknown[][] {
  const statement = connection.prepare(sql);
  statement.raw?.(true);
  return statement.all() as unknown[][];
}
