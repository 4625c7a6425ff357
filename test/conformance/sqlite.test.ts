/** Every law, on SQLite: each process with a connection of its own on one file. */
import { test } from "node:test";
import { holdTo, laws } from "../../src/conformance/index.ts";
import { onSqlite } from "./engines.ts";

for (const law of laws) test(`${law.guarantee} on sqlite: ${law.name}`, () => holdTo(law, onSqlite));
