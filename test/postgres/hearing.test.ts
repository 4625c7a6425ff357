/** Whether an engine hears other processes, and how soon their work starts where it does not. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { broker, task } from "../../src/index.ts";
import type { Broker, Task } from "../../src/index.ts";
import { postgres } from "../../src/postgres/index.ts";
import { realRuntime } from "../../src/runtime/real.ts";
import { PgBouncer, pgBouncerMissing } from "./pgbouncer.ts";
import { freshPlace, isPooled, notPooled } from "./places.ts";
import { postgresMissing } from "./server.ts";

const jobs = 15;
/** Had it been found by looking once a second, half of it would have waited for longer. */
const halfWithinMs = 250;

describe("wake-ups on PostgreSQL", { skip: postgresMissing ?? false }, () => {
  it("an engine hears others from soon after it listens until it is closed", { skip: notPooled("no wake-ups arrive there") }, async () => {
    const place = await freshPlace();
    const engine = postgres(place.pool, { schema: place.schema });
    await engine.open({ runtime: realRuntime() });
    assert.equal(engine.isHearing, false);
    const unlisten = await engine.listen(() => undefined);
    // What listens keeps no process alive.
    while (!engine.isHearing) await new Promise((resolve) => setImmediate(resolve));
    unlisten();
    assert.equal(engine.isHearing, false);
    await engine.close();
    await place.done();
  });

  it("behind a pooler in transaction mode it hears nobody, and others' work starts soon all the same", { skip: pgBouncerMissing ?? false }, async () => {
    const place = await freshPlace();
    await using pooler = isPooled ? undefined : await PgBouncer.before(place.url);
    const url = `${pooler?.url ?? place.url}?schema=${place.schema}`;
    let started: (at: number) => void = () => undefined;
    const tick = task("tick", () => started(performance.now()));
    await using here = broker(url, { tick });
    await using there = broker(url, { tick });
    await here.open();
    await there.start({ signals: false });
    await waits(here, tick, (fn) => (started = fn)); // nothing has come yet
    const waited: number[] = [];
    for (let n = 0; n < jobs; n++) waited.push(await waits(here, tick, (fn) => (started = fn)));
    const median = waited.toSorted((a, b) => a - b)[Math.floor(jobs / 2)] ?? Number.NaN;
    assert.ok(median <= halfWithinMs, `half of the jobs waited for ${Math.round(median)} ms or longer`);
  });
});

async function waits(work: Broker, tick: Task<never>, onStart: (fn: (at: number) => void) => void): Promise<number> {
  const from = performance.now();
  const { promise, resolve } = Promise.withResolvers<number>();
  onStart(resolve);
  await work.enqueue(tick.with({} as never));
  return (await promise) - from;
}
