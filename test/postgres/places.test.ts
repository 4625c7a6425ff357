import assert from "node:assert/strict";
import { it } from "node:test";
import { freshPlace } from "./places.ts";
import { postgresMissing } from "./server.ts";

const skip = postgresMissing ?? false;

it("a place that was filled is empty when the next test gets it", { skip }, async () => {
  const first = await freshPlace();
  await first.pool.query(`CREATE SCHEMA ${first.schema} CREATE TABLE job (id text)`);
  await first.done();
  const second = await freshPlace();
  assert.equal(second.schema, first.schema);
  assert.deepEqual((await second.pool.query("SELECT 1 FROM pg_namespace WHERE nspname = $1", [second.schema])).rows, []);
  await second.done();
});

it("two tests at once have a place each", { skip }, async () => {
  const [first, second] = [await freshPlace(), await freshPlace()];
  assert.notEqual(first.schema, second.schema);
  await first.done();
  await second.done();
});
