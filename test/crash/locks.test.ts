/** Locks of real processes on one file (G17): held still, killed, with a blocked event loop; and what looks at the fence beside what does not. */
import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import Database from "better-sqlite3";
import { now } from "./fleet.ts";
import type { Tells, Told } from "./lockMain.ts";

class Counting {
  readonly #folder: string = mkdtempSync(join(tmpdir(), "errand-locks-"));
  readonly #app: string = join(this.#folder, "app.db");
  readonly #children: ChildProcess[] = [];

  constructor() {
    const app = new Database(this.#app);
    app.exec("PRAGMA journal_mode = WAL; CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER, fence INTEGER)");
    app.exec("INSERT INTO counters VALUES ('trusting', 0, 0), ('fenced', 0, 0)");
    app.close();
  }

  async process(): Promise<ChildProcess> {
    const child = fork(new URL("./lockMain.ts", import.meta.url), {
      execArgv: ["--disable-warning=ExperimentalWarning"],
      env: { ...process.env, STORE: `sqlite:${join(this.#folder, "store.db")}`, APP: this.#app },
      stdio: ["ignore", "ignore", process.env["DEBUG_CRASH"] ? "inherit" : "ignore", "ipc"],
    });
    this.#children.push(child);
    await answer(child, "ready");
    return child;
  }

  values(): { trusting: number; fenced: number } {
    const app = new Database(this.#app, { readonly: true });
    const rows = app.prepare("SELECT name, value FROM counters").all() as { name: "trusting" | "fenced"; value: number }[];
    app.close();
    return Object.fromEntries(rows.map(({ name, value }) => [name, value])) as { trusting: number; fenced: number };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
      const gone = once(child, "exit");
      child.kill("SIGCONT");
      child.kill("SIGKILL");
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The next thing that it tells, which must be of that kind. */
async function answer<Is extends Tells["is"]>(child: ChildProcess, is: Is): Promise<Extract<Tells, { readonly is: Is }>> {
  const [told] = (await once(child, "message")) as [Tells];
  assert.equal(told.is, is);
  return told as Extract<Tells, { readonly is: Is }>;
}

function asked<Is extends Tells["is"]>(child: ChildProcess, told: Told, is: Is): Promise<Extract<Tells, { readonly is: Is }>> {
  const answered = answer(child, is);
  child.send(told);
  return answered;
}

test("a holder under SIGSTOP loses its lock to another; what it writes later is refused by the fence, and loses an update where nobody looks", async () => {
  await using counting = new Counting();
  const [one, two] = [await counting.process(), await counting.process()];
  const first = await asked(one, { do: "take" }, "read");
  one.kill("SIGSTOP");
  const from = now();
  const second = await asked(two, { do: "take" }, "read");
  assert.ok(now() - from < 20_000, `it was taken over after ${now() - from} ms`);
  assert.ok(second.fence > first.fence);
  one.kill("SIGCONT");
  const late = await asked(one, { do: "write" }, "wrote");
  const heir = await asked(two, { do: "write" }, "wrote");
  assert.deepEqual([late.fenced, heir.fenced, heir.release, heir.signal], [false, true, "released", undefined]);
  assert.equal(late.release, "lock-not-held");
  assert.deepEqual(counting.values(), { trusting: 1, fenced: 1 }, "two updates were made to the one, and one is lost; one to the other");
});

test("a killed holder's lock is another's within a lease", async () => {
  await using counting = new Counting();
  const [one, two] = [await counting.process(), await counting.process()];
  await asked(one, { do: "take" }, "read");
  const next = asked(two, { do: "take" }, "read");
  await new Promise((resolve) => setTimeout(resolve, 9_000)); // the one that waits has reached the store for a lease
  const from = now();
  one.kill("SIGKILL");
  await next;
  assert.ok(now() - from <= 10_000, `it was taken over after ${now() - from} ms`);
  assert.equal((await asked(two, { do: "write" }, "wrote")).release, "released");
});

test("a holder that blocks its event loop for 15 s keeps its lock, and hears of nothing else", async () => {
  await using counting = new Counting();
  const [one, two] = [await counting.process(), await counting.process()];
  await asked(one, { do: "take" }, "read");
  let isTaken = false;
  const next = asked(two, { do: "take" }, "read").then((read) => {
    isTaken = true;
    return read;
  });
  const blocked = await asked(one, { do: "block", ms: 15_000 }, "blocked");
  assert.deepEqual([blocked.signal, isTaken], [undefined, false]);
  const from = now();
  assert.equal((await asked(one, { do: "write" }, "wrote")).release, "released");
  assert.equal((await next).fenced, 1);
  assert.ok(now() - from < 3_000, `the next had it after ${now() - from} ms`);
});
