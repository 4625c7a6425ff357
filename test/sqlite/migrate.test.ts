import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrandError } from "../../src/core/errors.ts";
import type { Connection } from "../../src/sqlite/driver.ts";
import { Bench, Database, job, join, outcomes, rowOf, start, valueOf, wanted } from "./bench.ts";
import { content1, schema1 } from "./schema1.ts";

describe("a file of schema 1", () => {
  it("has the tables of the present schema when it was opened, as a new file has", async () => {
    await using old = new Bench();
    await using fresh = new Bench();
    written(old);
    const shapes = [old, fresh].map((bench) => {
      bench.engine();
      return shapeOf(bench.app());
    });
    assert.deepEqual(shapes[0], shapes[1]);
    assert.equal(valueOf(old.app(), "SELECT value FROM errand_meta WHERE key = 'schema'"), "4");
    assert.equal(valueOf(old.app(), "SELECT value FROM errand_meta WHERE key = 'era'"), "an era");
  });

  it("keeps its jobs, in their states and in the order of their lanes", async () => {
    await using bench = new Bench();
    written(bench);
    const engine = bench.engine();
    const ids = ["k1", "k2", "k3", "ready", "later", "done", "again"];
    const states = async (): Promise<string> => (await Promise.all(ids.map(async (id) => (await rowOf(engine, id))?.state))).join(" ");
    assert.equal(await states(), "running blocked blocked ready scheduled completed ready");
    const blocked = await engine.find({ of: "jobs", where: { states: ["blocked"] }, limit: 10 }, {});
    assert.deepEqual(
      blocked.rows.map(({ id, waits }) => [id, waits?.reason]),
      [
        ["k2", "key"],
        ["k3", "key"],
      ],
    );
    await engine.settle([{ id: "k1", claim: "c0", fence: 7, is: "completed", ranMs: 1 }], {});
    assert.equal(await states(), "completed ready blocked ready scheduled completed ready");
    const claimed = await engine.claim(wanted({ queues: [{ queue: "mail", slots: 3, ahead: 5 }], inRow: 5 }), {});
    assert.deepEqual(claimed.jobs.map(({ id }) => id).toSorted(), ["again", "k2", "k3", "ready"]);
    await engine.settle(outcomes(claimed), {});
    assert.equal(await states(), "completed completed completed completed scheduled completed completed");
  });

  it("takes what only later schemas know, also of jobs that it held before", async () => {
    await using bench = new Bench();
    written(bench);
    const engine = bench.engine();
    const [answers] = await engine.enqueue([{ works: [join("J"), job("next", { join: "J", after: [{ id: "k3", when: "ended" }] })] }], {});
    assert.ok(!ErrandError.is(answers));
    assert.deepEqual((await rowOf(engine, "next"))?.waits, { reason: "after", on: "k3", since: start });
  });

  it("keeps those that were tried before apart, as a file of schema 2 did not", async () => {
    await using bench = new Bench();
    written(bench);
    const engine = bench.engine();
    const claimed = await engine.claim(wanted({ queues: [{ queue: "mail", slots: 9, ahead: 0 }], terms: { send: { retriesMost: 0 } } }), {});
    assert.deepEqual(
      claimed.jobs.map(({ id }) => id),
      ["ready"],
    );
    await engine.change({ ids: ["again"] }, { do: "cancel", reason: "no" }, 1, {});
    assert.deepEqual((await engine.claim(wanted({ process: "p2", queues: [{ queue: "mail", slots: 9, ahead: 0 }] }), {})).jobs, []);
  });

  it("is as it was where it could not be migrated", async () => {
    await using bench = new Bench();
    const app = written(bench);
    app.exec("CREATE TABLE errand_joins (somebody)");
    const before = shapeOf(app);
    assert.throws(() => bench.engine(), /already exists/);
    assert.deepEqual(shapeOf(app), before);
    assert.equal(valueOf(app, "SELECT count(*) FROM errand_jobs WHERE state = 2"), 2);
  });
});

function written(bench: Bench): Connection {
  const app = new Database(bench.file, { timeout: 0 });
  bench.closeLater(app);
  app.exec(`PRAGMA journal_mode = WAL; BEGIN; ${schema1} ${content1} COMMIT`);
  return app;
}

/** Every column and index, however the text that made them was laid out. */
function shapeOf(app: Connection): unknown[] {
  const columns = `SELECT t.name AS "table", c.name, c.type, c."notnull", c.dflt_value, c.pk FROM sqlite_schema t, pragma_table_xinfo(t.name) c
    WHERE t.type = 'table' AND t.name GLOB 'errand_*' ORDER BY t.name, c.cid`;
  return [...app.prepare(columns).all(), ...app.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' ORDER BY name").all()];
}
