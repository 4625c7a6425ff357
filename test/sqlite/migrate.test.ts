import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrandError } from "../../src/core/errors.ts";
import type { Connection } from "../../src/sqlite/driver.ts";
import { Bench, Database, job, join, outcomes, rowOf, start, valueOf, wanted } from "./bench.ts";
import { schema1 } from "./schema1.ts";

/** One job in each state that version 1 stored in its own way; those of lane k in their order: running, blocked, blocked. */
const content = `
INSERT INTO errand_lines (id, queue, task) VALUES (1, 'mail', 'send');
INSERT INTO errand_keeps (id, keep) VALUES (1, '[1000,1000,1000,1000]');
INSERT INTO errand_numbers (line, what, value) VALUES (1, 1, 1), (1, 2, 2), (1, 3, 2), (1, 4, 1), (1, 6, 1);
INSERT INTO errand_jobs (seq, id, line, keep, flags, payload, content, enqueued_at, urgency, head_start, due_at, state, lane, lane_width, if_dead) VALUES
  (1, 'k1', 1, 1, 1, '{}', 'c', ${start}, ${start}, 0, ${start}, 0, 'k', 1, 'park'), (2, 'k2', 1, 1, 1, '{}', 'c', ${start}, ${start}, 0, ${start}, 2, 'k', 1, 'park'),
  (3, 'k3', 1, 1, 1, '{}', 'c', ${start}, ${start}, 0, ${start}, 2, 'k', 1, 'park'), (4, 'ready', 1, 1, 0, '{}', 'c', ${start}, ${start}, 0, ${start}, 0, NULL, NULL, NULL),
  (5, 'later', 1, 1, 0, '{}', 'c', ${start}, ${start}, 0, ${start + 9}, 1, NULL, NULL, NULL), (6, 'done', 1, 1, 0, '{}', 'c', ${start}, ${start}, 0, ${start}, 0, NULL, NULL, NULL),
  (7, 'again', 1, 1, 0, '{}', 'c', ${start}, ${start}, 0, ${start}, 0, NULL, NULL, NULL);
UPDATE errand_jobs SET attempts = 1 WHERE id = 'again';
INSERT INTO errand_ready (line, urgency, seq, flags) VALUES (1, ${start}, 4, 0), (1, ${start}, 7, 0);
INSERT INTO errand_scheduled (due_at, seq) VALUES (${start + 9}, 5);
INSERT INTO errand_done (seq, ended_at) VALUES (6, ${start});
INSERT INTO errand_processes (id, process, since, lease_until) VALUES (1, 'p1', ${start}, ${start + 8_000});
INSERT INTO errand_running (seq, line, keep, flags, process, fence, claim, started_at) VALUES (1, 1, 1, 1, 1, 7, 'c0', ${start});
INSERT INTO errand_members (lane, place, seq, width) VALUES ('k', 1, 1, 1), ('k', 0, 2, 1), ('k', 0, 3, 1);
`;

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
    assert.equal(valueOf(old.app(), "SELECT value FROM errand_meta WHERE key = 'schema'"), "3");
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
  app.exec(`PRAGMA journal_mode = WAL; BEGIN; ${schema1} ${content} COMMIT`);
  return app;
}

/** Every column and index, however the text that made them was laid out. */
function shapeOf(app: Connection): unknown[] {
  const columns = `SELECT t.name AS "table", c.name, c.type, c."notnull", c.dflt_value, c.pk FROM sqlite_schema t, pragma_table_xinfo(t.name) c
    WHERE t.type = 'table' AND t.name GLOB 'errand_*' ORDER BY t.name, c.cid`;
  return [...app.prepare(columns).all(), ...app.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' ORDER BY name").all()];
}
