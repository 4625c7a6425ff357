/** Whether the schema is what this version expects: what is missing, what differs, what is too much, and the statement that mends it. */
import type { Finding } from "../../core/examination.ts";
import type { Session } from "../client.ts";
import { functions } from "../functions.ts";
import { inSchema } from "../quoting.ts";
import { bare, objectsExpected, objectsThere } from "./objects.ts";
import type { StoredObject } from "./objects.ts";

export async function shapeFindings(session: Session, schema: string): Promise<readonly Finding[]> {
  const there = new Map((await objectsThere(session, schema)).map((one) => [keyOf(one), one]));
  const expected = await objectsExpected(session, schema);
  // Columns and indexes of a table that is missing are missing with it; so is an identity's sequence.
  const missing = new Set(expected.filter((one) => isWhole(one) && !there.has(keyOf(one))).map(({ owner }) => owner));
  const drifts = expected.filter((one) => isWhole(one) || !missing.has(one.owner)).flatMap((one) => drift(one, there.get(keyOf(one)), expected));
  return [...drifts, ...superfluous([...there.values()], expected)].map(({ what, repair }) => ({ about: "schema", what, repair: inSchema(repair, schema) }));
}

/** Made for another engine, whose store may be elsewhere. */
function isOfOutbox({ owner }: StoredObject): boolean {
  return ["outbox", "outbox_relay", "outbox_set_aside", "outbox_add", "outbox_again"].includes(owner);
}

/** Of another version, or somebody's own. An index costs each write, a trigger or a column may refuse it, a second function of a name may be taken for the first. */
function superfluous(there: readonly StoredObject[], expected: readonly StoredObject[]): readonly Drift[] {
  const known = new Set(expected.map(keyOf));
  const strange = there.filter((one) => !known.has(keyOf(one)) && !isOfOutbox(one));
  const wholes = new Set(strange.filter(isWhole).map(({ owner, kind }) => (kind === "function" ? "" : owner)));
  return strange
    .filter((one) => isWhole(one) || !wholes.has(one.owner))
    .map((one) => ({ what: `${called(one)} is none of this version's`, repair: `${dropping(one)}; -- if nobody needs it` }));
}

function dropping({ kind, name, owner, more }: StoredObject): string {
  switch (kind) {
    case "column":
      return `ALTER TABLE @.${owner} DROP COLUMN ${name.slice(owner.length + 1)}`;
    case "index":
      return more === "" ? `DROP INDEX CONCURRENTLY @.${name}` : `ALTER TABLE @.${owner} DROP CONSTRAINT ${name}`;
    case "trigger":
      return `DROP TRIGGER ${name.slice(owner.length + 1)} ON @.${owner}`;
    default:
      return `DROP ${kind.toUpperCase()} @.${name}`;
  }
}

interface Drift {
  readonly what: string;
  readonly repair: string;
}

function drift(one: StoredObject, found: StoredObject | undefined, expected: readonly StoredObject[]): readonly Drift[] {
  if (found === undefined) return [{ what: `${called(one)} is missing`, repair: making(one, expected) }];
  if (one.kind === "column") return columnDrift(one, found);
  if (!found.isValid) return [invalid(one)];
  if (bare(found.definition) === bare(one.definition)) return [];
  return [{ what: `${called(one)} is another than this version's`, repair: `${unmaking(one, found)}${making(one, expected)}` }];
}

function columnDrift(one: StoredObject, found: StoredObject): readonly Drift[] {
  const [table = "", column = ""] = one.name.split(".");
  const alter = `ALTER TABLE @.${table} ALTER COLUMN ${column}`;
  const type = one.definition.replace(/ GENERATED.*$/, "");
  return [
    one.definition !== found.definition && {
      what: `${called(one)} is ${found.definition || "of no type"}, not ${one.definition}`,
      repair: `${alter} TYPE ${type} USING ${column}::${type.replace(/ COLLATE.*$/, "")};`,
    },
    one.more !== found.more && {
      what: `${called(one)} ${one.more === "" ? "takes no nulls" : "takes nulls"}`,
      repair: `${alter} ${one.more === "" ? "DROP" : "SET"} NOT NULL;`,
    },
    one.rest !== found.rest && {
      what: `${called(one)} has the default ${found.rest || "null"}, not ${one.rest || "null"}`,
      repair: one.rest === "" ? `${alter} DROP DEFAULT;` : `${alter} SET DEFAULT ${one.rest};`,
    },
  ].filter((each) => each !== false);
}

