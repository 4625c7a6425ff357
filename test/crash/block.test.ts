/** A blocked event loop keeps its lease; a store that is away expires nobody; eight processes share one file. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import Database from "better-sqlite3";
import { blocking, brief } from "./definitions.ts";
import { Fleet, now } from "./fleet.ts";

test("a handler that blocks the event loop for 60 s keeps its lease: it is started once and completes, beside a second worker", async () => {
  await using fleet = new Fleet();
  await fleet.worker({ hands: 1 });
  const { id } = await fleet.work.enqueue(blocking.with({ n: 1, ms: 60_000 }));
  await fleet.until("started", () => fleet.lines().length === 1, 10);
  await fleet.worker({ hands: 1 });
  await fleet.until("completed", async () => (await fleet.work.find(id))?.state === "completed", 80);
  assert.equal(fleet.lines().filter((line) => line.is === "start").length, 1);
  assert.equal((await fleet.work.find(id))?.starts, 1);
});

test("a store that cannot be written for 12 s, longer than a lease, expires nobody; claims go on within 2 s of its return", async () => {
  await using fleet = new Fleet();
  await fleet.worker({ hands: 2 });
  await fleet.worker({ hands: 2 });
  await fleet.work.enqueue(Array.from({ length: 4 }, (_, n) => brief.with({ n, ms: 18_000 })));
  await fleet.until("four started", () => fleet.lines().length === 4, 10);
  await fleet.work.enqueue(Array.from({ length: 4 }, (_, n) => brief.with({ n: n + 4, ms: 10 })));
  const holder = new Database(fleet.file);
  holder.exec("BEGIN IMMEDIATE");
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  holder.exec("ROLLBACK");
  holder.close();
  const returned = now();
  await fleet.until("all completed", async () => (await fleet.work.count()).completed === 8, 30);
  const lines = fleet.lines();
  assert.equal(lines.filter((line) => line.is === "start").length, 8, "nobody ran twice");
  const resumed = Math.min(...lines.filter((line) => line.is === "start" && line.n >= 4).map((line) => line.at));
  const freed = Math.min(...lines.filter((line) => line.is === "end").map((line) => line.at));
  assert.ok(resumed - Math.max(returned, freed) <= 2_000, `claims went on ${resumed - Math.max(returned, freed)} ms after the store's return and a free hand`);
});

test("eight processes enqueue and work on one file at once: every job runs exactly once and the file is sound", async (context) => {
  await using fleet = new Fleet();
  const workers = 4;
  const producers = 4;
  const each = 400;
  await fleet.work.open();
  await Promise.all(Array.from({ length: workers }, () => fleet.worker({ hands: 20 })));
  const begin = now();
  const codes = await Promise.all(
    Array.from({ length: producers }, async (_, producer) => {
      const child = fork(new URL("./producerMain.ts", import.meta.url), [String(producer * each), String(each)], {
        execArgv: ["--disable-warning=ExperimentalWarning"],
        env: { ...process.env, STORE: `sqlite:${fleet.file}` },
        stdio: ["ignore", "ignore", "inherit", "ipc"],
      });
      const [code] = (await once(child, "exit")) as [number | null];
      return code;
    }),
  );
  assert.deepEqual(codes, [0, 0, 0, 0]);
  await fleet.until("all completed", async () => (await fleet.work.count()).completed === producers * each, 60);
  const starts = fleet.lines().filter((line) => line.is === "start");
  assert.equal(starts.length, producers * each);
  assert.equal(new Set(starts.map((line) => line.n)).size, producers * each);
  context.diagnostic(`${producers * each} jobs by ${workers} workers and ${producers} producers in ${now() - begin} ms`);
  const check = new Database(fleet.file, { readonly: true });
  assert.equal(check.pragma("integrity_check", { simple: true }), "ok");
  check.close();
});
