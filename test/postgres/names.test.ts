/** Names are names, whatever they are made of: none ends a text or an identifier of SQL. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import pg from "pg";
import { broker, ErrandError, every, task } from "../../src/index.ts";
import type { Broker } from "../../src/index.ts";
import { keyName } from "../../src/core/keys.ts";
import { postgres } from "../../src/postgres/index.ts";
import { examine, migrate, migrationOf } from "../../src/storeCare.ts";
import { freshPlace } from "./places.ts";
import { postgresMissing } from "./server.ts";

const skip = postgresMissing ?? false;
const seed = Number(process.env["ERRAND_SEED"] ?? 7);
const hourMs = 3_600_000;

interface Letter {
  readonly to: string;
  readonly n: number;
}
const aText: { readonly "~standard": { readonly version: 1; readonly vendor: string; readonly validate: (value: unknown) => { readonly value: string } } } = {
  "~standard": { version: 1, vendor: "tests", validate: (value) => ({ value: String(value) }) },
};
const send = task("send", {
  result: aText,
  run: ({ to }: Letter) => to,
  orderedBy: "to",
  uniqueBy: ["to", "n"],
  limits: [{ running: 2, per: "to" }],
});

const refused: readonly string[] = [
  "",
  '"',
  '""',
  '"""',
  "'",
  "''",
  "`",
  "\\",
  "a b",
  "a.b",
  "a;b",
  "a(b",
  "a%b",
  "a\nb",
  "a\u0000b",
  "1a",
  "$a",
  "a$1",
  "a$$b",
  "a$errand_all$b",
  "-a",
  "pg_errand",
  "a".repeat(64),
  "ä".repeat(32),
  'x"; DROP SCHEMA public CASCADE; --',
  "x'; DROP SCHEMA public CASCADE; --",
  "\ud800",
];

const allowed: readonly string[] = ["Errand", "user", "select", "_", "a--b", "größe_用", "ǆ", "a".repeat(63), `${"ä".repeat(31)}a`];

describe("names of schemas", { skip }, () => {
  for (const schema of refused) {
    it(`${JSON.stringify(schema)} is refused: option-invalid, before anything is asked`, async () => {
      const url = "postgres://nobody@127.0.0.1:1/nowhere";
      const isRefused = (error: unknown): boolean =>
        ErrandError.is(error, "option-invalid") && error.isDefinite && /cannot be errand's schema/.test(error.message);
      assert.throws(() => postgres(url, { schema }), isRefused);
      assert.throws(() => broker(`${url}?schema=${encodeURIComponent(schema.toWellFormed())}`), isRefused);
      assert.throws(() => migrationOf(url, schema), isRefused);
      await assert.rejects(async () => migrate(url, schema), isRefused);
      await assert.rejects(async () => examine(url, schema), isRefused);
    });
  }

  for (const schema of allowed) {
    it(`${JSON.stringify(schema)} is made, worked in, examined and opened again`, async () => {
      const place = await freshPlace();
      const url = `${place.url}?schema=${encodeURIComponent(schema)}`;
      try {
        assert.deepEqual(await migrate(place.url, schema), { schema, from: 0, to: 1 });
        for (let round = 0; round < 2; round++) {
          const work = broker(url, { send });
          await work.start({ signals: false });
          const { id } = await work.enqueue(send.with({ to: schema, n: round }));
          assert.equal((await work.result(id, { within: "10s" })).result, schema);
          await work.close();
        }
        assert.deepEqual(
          (await examine(place.url, schema)).findings.filter(({ about }) => about === "schema" || about === "privileges"),
          [],
        );
        await migrate(place.url, schema);
      } finally {
        await place.pool.query(`DROP SCHEMA IF EXISTS ${pg.escapeIdentifier(schema)} CASCADE`);
        await place.done();
      }
    });
  }
});

const pieces = [
  "'",
  '"',
  "''",
  '"";',
  "\\",
  "\\'",
  "$$",
  "$errand_all$",
  "--",
  "/*",
  "%s",
  "%I",
  "{",
  "}",
  "[",
  ",",
  ":",
  "/",
  " ",
  "\n",
  "\u001e",
  "é",
  "😀",
  "NULL",
  "a",
];
const texts = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 6 }).map((parts) => parts.join(""));

describe("names in work", { skip }, () => {
  it(`of keys, ids, locks, leaders, reasons and filters mean what they say (seed ${seed})`, { timeout: 120_000 }, async () => {
    const place = await freshPlace();
    const work = broker(postgres(place.url, { schema: place.schema }), { send });
    await work.start({ signals: false });
    const objects = await count(place.pool, place.schema);
    let n = 0;
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        n += 1;
        await keysHold(work, text, n);
        await refusesOrTakes(async () => (await work.enqueue(send.with({ to: text, n: -n }, { id: text }))).id === text);
        await refusesOrTakes(async () => {
          const held = await work.lock(text, { for: "10s" });
          await held.release();
          return true;
        });
        for (const call of [
          () => work.pause({ queue: text }, text),
          () => work.unsubscribe(text),
          () => work.find(text),
          () => work.why(text),
          () => work.cancel(text, text),
          () => work.list({ queue: text, task: text, lane: text, unique: text }),
          () => work.batch(text),
          () => work.pause({ schedule: text }, text),
        ])
          await refusesOrTakes(call);
      }),
      { seed, numRuns: 60 },
    );
    assert.equal(await count(place.pool, place.schema), objects);
    await work.close();
    await place.done();
  });

  it("of tasks, queues, schedules and steps are checked where they are defined", async () => {
    await fc.assert(
      fc.asyncProperty(
        texts.filter((text) => !/^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(text)),
        async (text) => {
          await refuses(() => task(text, () => undefined));
          await refuses(() => task("fine", { queue: text, run: () => undefined }));
          await refuses(() => broker("memory:", { s: every("1h", send.with({ to: "a", n: 1 }), { name: text }) }));
        },
      ),
      { seed },
    );
  });
});

/** One live job for the key, in a lane of its own; the result is the text as it was. */
async function keysHold(work: Broker, text: string, n: number): Promise<void> {
  const first = await work.enqueue(send.with({ to: text, n }, { in: "1h" }));
  const second = await work.enqueue(send.with({ to: text, n }, { in: "1h" }));
  assert.equal(second.id, first.id);
  const lane = keyName("send", [text]);
  assert.deepEqual(
    (await work.list({ lane, states: ["scheduled"] })).jobs.map(({ id }) => id),
    [first.id],
    `in lane ${lane}`,
  );
  assert.equal(await work.cancel(first.id, text), "cancelled");
  assert.equal((await work.find(first.id))?.reason, text);
  const ran = await work.enqueue(send.with({ to: text, n: n + hourMs }));
  assert.equal((await work.result(ran.id, { within: "10s" })).result, text);
}

async function refusesOrTakes(call: () => Promise<unknown>): Promise<void> {
  await call().catch((error: unknown) => {
    if (!ErrandError.is(error) || !["name-invalid", "option-invalid", "job-unknown", "schedule-unknown", "id-conflict"].includes(error.code)) throw error;
  });
}

async function refuses(call: () => unknown): Promise<void> {
  await assert.rejects(
    async () => call(),
    (error) => ErrandError.is(error) && error.isDefinite,
  );
}

async function count(pool: pg.Pool, schema: string): Promise<unknown> {
  const { rows } = await pool.query<{ n: number }>(
    "SELECT (SELECT count(*) FROM pg_class c WHERE c.relnamespace = n.oid) + (SELECT count(*) FROM pg_proc p WHERE p.pronamespace = n.oid) AS n FROM pg_namespace n WHERE nspname = $1",
    [schema],
  );
  return rows[0]?.n;
}
