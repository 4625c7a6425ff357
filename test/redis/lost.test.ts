/** Thousands of acknowledged jobs are lost with their server, deliberately: the replica never heard of them. What they were to do is done all the same (G16). */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { broker } from "../../src/index.ts";
import { undoneOf } from "./lostTasks.ts";
import { Pair } from "./pair.ts";
import { noServer } from "./server.ts";

const rows = 10_000;
const restoredWithinMs = 60_000;
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

test(
  `the primary is killed with ${rows} acknowledged jobs that its replica lacks: all that they were to do is done within a minute`,
  { skip: noServer ?? false },
  async (context) => {
    const folder = mkdtempSync(path.join(tmpdir(), "errand-lost-"));
    const [file, gate] = [path.join(folder, "app.db"), path.join(folder, "gate")];
    const workers: ChildProcess[] = [];
    await using pair = await Pair.start({ appendonly: "yes" });
    const { table, doRow } = undoneOf(file, () => Promise.resolve());
    await using work = broker({ store: pair.address.url, log: quiet }, { doRow });
    try {
      await work.open();
      for (let n = 0; n < 2; n += 1) workers.push(await worker({ STORE: pair.address.url, ROWS: file, GATE: gate }));
      // The first reconciliation, in a new store, has found nothing.
      while ((await work.reconciliations())[0]?.last === undefined) await sleep(20);
      await pair.caughtUp();
      pair.separate();
      table.fill(rows);
      await work.enqueue(Array.from({ length: rows }, (_, at) => doRow.with({ id: at + 1 })));
      const counts = await work.count();
      assert.equal(counts.ready + counts.running, rows);
      assert.equal(table.counts().undone, rows);
      await pair.failOver();
      const begin = performance.now();
      writeFileSync(gate, "");
      while (table.counts().undone > 0 && performance.now() - begin < restoredWithinMs) await sleep(20);
      const tookMs = Math.round(performance.now() - begin);
      context.diagnostic(`${rows} restored after ${tookMs} ms; done twice: ${table.counts().doubles}`);
      assert.equal(table.counts().undone, 0);
    } finally {
      for (const child of workers) {
        const gone = once(child, "exit");
        child.kill("SIGKILL");
        await gone;
      }
      table.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

async function worker(env: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const child = fork(new URL("./lostMain.ts", import.meta.url), {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", process.env["DEBUG_CRASH"] ? "inherit" : "ignore", "ipc"],
  });
  await Promise.race([once(child, "message"), once(child, "exit").then(() => assert.fail("a worker ended before it worked"))]);
  return child;
}
