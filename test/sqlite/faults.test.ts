import assert from "node:assert/strict";
import { closeSync, copyFileSync, existsSync, openSync, renameSync, statSync, symlinkSync, unlinkSync, writeSync } from "node:fs";
import { describe, it } from "node:test";
import { ErrandError } from "../../src/core/errors.ts";
import type { Connection, Driver } from "../../src/sqlite/driver.ts";
import { failureOf } from "../../src/sqlite/failure.ts";
import { Bench, Database, job, leaseMs, outcomes, rowOf, wanted } from "./bench.ts";

const tidying = { items: 1_000, mayExpire: true };

describe("another writer", () => {
  it("in this very process, across an await, does not block the event loop: a verb waits for it", async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    const app = bench.app();
    app.exec("BEGIN IMMEDIATE");
    const enqueueing = engine.enqueue([{ works: [job("a")] }], {});
    assert.ok(enqueueing instanceof Promise);
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal((await rowOf(engine, "a"))?.state, undefined);
    app.exec("COMMIT");
    assert.deepEqual(await enqueueing, [[{ id: "a", isDuplicate: false, state: "ready" }]]);
  });

  it("that is not there is not waited for: verbs answer at once", async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    const answer = engine.enqueue([{ works: [job("a")] }], {});
    assert.ok(Array.isArray(answer));
  });

  it("that never ends is reported as store-busy, and nothing was stored", async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    const app = bench.app();
    app.exec("BEGIN IMMEDIATE");
    const enqueueing = engine.enqueue([{ works: [job("a")] }], {});
    bench.runtime.skippedMs += 10_001;
    await assert.rejects(
      async () => enqueueing,
      (error) => ErrandError.is(error, "store-busy") && error.isDefinite,
    );
    app.exec("COMMIT");
    assert.equal(await rowOf(engine, "a"), undefined);
  });

  it("does not keep a claim that finds nothing, a find or a count from answering", async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    bench.app().exec("BEGIN IMMEDIATE");
    assert.deepEqual((await engine.claim(wanted(), {})).jobs, []);
    assert.deepEqual(engine.count({}), []);
    assert.equal((await engine.tidy(tidying, {})).hasMore, false);
  });

  it("that tidy had to wait for: nobody is expired whose lease ended meanwhile", async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    await engine.enqueue([{ works: [job("a")] }], {});
    await engine.claim(wanted(), {});
    bench.runtime.wall += leaseMs - 1;
    const app = bench.app();
    app.exec("BEGIN IMMEDIATE");
    const tidied = engine.tidy({ ...tidying, expireUntil: bench.runtime.wall }, {});
    bench.runtime.wall += leaseMs;
    app.exec("COMMIT");
    assert.equal((await tidied).takenBack, 0);
    assert.equal((await engine.tidy(tidying, {})).takenBack, 1);
  });

  it("of a closed engine is not waited for any more", async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    bench.app().exec("BEGIN IMMEDIATE");
    const enqueueing = engine.enqueue([{ works: [job("a")] }], {});
    await engine.close();
    await assert.rejects(
      async () => enqueueing,
      (error) => ErrandError.is(error, "broker-closed"),
    );
  });
});

describe("idle", () => {
  it("writes nothing: claims that find nothing and passes that have nothing to do", async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    await engine.enqueue([{ works: [job("a", { delayMs: 60_000 }), job("b", { task: "unknown here" })] }], {});
    const before = statSync(`${bench.file}-wal`).size;
    bench.runtime.wall += 1_000;
    for (const alone of ["no", "only"] as const) await engine.claim(wanted({ alone }), {});
    await engine.claim(wanted({ slots: 0, tasks: ["unknown here"] }), {});
    await engine.tidy(tidying, {});
    assert.equal(statSync(`${bench.file}-wal`).size, before);
  });
});

describe("a job that must run alone", () => {
  it("is found without a write by a worker that cannot run it alone now", async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    await engine.enqueue([{ works: [job("a")] }], {});
    for (const process of ["p1", "p2"]) {
      await engine.claim(wanted({ process }), {});
      bench.runtime.wall += leaseMs + 1;
      await engine.tidy(tidying, {});
    }
    const before = statSync(`${bench.file}-wal`).size;
    const { jobs, hasSuspects } = await engine.claim(wanted({ process: "p3" }), {});
    assert.deepEqual({ jobs, hasSuspects }, { jobs: [], hasSuspects: true });
    assert.equal(statSync(`${bench.file}-wal`).size, before);
    assert.equal((await engine.claim(wanted({ process: "p3", alone: "only" }), {})).jobs.length, 1);
  });
});

describe("a batch of outcomes", () => {
  it("is written in its order: follow-up work loses to a key that a later one frees", async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    const unique = { key: "u", mode: { is: "keep" } } as const;
    await engine.enqueue([{ works: [job("a"), job("b", { unique })] }], {});
    const [first, second] = outcomes(await engine.claim(wanted(), {}));
    assert.ok(first && second);
    await engine.settle([{ ...first, follow: [job("c", { unique })] }, second], {});
    assert.equal(await rowOf(engine, "c"), undefined);
    assert.equal((await rowOf(engine, "b"))?.state, "completed");
  });
});

