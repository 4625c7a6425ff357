/** Every law, on PostgreSQL: each process on the one schema. */
import { describe, test } from "node:test";
import { holdTo, laws } from "../../src/conformance/index.ts";
import { isPooled } from "../postgres/places.ts";
import { onPostgres } from "./engines.ts";

/** Through a pooler several at once, which contend for the few connections that it has. */
const atOnce = isPooled ? 4 : 1;

describe(isPooled ? "PostgreSQL through PgBouncer" : "PostgreSQL", { concurrency: atOnce }, () => {
  for (const law of laws) test(`${law.guarantee} on postgres: ${law.name}`, () => holdTo(law, onPostgres));
});
