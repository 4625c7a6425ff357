/** Work handed in by plain SQL: from triggers, from psql, from any language. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { event, task, when } from "../../src/index.ts";
import { storedTask } from "../../src/core/storedTask.ts";
import type { AnyTask } from "../../src/core/task.ts";
import { postgres } from "../../src/postgres/index.ts";
import { VirtualBroker } from "../../src/testing/virtualBroker.ts";
import { emptyStore } from "./emptying.ts";
import { emptyBy, freshPlace, type Place } from "./places.ts";
import { postgresMissing } from "./server.ts";

emptyBy(emptyStore);
/** Later than the server's own clock ever is here: SQL takes the store's time, which never goes back. */
const start = Date.UTC(2100, 0, 1);

interface Ref {
  readonly id: string;
}
interface Entry {
  readonly account: string;
  readonly n: number;
}

const ran: string[] = [];
const note = task("note", { run: ({ id }: Ref) => void ran.push(`note ${id}`) });
const apply = task<Entry>("apply", {
  orderedBy: "account",
  queue: "ledger",
  priority: "high",
  version: 3,
  run: ({ account, n }) => void ran.push(`${account} ${n}`),
});
const once = task<Ref>("once", { uniqueBy: "id", run: ({ id }) => void ran.push(`once ${id}`) });
const limited = task<Ref>("limited", { limits: [{ running: 1, per: "id" }], run: () => undefined });
const gathered = task<Entry>("gathered", {
  uniqueBy: "account",
  ifTaken: { debounce: "1s", atMost: "1m", merge: (a, b) => ({ account: a.account, n: a.n + b.n }) },
  run: ({ n }) => void ran.push(`sum ${n}`),
});
const premised = task("premised", { current: () => ({ version: 7 }), run: (_: Ref) => void ran.push("premised") });
const placed = event<Ref>("placed");
const moved = event<Entry>("moved", undefined, { orderedBy: "account" });
const noted = when(placed, note);
const applied = when(moved, apply, { with: ({ account, n }) => ({ account, n }) });
const definitions = { note, apply, once, limited, gathered, premised, noted, applied };