describe("a full store", () => {
  it("is store-full, nothing was stored, and it goes on when there is room again", async () => {
    await using bench = new Bench();
    let connection: Connection | undefined;
    const Spied = function open(file: string, options: { readonly timeout: number }) {
      return (connection = new Database(file, options));
    } as unknown as Driver;
    const engine = bench.engine({}, { load: () => Spied });
    connection?.pragma(`max_page_count = ${Number(connection.pragma("page_count", { simple: true })) + 2}`, { simple: true });
    const works = Array.from({ length: 100 }, (_, at) => job(`big-${at}`, { payload: JSON.stringify("x".repeat(4_000)) }));
    assert.throws(
      () => engine.enqueue([{ works }], {}),
      (error) => ErrandError.is(error, "store-full") && error.isDefinite,
    );
    assert.equal(await rowOf(engine, "big-0"), undefined);
    connection?.pragma("max_page_count = 100000", { simple: true });
    await engine.enqueue([{ works }], {});
    assert.equal((await rowOf(engine, "big-99"))?.state, "ready");
  });
});

describe("a log whose index cannot grow", () => {
  for (const [driver, told] of Object.entries({ "better-sqlite3": { code: "SQLITE_IOERR_SHMSIZE" }, "node:sqlite": { errcode: 4_874 } })) {
    it(`is store-full, and whether anything was stored is not known: a commit makes room there after it has written the log (${driver})`, () => {
      const error = failureOf(Object.assign(new Error("disk I/O error"), told), "work.db");
      assert.equal(error.code, "store-full");
      assert.equal(error.isDefinite, false);
    });
  }
});

describe("a file that was deleted or replaced while open", () => {
  for (const [what, lose] of Object.entries({
    deleted: (file: string) => unlinkSync(file),
    replaced: (file: string) => {
      copyFileSync(file, `${file}.copy`);
      renameSync(`${file}.copy`, file);
    },
  })) {
    it(`${what}: store-moved, within a minute, and ever after`, async () => {
      await using bench = new Bench();
      const engine = bench.engine();
      lose(bench.file);
      await engine.tidy(tidying, {});
      bench.runtime.skippedMs += 60_000;
      const enqueueing = (): unknown => engine.enqueue([{ works: [job("a")] }], {});
      for (const verb of [enqueueing, () => engine.tidy(tidying, {}), () => engine.beat("p1", leaseMs, {}), enqueueing]) {
        assert.throws(verb, (error) => ErrandError.is(error, "store-moved") && !error.isDefinite);
      }
    });
  }

  it("by a link that now leads elsewhere: store-moved", async () => {
    await using bench = new Bench();
    const real = `${bench.file}.real`;
    symlinkSync(real, bench.file);
    const engine = bench.engine();
    copyFileSync(real, `${real}.2`);
    unlinkSync(bench.file);
    symlinkSync(`${real}.2`, bench.file);
    bench.runtime.skippedMs += 60_000;
    assert.throws(
      () => engine.tidy(tidying, {}),
      (error) => ErrandError.is(error, "store-moved"),
    );
  });

  it("that is still there is not looked for in vain", async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    bench.runtime.skippedMs += 60_000;
    await engine.tidy(tidying, {});
  });
});

describe("a damaged file", () => {
  it("is store-corrupt, and whether anything was stored is not known", async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    for (let batch = 0; batch < 40; batch += 1) {
      await engine.enqueue([{ works: Array.from({ length: 100 }, (_, at) => job(`${batch}-${at}`)) }], {});
    }
    await engine.close();
    const descriptor = openSync(bench.file, "r+");
    const { size } = statSync(bench.file);
    // The tables' own pages stand at the beginning.
    for (let page = Math.floor(size / 4_096 / 2); page * 4_096 < size; page += 1) writeSync(descriptor, Buffer.alloc(4_096, 0xa5), 0, 4_096, page * 4_096);
    closeSync(descriptor);
    const again = bench.engine();
    const readAll = async (): Promise<void> => void (await again.find({ of: "jobs", where: {}, limit: 1_000 }, {}));
    await assert.rejects(readAll, (error) => ErrandError.is(error, "store-corrupt") && !error.isDefinite);
  });
});

describe("the write-ahead log", () => {
  it("that a reader let grow is cut off by tidy once the reader is gone", async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    const reader = bench.app();
    reader.exec("BEGIN; SELECT count(*) FROM errand_jobs");
    const payload = JSON.stringify("x".repeat(250_000));
    for (let batch = 0; batch < 6; batch += 1) await engine.enqueue([{ works: Array.from({ length: 50 }, (_, at) => job(`${batch}-${at}`, { payload })) }], {});
    assert.ok(statSync(`${bench.file}-wal`).size > 64 * 1_024 * 1_024);
    reader.exec("COMMIT");
    await engine.tidy(tidying, {});
    assert.equal(statSync(`${bench.file}-wal`).size, 0);
  });
});

describe("the store's time", () => {
  it("never goes back, also for another process whose clock is behind", async () => {
    await using bench = new Bench();
    const first = bench.engine();
    await first.enqueue([{ works: [job("a")] }], {});
    const { now, fence } = await first.claim(wanted(), {});
    bench.runtime.wall -= 60_000;
    const second = bench.engine();
    await second.enqueue([{ works: [job("b")] }], {});
    assert.equal((await rowOf(second, "b"))?.enqueuedAt, now);
    assert.ok((await second.claim(wanted({ claim: "c2" }), {})).fence > fence);
  });
});

describe("closing", () => {
  it("leaves a file without a write-ahead log", async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    await engine.enqueue([{ works: [job("a")] }], {});
    await engine.settle(outcomes(await engine.claim(wanted(), {})), {});
    await engine.close();
    assert.equal(existsSync(`${bench.file}-wal`), false);
  });
});
