/** The roles of the guide, with its own statements: the one that works has all that it needs, and no right to make anything. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import pg from "pg";
import { inRoot } from "../../scripts/root.ts";
import { broker, ErrandError, task } from "../../src/index.ts";
import { migrate } from "../../src/storeCare.ts";
import { freshPlace } from "./places.ts";
import { postgresMissing } from "./server.ts";

const chapter = readFileSync(inRoot("docs/guide/20-postgresql.md"), "utf8");
const statements = /```sql\n([\s\S]*?)```/.exec(chapter)?.[1] ?? "";
const greet = task("greet", { run: ({ name }: { name: string }) => name, orderedBy: "name" });

it("the roles of the guide: one migrates, the other works and can make nothing", { skip: postgresMissing ?? false }, async () => {
  const { url, schema, pool, done } = await freshPlace();
  const [owner, app] = [`${schema}_guide_owner`, `${schema}_guide_app`];
  const as = (role: string): string => {
    const own = new URL(url);
    own.username = role;
    return `${own.href}?schema=${schema}`;
  };
  await pool.query(`DROP ROLE IF EXISTS ${owner}; DROP ROLE IF EXISTS ${app}; CREATE ROLE ${owner} LOGIN; CREATE ROLE ${app} LOGIN`);
  try {
    await pool.query(
      statements
        .replaceAll("errand_owner", owner)
        .replaceAll(/\bapp\b/g, app)
        .replaceAll(/\berrand\b/g, schema),
    );
    await assert.rejects(broker(as(app), { greet }).open(), (error) => ErrandError.is(error, "store-denied"));
    assert.deepEqual(await migrate(as(owner), undefined), { schema, from: 0, to: 1 });
    await works(as(app));
    assert.equal((await migrate(as(owner), undefined)).from, 1);
    await works(as(app));
    const client = new pg.Client({ connectionString: as(app).replace(/\?.*/, "") });
    await client.connect();
    await assert.rejects(client.query(`CREATE TABLE ${schema}.mine (id int)`), /permission denied/);
    await client.end();
  } finally {
    await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE; DROP OWNED BY ${owner}, ${app}; DROP ROLE ${owner}, ${app}`);
    await done();
  }
});

async function works(store: string): Promise<void> {
  const work = broker(store, { greet });
  const { id } = await work.enqueue(greet.with({ name: "Ada" }));
  await work.start({ signals: false });
  const held = await work.lock("till", { for: "10s" });
  await work.result(id, { within: "10s" });
  await held.release();
  await work.close();
}