function invalid(one: StoredObject): Drift {
  if (one.kind === "trigger")
    return { what: `${called(one)} is disabled`, repair: `ALTER TABLE @.${one.owner} ENABLE TRIGGER ${one.name.split(".")[1] ?? ""};` };
  return { what: `${called(one)} is invalid: nothing can be looked up by it`, repair: `REINDEX INDEX CONCURRENTLY @.${one.name};` };
}

/** What `CREATE OR REPLACE` cannot take along. */
function unmaking(one: StoredObject, found: StoredObject): string {
  if (one.kind === "index") return one.more === "" ? `DROP INDEX CONCURRENTLY @.${one.name};\n` : `ALTER TABLE @.${one.owner} DROP CONSTRAINT ${one.name};\n`;
  const isAnother = one.kind === "function" && (found.more !== one.more || found.rest !== one.rest);
  return isAnother ? `DROP FUNCTION @.${one.owner};\n` : "";
}

function making(one: StoredObject, expected: readonly StoredObject[]): string {
  switch (one.kind) {
    case "table":
      return makingTable(one, expected);
    case "type":
      return `CREATE TYPE @.${one.name} AS (${columnsOf(one, expected).join(", ")});`;
    case "sequence":
      return `CREATE SEQUENCE @.${one.name}${one.name === "seqs" ? "" : " MINVALUE 0 START 0"};`;
    case "column":
      return `ALTER TABLE @.${one.owner} ADD COLUMN ${columnSql(one)};`;
    case "index":
      return one.more === ""
        ? `${one.definition.replace(/^CREATE (UNIQUE )?INDEX /, "CREATE $1INDEX CONCURRENTLY ")};`
        : `ALTER TABLE @.${one.owner} ADD CONSTRAINT ${one.name} ${one.more};`;
    case "function":
      return makingFunction(one.owner);
    case "trigger":
      return `${one.definition.replace("CREATE TRIGGER", "CREATE OR REPLACE TRIGGER")};`;
    default:
      return "";
  }
}

function makingTable(table: StoredObject, expected: readonly StoredObject[]): string {
  const own = expected.filter(({ owner }) => owner === table.name);
  const constraints = own.flatMap(({ kind, name, more }) => (kind === "index" && more !== "" ? [`CONSTRAINT ${name} ${more}`] : []));
  const rest = own.flatMap(({ kind, definition, more }) => ((kind === "index" && more === "") || kind === "trigger" ? [`\n${definition};`] : []));
  return `CREATE TABLE @.${table.name} (\n  ${[...columnsOf(table, expected), ...constraints].join(",\n  ")}\n);${rest.join("")}`;
}

/** As it stands in the source, all that share the name. */
function makingFunction(name: string): string {
  const statements = functions.split(/^(?=CREATE )/m).filter((statement) => statement.startsWith(`CREATE FUNCTION @.${name}(`));
  return statements.map((statement) => statement.replace(/^CREATE/, "CREATE OR REPLACE").replace(/(\n--.*|\s)+$/, "")).join("\n");
}

function columnsOf({ name }: StoredObject, expected: readonly StoredObject[]): readonly string[] {
  return expected.flatMap((one) => (one.kind === "column" && one.owner === name ? [columnSql(one)] : []));
}

function columnSql({ name, definition, more, rest }: StoredObject): string {
  const isIdentity = definition.includes(" GENERATED ");
  return [name.split(".")[1], definition, isIdentity ? "" : more, rest === "" ? "" : `DEFAULT ${rest}`].filter((part) => part !== "").join(" ");
}

function isWhole({ kind, name, owner }: StoredObject): boolean {
  return kind !== "column" && kind !== "index" && kind !== "trigger" && name.split("(")[0] === owner;
}

function keyOf({ kind, name }: StoredObject): string {
  return `${kind} ${name}`;
}

function called({ kind, name }: StoredObject): string {
  return `${kind} ${name}`;
}
