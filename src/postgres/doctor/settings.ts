/** The server's settings that make an acknowledged write worth less, or what keeps the tables small stand still. */
import type { Finding } from "../../core/examination.ts";
import type { Session } from "../client.ts";

interface Rule {
  readonly name: string;
  readonly isWrong: (value: string) => boolean;
  readonly what: string;
  readonly repair: string;
}

const reload = "SELECT pg_reload_conf();";
const isOff = (value: string): boolean => value === "off";

const rules: readonly Rule[] = [
  {
    name: "fsync",
    isWrong: isOff,
    what: "a crash of the machine may lose what was acknowledged, and damage the database",
    repair: `ALTER SYSTEM SET fsync = on; ${reload}`,
  },
  {
    name: "full_page_writes",
    isWrong: isOff,
    what: "a crash of the machine may leave a page half written, which nothing repairs",
    repair: `ALTER SYSTEM SET full_page_writes = on; ${reload}`,
  },
  {
    name: "synchronous_commit",
    isWrong: isOff,
    what: "errand turns it on in the transactions it takes part in; others of yours, though acknowledged, may be lost in a crash",
    repair: `ALTER SYSTEM SET synchronous_commit = on; ${reload}`,
  },
  {
    name: "autovacuum",
    isWrong: isOff,
    what: "nobody takes dead rows away, and everything becomes slower until somebody runs VACUUM",
    repair: `ALTER SYSTEM SET autovacuum = on; ${reload}`,
  },
  {
    name: "track_counts",
    isWrong: isOff,
    what: "autovacuum does not learn which tables need it",
    repair: `ALTER SYSTEM SET track_counts = on; ${reload}`,
  },
  {
    name: "default_transaction_isolation",
    isWrong: (value) => value !== "read committed",
    what: "errand would not see what others have just done, and does not open",
    repair: "ALTER ROLE CURRENT_USER SET default_transaction_isolation = 'read committed';",
  },
  {
    name: "default_transaction_read_only",
    isWrong: (value) => value === "on",
    what: "nothing can be stored",
    repair: "ALTER ROLE CURRENT_USER SET default_transaction_read_only = off;",
  },
  { name: "server_encoding", isWrong: (value) => value !== "UTF8", what: "it cannot hold every text; use a database with ENCODING 'UTF8'", repair: "" },
  {
    name: "server_version_num",
    isWrong: (value) => Number(value) < 140_000,
    what: "errand needs PostgreSQL 14 or later; upgrade the server",
    repair: "",
  },
];

export async function settingFindings(session: Session): Promise<readonly Finding[]> {
  const rows = await session.query("SELECT name, setting AS value FROM pg_settings WHERE name = ANY (string_to_array($1, ','))", [
    rules.map(({ name }) => name).join(","),
  ]);
  const values = new Map(rows.map(({ name, value }) => [String(name), String(value)]));
  return rules.flatMap(({ name, isWrong, what, repair }) => {
    const value = values.get(name);
    if (value === undefined || !isWrong(value)) return [];
    return [{ about: "settings" as const, what: `${name} is ${value}: ${what}`, ...(repair !== "" && { repair }) }];
  });
}
