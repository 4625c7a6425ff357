/** 100,000 undone rows, and the whole store lost midway: all of them are done, and none twice but what was in flight. */
import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { broker } from "../../src/index.ts";
import { now } from "./fleet.ts";
import { RowsTable } from "./rowsTable.ts";

const rows = 100_000;
const hands = 4;
const standsStillSeconds = 60;
/** Disks of test machines are slow; what is shown here does not hang on them. */
const place = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

async function worker(folder: string): Promise<ChildProcess> {
  const child = fork(new URL("./rowsMain.ts", import.meta.url), {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    env: { ...process.env, STORE: `sqlite:${join(folder, "store.db")}`, ROWS: join(folder, "app.db"), HANDS: String(hands) },
    stdio: ["ignore", "ignore", process.env["DEBUG_CRASH"] ? "inherit" : "ignore", "ipc"],
  });
  await Promise.race([once(child, "message"), once(child, "exit").then(() => assert.fail("a worker ended before it worked"))]);
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = once(child, "exit");
  child.kill(signal);
  await gone;
}

async function until(what: string, isTrue: () => Promise<boolean> | boolean, seconds: number): Promise<void> {
  for (const begin = now(); !(await isTrue()); await sleep(20)) if (now() - begin > seconds * 1_000) throw new Error(`${what}: not within ${seconds} s`);
}

/** However slow the machine is: fails only where nothing more is done. */
async function undoneFewerThan(table: RowsTable, most: number): Promise<void> {
  for (let { undone } = table.counts(); undone >= most; { undone } = table.counts())
    await until(`one more of ${undone} rows is done`, () => table.counts().undone < undone, standsStillSeconds);
}

/** Waits for so many more looks at the table: what they find has its job, or is done. */
async function looks(folder: string, more: number): Promise<void> {
  await using work = broker(`sqlite:${join(folder, "store.db")}`);
  const ended = new Set<number | undefined>();
  await until(`${more} more looks`, async () => ended.add((await work.reconciliations())[0]?.last?.endedAt.getTime()).size > more, 30);
}

test("100,000 undone rows, and the store lost midway: all are done, none twice beyond what was in flight", async (context) => {
  const folder = mkdtempSync(join(place, "errand-rows-"));
  const table = new RowsTable(join(folder, "app.db"));
  let workers: ChildProcess[] = [];
  try {
    table.fill(rows);
    const begin = now();
    workers = [await worker(folder), await worker(folder)];
    await undoneFewerThan(table, rows / 2);
    for (const child of workers) await end(child, "SIGKILL");
    const { undone: left } = table.counts();
    for (const file of readdirSync(folder)) if (file.startsWith("store.db")) rmSync(join(folder, file));
    workers = [await worker(folder), await worker(folder)];
    await undoneFewerThan(table, 1);
    await looks(folder, 2);
    const { doubles } = table.counts();
    context.diagnostic(`${rows} rows, ${left} of them undone when the store was lost; ${doubles} done twice; ${now() - begin} ms`);
    assert.ok(left > 0 && left < rows);
    assert.ok(doubles <= 2 * hands, `${doubles} rows were done twice, with ${2 * hands} hands`);
    for (const child of workers) await end(child, "SIGTERM");
    workers = [];
  } finally {
    for (const child of workers) await end(child, "SIGKILL");
    table.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
