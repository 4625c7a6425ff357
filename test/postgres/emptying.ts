/** Empties an engine's schema and leaves its tables and functions: a fresh store, in a tenth of the time that making one takes. */
import pg from "pg";

export async function emptyStore(pool: pg.Pool, schema: string): Promise<void> {
  const { rows } = await pool.query<{ name: string }>("SELECT tablename AS name FROM pg_tables WHERE schemaname = $1 AND tablename <> 'meta'", [schema]);
  const within = (name: string): string => `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
  const deletes = rows.map(({ name }) => `DELETE FROM ${within(name)};`).join("\n");
  const resets = ["clock", "fence"].map((name) => `SELECT setval(${pg.escapeLiteral(within(name))}, 0, false);`).join("\n");
  await pool.query(`${deletes}\n${resets}
    SELECT setval(${pg.escapeLiteral(within("seqs"))}, 1, false);
    UPDATE ${within("meta")} SET value = gen_random_uuid()::text WHERE key = 'era';
    UPDATE ${within("meta")} SET value = '0' WHERE key = 'notes_version';`);
}
