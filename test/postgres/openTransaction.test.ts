/** A job's row that an app's open transaction holds, since it completes the job there: nobody waits for it, and nothing that meets it is lost. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type pg from "pg";
import type { Engine, Outcome } from "../../src/core/engine.ts";
import type { JobState } from "../../src/core/states.ts";
import { postgres } from "../../src/postgres/index.ts";
import { job, start } from "../port/stage.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { freshPlace, type Place } from "./places.ts";
import { postgresMissing } from "./server.ts";

const leaseMs = 8_000;
const delayMs = 1_000;

/** What its worker writes meanwhile; and its state when the transaction was rolled back. */
const meanwhile: readonly (readonly [Outcome["is"], JobState])[] = [
  ["completed", "completed"],
  ["retry", "scheduled"],
  ["dead", "dead"],
  ["released", "ready"],
  ["saved", "running"],
];

describe("a job that an open transaction completes", { skip: postgresMissing ?? false }, () => {
  let place: Place;
  let engine: Engine;
  let app: pg.PoolClient;
  let jobs = 0;
  let id = "";
  let now = start;
  let held = { claim: "", fence: 0 };

  before(async () => {
    place = await freshPlace();
    engine = postgres(place.pool, { schema: place.schema });
    await engine.open({ runtime: new StillRuntime() });
    app = await place.apps.connect();
  });
  after(async () => {
    app.release();
    await engine.close();
    await place.done();
  });
  beforeEach(async () => {
    id = `job ${(jobs += 1)}`;
    const queue = `queue ${jobs}`;
    await engine.enqueue([{ works: [job(id, { queue })] }], { now });
    const claim = `claim ${jobs}`;
    const wanted = {
      process: `p ${jobs}`,
      leaseMs,
      claim,
      lastFence: 0,
      queues: [{ queue, slots: 1, ahead: 0 }],
      tasks: ["send"],
      alone: "no",
      settling: [],
    } as const;
    const { fence } = await engine.claim(wanted, { now });
    held = { claim, fence };
    await app.query("BEGIN");
    await engine.settle([outcome("completed")], { now, tx: app });
  });

  for (const [is, state] of meanwhile) {
    it(`${is} meanwhile: it is ${state} when that is rolled back`, async () => {
      assert.deepEqual(await engine.settle([outcome(is)], { now }), [{ id, is: "settled", state: "running" }]);
      assert.equal(await found(), "running");
      await app.query("ROLLBACK");
      assert.equal(await found(), state);
    });

    it(`${is} meanwhile: it is completed when that commits, and the other outcome does not count`, async () => {
      await engine.settle([outcome(is)], { now });
      await app.query("COMMIT");
      assert.equal(await found(), "completed");
    });
  }

  it("is not taken back before that has ended", async () => {
    now += leaseMs;
    await tidy();
    assert.equal(await found(), "running");
    await app.query("ROLLBACK");
    await tidy();
    assert.equal(await found(), "ready");
    assert.equal((await engine.beat(`p ${jobs}`, leaseMs, { now })).isLost, true);
  });

  it("is not taken back when that commits after its lease was over, and its process is lost all the same", async () => {
    now += leaseMs;
    await tidy();
    await app.query("COMMIT");
    await tidy();
    assert.equal(await found(), "completed");
    assert.equal((await engine.beat(`p ${jobs}`, leaseMs, { now })).isLost, true);
  });

  function outcome(is: Outcome["is"]): Outcome {
    return { id, ...held, is, ranMs: 1, ...(is === "retry" && { delayMs }), ...(is === "saved" && { checkpoint: "1" }) };
  }

  async function tidy(): Promise<void> {
    await engine.tidy({ items: 1_000, mayExpire: true }, { now });
  }

  async function found(): Promise<JobState | undefined> {
    return (await engine.find({ of: "jobs", ids: [id] }, { now })).rows[0]?.state;
  }
});
