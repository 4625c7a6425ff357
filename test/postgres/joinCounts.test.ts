/** A join's counts are appended by every verb and folded into its row when they are many: whoever looks sees the same. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { At, Engine, JoinRow, NewWork } from "../../src/core/engine.ts";
import { postgres } from "../../src/postgres/index.ts";
import { job, join, start } from "../port/stage.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { emptyStore } from "./emptying.ts";
import { emptyBy, freshPlace } from "./places.ts";
import { postgresMissing } from "./server.ts";

/** More than are ever left unfolded, twice. */
const members = 120;
const unfoldedMax = 50;
const at: At = { now: start };
emptyBy(emptyStore);

it("a join that is added to and ends member by member, each in a verb of its own, counts all of them", { skip: postgresMissing ?? false }, async () => {
  const { pool, schema, done } = await freshPlace();
  const engine = postgres(pool, { schema });
  await engine.open({ runtime: new StillRuntime() });
  const unfolded: number[] = [];
  const look = async (): Promise<string> => {
    const { rows } = await pool.query<{ changes: string }>(`SELECT count(*) AS changes FROM ${schema}.join_changes`);
    unfolded.push(Number(rows[0]?.changes));
    return told(await engine.find({ of: "joins", ids: ["J"] }, at));
  };
  await store(engine, join("J", { isSealed: false, size: members }));
  for (let n = 1; n <= members; n += 1) {
    await store(engine, job(`m${n}`, { join: "J" }));
    assert.equal(await look(), `staged: ${n} members, ${n} live, 0 succeeded`);
  }
  await store(engine, join("J", { size: members }));
  for (let n = 1; n <= members; n += 1) {
    await runOne(engine, n);
    assert.equal(await look(), `${n < members ? "open" : "closed"}: ${members} members, ${members - n} live, ${n} succeeded`);
  }
  assert.ok(Math.max(...unfolded) <= unfoldedMax, `${Math.max(...unfolded)} changes were left unfolded`);
  assert.equal(unfolded.at(-1), 0, "changes of a join that has closed");
  await engine.close();
  await done();
});

async function store(engine: Engine, work: NewWork): Promise<void> {
  const [answer] = await engine.enqueue([{ works: [work] }], at);
  assert.ok(Array.isArray(answer), String(answer));
}

async function runOne(engine: Engine, n: number): Promise<void> {
  const queues = [{ queue: "mail", slots: 1, ahead: 0 }];
  const asked = { process: "p", leaseMs: 60_000, claim: `c${n}`, lastFence: 0, queues, tasks: ["send"], alone: "no", settling: [] } as const;
  const { jobs, fence } = await engine.claim(asked, at);
  assert.equal(jobs[0]?.id, `m${n}`);
  await engine.settle([{ id: `m${n}`, claim: `c${n}`, fence, is: "completed", ranMs: 1 }], at);
}

function told({ rows }: { readonly rows: readonly JoinRow[] }): string {
  const [row] = rows;
  return row === undefined ? "unknown" : `${row.state}: ${row.members} members, ${row.live} live, ${row.succeeded} succeeded`;
}
