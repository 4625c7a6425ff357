/** Looks at a file, and changes nothing. */
import type { Examination, Finding } from "../core/examination.ts";
import { loadDriver } from "./driver.ts";
import type { Connection } from "./driver.ts";
import { failureOf } from "./failure.ts";
import { defaultDriver } from "./open.ts";
import { pathOf } from "./place.ts";
import { bringSchema, isSchemaThere } from "./schema.ts";
import { Statements } from "./statements.ts";

const complaintsMax = 20;
const objects = "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('table', 'index') AND name GLOB 'errand_*' ORDER BY type DESC, name";
const columns = 'SELECT name, type, "notnull" AS isRequired FROM pragma_table_info(?)';

interface Made {
  readonly type: "table" | "index";
  readonly name: string;
  readonly sql: string;
}

/** Throws `engine-missing`, `store-foreign`, `store-newer`, `store-corrupt`. */
export function examineFile(file: string): Examination {
  const path = pathOf(file);
  const Driver = loadDriver(defaultDriver);
  const connection = new Driver(path, { timeout: 0 });
  const model = new Driver(":memory:", { timeout: 0 });
  try {
    const findings = [...integrityFindings(connection), ...shapeFindings(connection, model, path), ...settingFindings(connection, path)];
    return { of: path, lookedAt: ["the file's integrity", "its tables, columns and indexes", "its journal"], findings };
  } catch (error) {
    throw failureOf(error, path);
  } finally {
    model.close();
    connection.close();
  }
}

function integrityFindings(connection: Connection): readonly Finding[] {
  const told = new Statements(connection).all<{ integrity_check: string }>(`PRAGMA integrity_check(${complaintsMax})`);
  return told
    .map((row) => row.integrity_check)
    .filter((complaint) => complaint !== "ok")
    .map((complaint) => ({ about: "integrity", what: `${complaint}; stop all processes and restore a backup, or REINDEX where only an index is told of` }));
}

function shapeFindings(connection: Connection, model: Connection, path: string): readonly Finding[] {
  const [there, expected] = [new Statements(connection), new Statements(model)];
  if (!isSchemaThere(there, path)) return [{ about: "schema", what: `${path} has no tables of this version; opening it makes or updates them` }];
  bringSchema(expected, ":memory:", () => "model");
  const found = new Map(there.all<Made>(objects).map((one) => [one.name, one]));
  return expected.all<Made>(objects).flatMap((one): readonly Finding[] => {
    const own = found.get(one.name);
    if (own === undefined) return [{ about: "schema", what: `${one.type} ${one.name} is missing`, repair: `${one.sql};` }];
    if (one.type === "table") return columnFindings(there, expected, one.name);
    if (own.sql === one.sql) return [];
    return [{ about: "schema", what: `index ${one.name} is another than this version's`, repair: `DROP INDEX ${one.name};\n${one.sql};` }];
  });
}

function columnFindings(there: Statements, expected: Statements, table: string): readonly Finding[] {
  const found = new Map(there.all<Column>(columns, table).map((column) => [column.name, column]));
  return expected.all<Column>(columns, table).flatMap(({ name, type }): readonly Finding[] => {
    const own = found.get(name);
    if (own === undefined) return [{ about: "schema", what: `column ${table}.${name} is missing; restore a backup` }];
    return own.type === type ? [] : [{ about: "schema", what: `column ${table}.${name} is ${own.type}, not ${type}; restore a backup` }];
  });
}

interface Column {
  readonly name: string;
  readonly type: string;
}

function settingFindings(connection: Connection, path: string): readonly Finding[] {
  const journal = String(connection.pragma("journal_mode", { simple: true }));
  if (journal === "wal") return [];
  return [
    {
      about: "settings",
      what: `${path} is in journal mode ${journal}, not WAL: readers and writers wait for each other`,
      repair: "PRAGMA journal_mode = WAL;",
    },
  ];
}
