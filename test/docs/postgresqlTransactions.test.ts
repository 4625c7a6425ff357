/** The chapter about transactions on PostgreSQL, run as it stands, on a server. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import pg from "pg";
import { inRoot } from "../../scripts/root.ts";
import { freshPlace } from "../postgres/places.ts";
import { postgresMissing } from "../postgres/server.ts";
import { codeBlocksOf } from "./codeBlocks.ts";

const chapter = "docs/guide/19-postgresql-transactions.md";
const statements = Array.from(readFileSync(inRoot(chapter), "utf8").matchAll(/^```sql\n([\s\S]*?)^```$/gm), ([, sql = ""]) => sql);
/** The last block continues all before it. */
const program = codeBlocksOf(chapter).at(-1)?.source ?? "";
/** Runs what the program enqueued, and leaves what it connected. */
const end = `
const worker = await relay.start({ signals: false });
for (const { id } of (await relay.list({ task: "relay-order" })).jobs) await relay.result(id, { within: "20s" });
await worker.stop();
process.exit(0);
`;
const doors = { errand: inRoot("src/index.ts"), "errand/postgres": inRoot("src/postgres/index.ts") };

test("each example of the chapter stores its order and its event together", { skip: postgresMissing ?? false }, async () => {
  const place = await freshPlace();
  const client = new pg.Client({ connectionString: place.url });
  await client.connect();
  try {
    const [orders = "", payments = "", outbox = "", ...more] = statements;
    assert.equal(more.length, 0);
    await client.query(orders);
    await client.query(outbox);
    run(program, place.url);
    await client.query(payments);
    assert.deepEqual(await column(client, "SELECT id FROM orders ORDER BY id"), ["1", "2", "3", "4", "5", "6", "7"]);
    assert.deepEqual(
      await column(client, "SELECT payload::json ->> 'orderId' AS id FROM errand.events WHERE name = 'order.placed' ORDER BY 1"),
      "12345678".split(""),
    );
    assert.deepEqual(await column(client, "SELECT concat_ws(' ', aggregatetype, aggregateid, type, payload ->> 'orderId') AS id FROM outbox"), [
      "order 8 order.placed 8",
    ]);
    assert.deepEqual(await column(client, "SELECT i.body -> 'works' -> 0 ->> 'payload' AS id FROM errand.inbox i"), ['{"account": "a7", "paymentId": "p1"}']);
  } finally {
    await client.query("DROP SCHEMA IF EXISTS errand CASCADE; DROP TABLE IF EXISTS orders, payments, outbox; DROP FUNCTION IF EXISTS payment_arrived");
    await client.end();
    await place.done();
  }
});

/** Inside the clone, so that it finds the packages that are installed there. */
function run(source: string, url: string): void {
  mkdirSync(inRoot(".work"), { recursive: true });
  const folder = mkdtempSync(inRoot(".work/docs-"));
  try {
    const file = path.join(folder, "chapter.ts");
    writeFileSync(
      file,
      `${source.replaceAll(/from "(errand(?:\/postgres)?)"/g, (_, door: keyof typeof doors) => `from ${JSON.stringify(doors[door])}`)}${end}`,
    );
    execFileSync(process.execPath, [file], { env: { ...process.env, DATABASE_URL: url }, stdio: "pipe" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function column(client: pg.Client, sql: string): Promise<readonly unknown[]> {
  return (await client.query<{ id: unknown }>(sql)).rows.map(({ id }) => id);
}
