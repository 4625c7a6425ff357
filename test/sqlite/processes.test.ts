import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { ErrandError } from "../../src/core/errors.ts";
import { openBeat } from "../../src/sqlite/beatConnection.ts";
import { Bench, job, leaseMs, outcomes, rowOf, wanted } from "./bench.ts";

describe("several connections on one file", () => {
  it("each get jobs of their own, and every job runs once", async () => {
    await using bench = new Bench();
    const engines = Array.from({ length: 5 }, () => bench.engine());
    const seen: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(engines.map(async (engine, at) => engine.enqueue([{ works: [job(`${round}-${at}`), job(`${round}-${at}-too`)] }], {})));
      const claims = await Promise.all(engines.map(async (engine, at) => engine.claim(wanted({ process: `p${at}`, claim: `c${round}-${at}`, slots: 2 }), {})));
      for (const [at, claimed] of claims.entries()) {
        seen.push(...claimed.jobs.map(({ id }) => id));
        const settled = await engines[at]?.settle(outcomes(claimed, `c${round}-${at}`), {});
        assert.ok(settled?.every(({ is }) => is === "settled"));
      }
    }
    assert.equal(seen.length, 200);
    assert.equal(new Set(seen).size, 200);
  });

  it("a fence grows from one connection to the next", async () => {
    await using bench = new Bench();
    const [first, second] = [bench.engine(), bench.engine()];
    await first.enqueue([{ works: [job("a"), job("b")] }], {});
    const { fence } = await first.claim(wanted({ slots: 1 }), {});
    assert.ok((await second.claim(wanted({ slots: 1, process: "p2" }), {})).fence > fence);
  });

  it("hear at once of a pause that another wrote", async () => {
    await using bench = new Bench();
    const [first, second] = [bench.engine(), bench.engine()];
    await first.enqueue([{ works: [job("a")] }], {});
    assert.equal((await second.claim(wanted({ slots: 0 }), {})).jobs.length, 0);
    await first.enqueue([{ works: [], notes: [{ key: "pause/queue/mail", value: "{}" }] }], {});
    assert.deepEqual((await second.claim(wanted(), {})).jobs, []);
    await first.enqueue([{ works: [], notes: [{ key: "pause/queue/mail", value: undefined }] }], {});
    assert.equal((await second.claim(wanted(), {})).jobs.length, 1);
  });
});

describe("another process", () => {
  it("hears of new work within 20 ms", { timeout: 20_000 }, async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    const child = spawn(process.execPath, [new URL("listener.ts", import.meta.url).pathname, bench.file], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const heard = async (): Promise<string> => (await lines.next()).value as string;
    assert.equal(await heard(), "listening");
    const tookMs: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      const stored = performance.timeOrigin + performance.now();
      await engine.enqueue([{ works: [job(`${round}`)] }], {});
      tookMs.push(Number(await heard()) - stored);
    }
    child.stdin.end();
    await once(child, "exit");
    // The machine may be busy; most of the time it is not.
    const best = tookMs.toSorted((a, b) => a - b)[2] ?? Infinity;
    assert.ok(best <= 20, `heard after ${tookMs.map(Math.round).join(", ")} ms`);
  });

  it("gets the jobs of one that was killed, after its lease", async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    await engine.enqueue([{ works: [job("a")] }], {});
    const child = spawn(process.execPath, [new URL("listener.ts", import.meta.url).pathname, bench.file, "claim"], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    assert.equal((await lines.next()).value, "a");
    child.kill("SIGKILL");
    await once(child, "exit");
    assert.equal((await rowOf(engine, "a"))?.state, "running");
    bench.runtime.wall = Date.now() + leaseMs + 1_000;
    assert.equal((await engine.tidy({ items: 10, mayExpire: true }, {})).takenBack, 1);
    assert.deepEqual(
      (await engine.claim(wanted({ claim: "c2" }), {})).jobs.map(({ starts, suspects }) => ({ starts, suspects })),
      [{ starts: 2, suspects: 1 }],
    );
  });
});

describe("the connection of the thread that beats", () => {
  it("renews what the process holds, and hears of cancels, losses and notes", async () => {
    await using bench = new Bench();
    bench.runtime.wall = Date.now();
    const engine = bench.engine();
    await engine.enqueue([{ works: [job("a"), job("b")] }], {});
    await engine.claim(wanted({ slots: 2 }), {});
    const source = engine.beatSource?.();
    assert.ok(source);
    const connection = ((await import(source.module)) as { openBeat: typeof openBeat }).openBeat(source.data);
    bench.closeLater({ close: () => connection.close() });
    const before = (await rowOf(engine, "a"))?.claim?.leaseUntil ?? 0;
    const heard = await connection.beat("p1", leaseMs * 2);
    assert.deepEqual({ isLost: heard.isLost, cancelled: heard.cancelled }, { isLost: false, cancelled: [] });
    assert.ok(((await rowOf(engine, "a"))?.claim?.leaseUntil ?? 0) > before);
    await engine.change({ ids: ["b"] }, { do: "cancel", reason: "no" }, 10, {});
    await engine.enqueue([{ works: [], notes: [{ key: "n", value: "1" }] }], {});
    const again = await connection.beat("p1", leaseMs);
    assert.deepEqual(again.cancelled, ["b"]);
    assert.ok(again.notesVersion > heard.notesVersion);
    assert.equal(again.era, (await engine.beat("p9", leaseMs, {})).era);
    bench.runtime.wall = Date.now() + leaseMs * 3;
    await engine.tidy({ items: 10, mayExpire: true }, {});
    assert.equal((await connection.beat("p1", leaseMs)).isLost, true);
  });

  it("fails, definitely, when the write lock is not to be had, and goes on later", async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    await engine.enqueue([{ works: [job("a")] }], {});
    await engine.claim(wanted({ process: "p1" }), {});
    const connection = openBeat({ path: bench.file, driver: "better-sqlite3" });
    bench.closeLater({ close: () => connection.close() });
    const app = bench.app();
    app.exec("BEGIN IMMEDIATE");
    assert.equal((await connection.beat("idle", leaseMs)).isLost, false, "who holds nothing needs no lock");
    assert.throws(
      () => connection.beat("p1", leaseMs),
      (error) => ErrandError.is(error, "store-busy"),
    );
    app.exec("COMMIT");
    assert.equal((await connection.beat("p1", leaseMs)).isLost, false);
  });
});
