/** Every law, on PostgreSQL: each process on the one schema. */
import { test } from "node:test";
import { holdTo, laws } from "../../src/conformance/index.ts";
import { onPostgres } from "./engines.ts";

for (const law of laws) test(`${law.guarantee} on postgres: ${law.name}`, () => holdTo(law, onPostgres));
