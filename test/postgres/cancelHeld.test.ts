/** A cancel that meets a job which a caller's open transaction is settling: it waits for nobody, and holds whatever that transaction does. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type pg from "pg";
import type { At, Claim, Engine, JobRow, Outcome } from "../../src/core/engine.ts";
import { postgres } from "../../src/postgres/index.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { job, start } from "../port/stage.ts";
import { freshPlace } from "./places.ts";
import { postgresMissing } from "./server.ts";

const skip = postgresMissing ?? false;
const at: At = { now: start };
const wanted: Claim = {
  process: "p",
  leaseMs: 8_000,
  claim: "c",
  lastFence: 0,
  queues: [{ queue: "mail", slots: 5, ahead: 0 }],
  tasks: ["send"],
  alone: "no",
  settling: [],
};

const rows: readonly {
  readonly claim: string;
  readonly is: Outcome["is"];
  readonly ends: "COMMIT" | "ROLLBACK";
  readonly state: JobRow["state"];
  readonly isCancelling?: boolean;
}[] = [
  { claim: "that is completed there stays completed", is: "completed", ends: "COMMIT", state: "completed" },
  { claim: "that is to be tried again is cancelled then", is: "retry", ends: "COMMIT", state: "cancelled" },
  { claim: "that only saved hears of it", is: "saved", ends: "COMMIT", state: "running", isCancelling: true },
  { claim: "whose completion is rolled back hears of it", is: "completed", ends: "ROLLBACK", state: "running", isCancelling: true },
];

for (const row of rows) {
  it(`a cancel waits for no transaction of the app; a job ${row.claim}`, { skip }, () =>
    held(async (engine, client) => {
      await engine.enqueue([{ works: [job("a")] }], at);
      const { fence } = await engine.claim(wanted, at);
      await client.query("BEGIN");
      await engine.settle([{ id: "a", claim: "c", fence, is: row.is, ranMs: 1, ...(row.is === "saved" && { checkpoint: "1" }) }], { ...at, tx: client });
      const { jobs } = await engine.change({ ids: ["a"] }, { do: "cancel", reason: "not wanted" }, 1, at);
      assert.deepEqual(jobs, [{ id: "a", is: "cancelling" }]);
      await client.query(row.ends);
      assert.equal((await rowOf(engine))?.state, row.state);
      assert.equal((await rowOf(engine))?.claim?.isCancelling, row.isCancelling);
      assert.deepEqual((await engine.beat("p", 8_000, at)).cancelled.length, row.isCancelling === true ? 1 : 0);
    }),
  );
}

async function held(run: (engine: Engine, client: pg.PoolClient) => Promise<void>): Promise<void> {
  const place = await freshPlace();
  const engine = postgres(place.pool, { schema: place.schema });
  const client = await place.apps.connect();
  try {
    await engine.open({ runtime: new StillRuntime() });
    await run(engine, client);
  } finally {
    client.release();
    await engine.close();
    await place.done();
  }
}

async function rowOf(engine: Engine): Promise<JobRow | undefined> {
  return (await engine.find({ of: "jobs", ids: ["a"] }, at)).rows[0];
}
