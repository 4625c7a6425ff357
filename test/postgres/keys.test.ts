import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { contentOf, derivedId } from "../../src/core/keys.ts";
import { fanOutFunctions } from "../../src/postgres/fanOut.ts";
import { inSchema } from "../../src/postgres/quoting.ts";
import { keyFunctions } from "../../src/postgres/keys.ts";
import { tables, types } from "../../src/postgres/schema.ts";
import { keyCases, numberTexts } from "../core/keyCases.ts";
import { freshPlace } from "./places.ts";
import { postgresMissing } from "./server.ts";

const skip = postgresMissing ?? false;
const perRoundTrip = 1_000;
const seed = Number(process.env["ERRAND_SEED"] ?? 7);

it("an event's jobs are named in SQL as in JavaScript, in whatever way its payload is written", { skip }, () =>
  withFunctions(async (ask) => {
    const cases = keyCases(2 * perRoundTrip, seed);
    const made = await ask(`SELECT @.event_job(ROW(0, 'event-' || n - 1, 'entry.made', payload, '', 0, 0, ordered_by::jsonb)::@.events, subscription) AS it`, {
      payload: cases.map(({ event }) => event.payload),
      ordered_by: cases.map(({ event }) => (event.orderedBy ? JSON.stringify(event.orderedBy) : null)),
      subscription: cases.map(({ subscription }) => JSON.stringify(subscription)),
    });
    cases.forEach(({ job }, n) => assert.deepEqual(made[n], job));
  }),
);

it("a number is written in SQL as JavaScript writes it", { skip }, () =>
  withFunctions(async (ask) => {
    const cases = numberTexts(4 * perRoundTrip, seed);
    const made = await ask("SELECT @.canonical_number(number) AS it", { number: cases });
    assert.deepEqual(
      made,
      cases.map((text) => JSON.stringify(JSON.parse(text))),
    );
  }),
);

it("ids and contents are the same in SQL and in JavaScript", { skip }, () =>
  withFunctions(async (ask) => {
    const text = fc.string({ unit: "binary" }).map((made) => made.replaceAll(/[\u0000\ud800-\udfff]/gu, ""));
    const pairs = fc.sample(fc.tuple(text, text), { numRuns: perRoundTrip, seed });
    const made = await ask("SELECT @.derived_id(a, b) || @.content_of(a, b) AS it", { a: pairs.map(([a]) => a), b: pairs.map(([, b]) => b) });
    assert.deepEqual(
      made,
      pairs.map(([a, b]) => derivedId(a, b) + contentOf(a, b)),
    );
  }),
);

type Ask = (sql: string, columns: Readonly<Record<string, readonly (string | null)[]>>) => Promise<unknown[]>;

async function withFunctions(work: (ask: Ask) => Promise<void>): Promise<void> {
  const place = await freshPlace();
  const client = await place.pool.connect();
  try {
    await client.query(
      `CREATE SCHEMA ${place.schema}; SET check_function_bodies = off; ${inSchema(types + tables + keyFunctions + fanOutFunctions, place.schema)}`,
    );
    await work(async (sql, columns) => {
      const names = Object.keys(columns);
      const lists = names.map((_, n) => `$${n + 1}::text[]`).join(", ");
      const text = inSchema(`${sql} FROM unnest(${lists}) WITH ORDINALITY u (${[...names, "n"].join(", ")}) ORDER BY n`, place.schema);
      const { rows } = await client.query<{ it: unknown }>(text, Object.values(columns));
      return rows.map((row) => row.it);
    });
  } finally {
    await client.query(`RESET ALL; DROP SCHEMA IF EXISTS ${place.schema} CASCADE`);
    client.release();
    await place.done();
  }
}
