/** Names and texts within SQL. */

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** `@.` is the schema, `@schema` its name. */
export function inSchema(sql: string, schema: string): string {
  return sql.replaceAll("@.", `${quoted(schema)}.`).replaceAll("@schema", literal(schema));
}