interface Stage {
  readonly place: Place;
  readonly work: VirtualBroker;
  /** `errand.` is the schema. */
  sql(text: string, values?: unknown[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

describe("work by plain SQL", { skip: postgresMissing ?? false }, () => {
  it("a trigger's work is stored with its row, fans out to subscribers, and is gone on rollback", () =>
    onStage(async ({ place, work, sql }) => {
      const orders = `${place.schema}_orders`;
      await sql(`CREATE TABLE ${orders} (id text)`);
      await sql(`CREATE FUNCTION errand.on_order() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM errand.publish('placed', jsonb_build_object('id', NEW.id)); RETURN NEW; END $$`);
      await sql(`CREATE TRIGGER on_order AFTER INSERT ON ${orders} FOR EACH ROW EXECUTE FUNCTION errand.on_order()`);
      await sql(`BEGIN; INSERT INTO ${orders} VALUES ('gone'); ROLLBACK`);
      await sql(`INSERT INTO ${orders} VALUES ('7'), ('8')`);
      await work.drain();
      assert.deepEqual(ran.toSorted(), ["note 7", "note 8"]);
      await sql(`DROP TABLE ${orders}`);
      await sql("DROP FUNCTION errand.on_order()");
    }));

  it("a job has all that its definition says, though the caller knows but its name", () =>
    onStage(async ({ work, sql }) => {
      const byName = `SELECT errand.enqueue('apply', '{"account":"a","n":1}'), errand.enqueue('once', '{"id":"a"}'), errand.enqueue('note', '{"id":"a"}'),
        errand.enqueue('limited', '{"id":"a"}'), errand.enqueue('gathered', '{"account":"a","n":1}')`;
      await sql(byName);
      await work.enqueue([
        apply.with({ account: "b", n: 1 }),
        once.with({ id: "b" }),
        note.with({ id: "b" }),
        limited.with({ id: "b" }),
        gathered.with({ account: "b", n: 1 }),
      ]);
      const rows = await sql(`SELECT l.task, l.queue, replace((to_jsonb(j) - 'id' - 'seq')::text, '\\"b\\"', '\\"a\\"') AS row, length(j.id) AS id
        FROM errand.jobs j JOIN errand.lines l ON l.id = j.line ORDER BY l.task, j.seq`);
      for (const name of ["apply", "once", "note", "limited", "gathered"]) {
        const [bySql, byCode, ...more] = rows.filter((row) => row["task"] === name);
        assert.deepEqual([bySql, more.length], [byCode, 0]);
      }
    }));

  it("keys order its jobs among those of TypeScript, make them unique, and limit them", () =>
    onStage(async ({ work, sql }) => {
      for (let n = 1; n <= 6; n += 1) {
        if (n % 2 === 0) await work.enqueue(apply.with({ account: "a", n }));
        else await sql("SELECT errand.enqueue('apply', jsonb_build_object('account', 'a', 'n', $1::int))", [n]);
      }
      const first = await work.enqueue(once.with({ id: "x" }));
      const [second] = await sql(`SELECT errand.enqueue('once', '{"id": "x"}') AS id`);
      assert.equal(second?.["id"], first.id);
      await sql(`SELECT errand.enqueue('limited', '{"id": "x"}') FROM generate_series(1, 2)`);
      const [, behind] = (await work.list({ task: "limited" })).jobs;
      assert.deepEqual([behind?.state, behind?.waits?.reason], ["blocked", "limit"]);
      await work.drain();
      assert.equal(ran.filter((run) => run === "once x").length, 1);
      assert.deepEqual(
        ran.filter((run) => run.startsWith("a ")),
        ["a 1", "a 2", "a 3", "a 4", "a 5", "a 6"],
      );
    }));

  it("merges and mapped events of a key come as from TypeScript", () =>
    onStage(async ({ work, sql }) => {
      await sql(`SELECT errand.enqueue('gathered', '{"account": "a", "n": 1}')`);
      await work.enqueue(gathered.with({ account: "a", n: 2 }));
      for (const n of [1, 2, 3]) await sql(`SELECT errand.publish('moved', jsonb_build_object('account', 'b', 'n', $1::int))`, [n]);
      const hops = (await work.list()).jobs.filter(({ from }) => from !== undefined);
      assert.deepEqual(
        hops.map(({ state }) => state),
        ["ready", "blocked", "blocked"],
      );
      await work.advance("2s");
      assert.deepEqual(ran, ["b 1", "b 2", "b 3", "sum 3"]);
    }));

  it("options say when, how urgent, under which id, and on what premise", () =>
    onStage(async ({ work, sql }) => {
      const jobs = `SELECT errand.enqueue('note', '{"id": "1"}', '{"id": "mine", "in": "90 minutes", "priority": "low"}'),
        errand.enqueue('note', '{"id": "2"}', jsonb_build_object('id', 'dated', 'at', timestamptz '2100-01-02 00:00Z')),
        errand.enqueue('premised', '{"id": "3"}', '{"id": "stale", "expecting": {"version": 6}}')`;
      await sql(jobs);
      await sql(jobs);
      assert.equal((await work.list()).jobs.length, 3);
      assert.deepEqual((await work.find("mine"))?.dueAt, new Date(start + 5_400_000));
      assert.deepEqual((await work.find("dated"))?.dueAt, new Date(Date.UTC(2100, 0, 2)));
      await work.drain();
      assert.match((await work.find("stale"))?.reason ?? "", /expected version 6, found 7/);
      assert.deepEqual(ran, []);
    }));

  it("payloads come as text, json and jsonb, also with what jsonb cannot hold", () =>
    onStage(async ({ work, sql }) => {
      await sql(`SELECT errand.enqueue('note', '{"id": "a\\u0000b"}'), errand.enqueue('note', json_build_object('id', 'json')),
        errand.enqueue('note', jsonb_build_object('id', 'jsonb')), errand.enqueue(task => 'note', payload => to_jsonb(q)) FROM (SELECT 'row' AS id) q`);
      await sql("SELECT errand.enqueue($1, $2)", ["note", JSON.stringify({ id: "parameter" })]);
      const deep = `{"id":"${"[".repeat(70)}","a":${"[".repeat(63)}"\\"["${"]".repeat(63)},"b":[${"[],".repeat(70)}{}]}`;
      await sql("SELECT errand.enqueue('note', $1::text)", [deep]);
      await work.drain();
      assert.deepEqual(ran.toSorted(), [`note ${"[".repeat(70)}`, "note a\u0000b", "note json", "note jsonb", "note parameter", "note row"]);
    }));

  const refused: readonly { readonly call: string; readonly says: RegExp }[] = [
    { call: "enqueue('nothing')", says: /^task-unknown: .*nothing/ },
    { call: "enqueue('note', 'no JSON')", says: /^payload-not-json: / },
    { call: "enqueue('note', NULL::jsonb)", says: /^payload-not-json: / },
    { call: "enqueue('note', to_jsonb(repeat('x', 300000)))", says: /^payload-too-large: .*300002/ },
    { call: `enqueue('apply', '{"n": 1}')`, says: /^key-missing: .*"account", which orderedBy/ },
    { call: `enqueue('once', '{"id": null}')`, says: /^key-missing: .*"id", which uniqueBy/ },
    { call: "enqueue('limited', '[]')", says: /^key-missing: .*"id", which limits/ },
    { call: `enqueue('note', '{}', '{"delay": "1m"}')`, says: /^option-unknown: .*"delay"/ },
    { call: `enqueue('note', '{}', '{"in": "soon"}')`, says: /^option-invalid: in is "soon"/ },
    { call: `enqueue('note', '{}', '{"in": "-1m"}')`, says: /^option-invalid: in/ },
    { call: `enqueue('note', '{}', '{"in": "1m", "at": "2100-01-01"}')`, says: /^option-invalid: in/ },
    { call: `enqueue('note', '{}', '{"at": "soon"}')`, says: /^option-invalid: at is "soon"/ },
    { call: `enqueue('note', '{}', '{"in": "11 years"}')`, says: /^option-invalid: in is "11 years"/ },
    { call: `enqueue('note', '{}', '{"at": "290000-01-01"}')`, says: /^option-invalid: at is "290000/ },
    { call: `enqueue('note', '{}', '{"at": "infinity"}')`, says: /^option-invalid: at is "infinity"/ },
    { call: "publish('placed', repeat('[', 65) || repeat(']', 65))", says: /^payload-too-large: .*64 levels/ },
    { call: `publish('placed', repeat('{"a":[', 40) || repeat(']}', 40))`, says: /^payload-too-large: .*64 levels/ },
    { call: `enqueue('note', '{}', '{"priority": "higher"}')`, says: /^option-invalid: priority is "higher"/ },
    { call: `enqueue('note', '{}', '{"id": "a b"}')`, says: /^name-invalid: "a b"/ },
    { call: `enqueue('note', '{}', '[]')`, says: /^option-invalid: the options/ },
    { call: `enqueue('note', '{"id": "2"}', '{"id": "known"}')`, says: /^id-conflict: .*known/ },
    { call: `enqueue('gathered', '{"account": "a", "n": 1}', '{"id": "known"}')`, says: /^option-invalid: gathered merges/ },
    { call: "publish('a b')", says: /^name-invalid: .*"a b"/ },
    { call: `publish('moved', '{"n": 1}')`, says: /^key-missing: .*"account"/ },
    { call: `publish('placed', '{}', '{"in": "1m"}')`, says: /^option-unknown: .*"in"/ },
  ];
  it("what cannot stand is refused with errand's code, and a hint that is the cure", () =>
    onStage(async ({ work, sql }) => {
      await work.enqueue(note.with({ id: "1" }, { id: "known" }));
      for (const { call, says } of refused) {
        const error = await sql(`SELECT errand.${call}`).then(
          () => assert.fail(`${call} was not refused`),
          (thrown: Error & { readonly code?: string; readonly hint?: string }) => thrown,
        );
        assert.match(error.message, says, call);
        assert.equal(error.code, "22023", call);
        assert.ok((error.hint ?? "").length > 10, `${call}: ${error.hint}`);
      }
      assert.equal((await work.list()).jobs.length, 1);
    }));

  it("who may use the schema may hand work in, and touch nothing else", () =>
    onStage(async ({ place }) => {
      const client = await place.pool.connect();
      try {
        await client.query(`BEGIN; GRANT USAGE ON SCHEMA ${place.schema} TO pg_signal_backend; SET LOCAL ROLE pg_signal_backend`);
        await client.query(
          `SELECT ${place.schema}.enqueue('note', '{"id": "1"}'), ${place.schema}.enqueue('once', '{"id": "1"}'), ${place.schema}.publish('placed')`,
        );
        await assert.rejects(client.query(`SELECT * FROM ${place.schema}.jobs`), { code: "42501" });
      } finally {
        await client.query("ROLLBACK");
        client.release();
      }
    }));

  it("terms that changed in the code count from when a broker with it opens", () =>
    onStage(async ({ place, work, sql }) => {
      const later = task<Ref>("note", { queue: "elsewhere", run: () => undefined });
      const other = new VirtualBroker({ engine: postgres(place.pool, { schema: place.schema }), definitions: [{ later }], start });
      await other.open();
      await other.close();
      await sql(`SELECT errand.enqueue('note', '{"id": "1"}')`);
      assert.equal((await work.list()).jobs[0]?.queue, "elsewhere");
      assert.equal(storedTask(later as unknown as AnyTask).queue, "elsewhere");
    }));
});

async function onStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  const place = await freshPlace();
  const work = new VirtualBroker({ engine: postgres(place.pool, { schema: place.schema }), definitions: [definitions], start });
  try {
    ran.length = 0;
    await work.open();
    await play({ place, work, sql: async (text, values) => (await place.pool.query(text.replaceAll("errand.", `${place.schema}.`), values)).rows });
  } finally {
    await work.close();
    await place.done();
  }
}
