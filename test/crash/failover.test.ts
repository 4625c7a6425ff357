/**
 * The primary of a pair dies mid-run, clients meet the standby while it is read-only, and it is promoted. A synchronous one loses nothing; what an asynchronous
 * one lost is found in the app's own table. In both the era is another one, and no fence comes twice.
 */
import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { broker, ErrandError, type Broker } from "../../src/index.ts";
import { installation } from "../postgres/installations.ts";
import { Pair } from "../postgres/pair.ts";
import { doRow, entriesOf, type Entry } from "./failoverTasks.ts";
import { now } from "./fleet.ts";
import { RowsTable } from "./rowsTable.ts";

const skip = installation() === undefined ? "no PostgreSQL server is installed here; npm ci brings one" : false;
const hands = 5;
const rowsAtOnce = 5;
/** An outcome may be on its way for so long after its run's end. */
const onTheWayMs = 500;
const silent = (): void => undefined;
const quiet = { debug: silent, info: silent, warn: silent, error: silent };

/** The app: its rows, a producer that enters a row and hands in its job, and worker processes. */
class App implements AsyncDisposable {
  readonly work: Broker;
  readonly table: RowsTable;
  /** By row: the job that was acknowledged. */
  readonly acknowledged: Map<number, string> = new Map();
  readonly refusals: ErrandError[] = [];
  readonly #folder: string = mkdtempSync(join(tmpdir(), "errand-failover-"));
  readonly #ledger: string = join(this.#folder, "ledger");
  readonly #url: string;
  readonly #workers: Set<ChildProcess> = new Set();
  #isStopped = false;
  #rows = 0;
  #producing: Promise<void> = Promise.resolve();

  constructor(url: string) {
    this.#url = url;
    this.table = new RowsTable(join(this.#folder, "app.db"));
    this.work = broker({ store: url, log: quiet }, { doRow });
  }

  entries(): Entry[] {
    return entriesOf(this.#ledger);
  }

  starts(): (Entry & { readonly row: number; readonly job: string; readonly fence: number })[] {
    return this.entries().flatMap((entry) => {
      const { is, row, job, fence } = entry;
      return is === "start" && row !== undefined && job !== undefined && fence !== undefined ? [{ ...entry, row, job, fence }] : [];
    });
  }

  async worker(): Promise<void> {
    const child = fork(new URL("./failoverMain.ts", import.meta.url), {
      execArgv: ["--disable-warning=ExperimentalWarning"],
      env: { ...process.env, STORE: this.#url, LEDGER: this.#ledger, ROWS: join(this.#folder, "app.db"), HANDS: String(hands) },
      stdio: ["ignore", "ignore", process.env["DEBUG_CRASH"] ? "inherit" : "ignore", "ipc"],
    });
    this.#workers.add(child);
    await Promise.race([once(child, "message"), once(child, "exit").then(() => assert.fail("a worker ended before it worked"))]);
  }

  produce(): void {
    this.#producing = this.#enterRows();
  }

  /** Resolves when the jobs are acknowledged. */
  async enter(count: number): Promise<void> {
    const rows = Array.from({ length: count }, () => ++this.#rows);
    for (const row of rows) this.table.add(row);
    const jobs = await this.#handIn(rows);
    for (const [nth, row] of rows.entries()) this.acknowledged.set(row, jobs[nth] ?? "");
  }

  /** Resolves when the last row is acknowledged. */
  stopProducing(): Promise<void> {
    this.#isStopped = true;
    return this.#producing;
  }

  /** Jobs are acknowledged and done as before. */
  async more(): Promise<void> {
    const [rows, starts] = [this.acknowledged.size, this.starts().length];
    await this.until("more is acknowledged and done", () => this.acknowledged.size > rows + 100 && this.starts().length > starts + 50, 30);
  }

  async until(what: string, isTrue: () => boolean, seconds: number): Promise<void> {
    for (const begin = now(); !isTrue(); await sleep(10)) {
      if (now() - begin > seconds * 1_000)
        throw new Error(`${what}: not within ${seconds} s; ${JSON.stringify([this.table.counts(), await this.work.count()])}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopProducing();
    for (const child of this.#workers) {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    }
    await this.work.close();
    this.table.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #enterRows(): Promise<void> {
    while (!this.#isStopped) {
      await this.enter(rowsAtOnce);
      await sleep(2);
    }
  }

  /** Until it is acknowledged, by the same call with the same ids. */
  async #handIn(rows: readonly number[]): Promise<string[]> {
    let call = async (): Promise<readonly { id: string }[]> => this.work.enqueue(rows.map((id) => doRow.with({ id })));
    for (;;) {
      try {
        return (await call()).map(({ id }) => id);
      } catch (error) {
        if (!ErrandError.is(error)) throw error;
        this.refusals.push(error);
        call = async () => (await error.again()) as { id: string }[];
        await sleep(20);
      }
    }
  }
}

for (const mode of ["synchronous", "asynchronous"] as const) {
  test(
    `${mode}: the primary is killed mid-run and its standby promoted; ${mode === "synchronous" ? "nothing acknowledged is lost" : "what was lost is done all the same"}, in a new era`,
    { skip },
    async (context) => {
      await using pair = await Pair.start(mode);
      await using app = new App(pair.address.url);
      await app.work.open();
      const era = await eraOn(pair);
      await app.worker();
      await app.worker();
      app.produce();
      await app.until("work is done", () => app.starts().length > 200, 60);

      pair.separate();
      if (mode === "synchronous") await sleep(500);
      else {
        await app.more();
        // More than the workers do until the kill.
        await app.enter(200);
      }
      const killedAt = now();
      await pair.primary.kill();
      await sleep(200);
      pair.leadTo(pair.standby);
      await app.until("the standby refuses", () => app.refusals.some(({ code }) => code === "store-readonly"), 20);
      await sleep(500);
      await pair.standby.promote();
      const promotedAt = now();

      await app.until("both workers hear of it", () => app.entries().filter(({ is }) => is === "new era").length >= 2, 20);
      await sleep(500);
      await app.stopProducing();
      await app.until("all rows are done", () => app.table.counts().undone === 0, 60);
      const doneAfter = now() - promotedAt;

      const past = await pastOf(pair);
      const lost = await lostBy(app);
      const fresh = app.starts().filter(({ fence }) => fence > past.fence);
      const restored = new Set(fresh.filter(({ row, job }) => lost.has(row) && job !== app.acknowledged.get(row)).map(({ row }) => row));
      const after = (runs: readonly Entry[]): number => (runs[0]?.at ?? Number.POSITIVE_INFINITY) - promotedAt;
      const firstAfter = after(fresh);
      const foundAfter = after(fresh.filter(({ job, row }) => lost.has(row) && job !== app.acknowledged.get(row)));
      context.diagnostic(
        `rows ${app.acknowledged.size}, acknowledged before the kill and lost by the store ${lost.size}, restored ${restored.size}, done twice ${app.table.counts().doubles}, ` +
          `after the promotion: first start ${firstAfter} ms, first restored ${restored.size > 0 ? `${foundAfter} ms` : "none"}, all done ${doneAfter} ms; calls refused: ${tally(app.refusals)}`,
      );

      assert.equal(past.era, era);
      assert.notEqual(await eraOn(pair), era, "the era is the old one");
      checkFences(app, past.fence);
      assert.ok(
        app.refusals.some(({ code }) => code === "store-unreachable"),
        "no call met the kill: the test proves less than it says",
      );
      assert.ok(firstAfter <= 2_000, `workers came back after ${firstAfter} ms`);
      assert.ok(app.table.counts().doubles <= 2 * hands, "more was done twice than was in flight");
      assert.deepEqual(unexplained(app, killedAt), []);
      if (mode === "synchronous") assert.equal(lost.size, 0, "what was acknowledged is lost");
      else assert.ok(lost.size > 0 && restored.size > 0, "nothing was lost: the test proves nothing");
    },
  );
}

async function eraOn(pair: Pair): Promise<string> {
  const sql = "SELECT value FROM errand.meta WHERE key = 'era'";
  const rows = await (pair.primary.isRunning ? pair.onPrimary<{ value: string }>(sql) : pair.onStandby<{ value: string }>(sql));
  return rows[0]?.value ?? "";
}

/** What the old primary's disk says: started once more, where no client goes. */
async function pastOf(pair: Pair): Promise<{ readonly fence: number; readonly era: string }> {
  await pair.primary.start();
  const [row] = await pair.onPrimary<{ fence: string; era: string }>(
    "SELECT f.last_value AS fence, m.value AS era FROM errand.fence f, errand.meta m WHERE m.key = 'era'",
  );
  await pair.primary.stop("keep");
  return { fence: Number(row?.fence), era: row?.era ?? "" };
}

/** Rows whose acknowledged job the store does not know. */
async function lostBy(app: App): Promise<Set<number>> {
  const lost = new Set<number>();
  for (const [row, job] of app.acknowledged) if ((await app.work.find(job)) === undefined) lost.add(row);
  return lost;
}

/** A fence belongs to one process, and to one run of a job; none of the new era is among those of the old. */
function checkFences(app: App, oldest: number): void {
  const holders = new Map<number, number>();
  const runs = new Set<string>();
  for (const { fence, pid, job } of app.starts()) {
    assert.equal(holders.get(fence) ?? pid, pid, `fence ${fence} was given to two processes`);
    holders.set(fence, pid);
    assert.ok(!runs.has(`${job} ${fence}`), `job ${job} ran twice under fence ${fence}`);
    runs.add(`${job} ${fence}`);
  }
  const fresh = [...holders.keys()].filter((fence) => fence > oldest);
  assert.ok(fresh.length > 0 && fresh.length < holders.size, "no fence of the one or of the other era");
}

/** Rows that started again though no run before the last was under way between the kill and when its process heard of the new era. */
function unexplained(app: App, killedAt: number): readonly (readonly Entry[])[] {
  const entries = app.entries();
  const heardAt = (pid: number): number => entries.find((entry) => entry.is === "new era" && entry.pid === pid)?.at ?? Number.NEGATIVE_INFINITY;
  const endOf = (run: Entry): number =>
    entries.find(({ is, job, fence, pid }) => is === "end" && job === run.job && fence === run.fence && pid === run.pid)?.at ?? Number.POSITIVE_INFINITY;
  return [...Map.groupBy(app.starts(), ({ row }) => row).values()].filter(
    (runs) => !runs.slice(0, -1).every((run) => run.at <= heardAt(run.pid) && endOf(run) + onTheWayMs >= killedAt),
  );
}

function tally(errors: readonly ErrandError[]): string {
  return [...Map.groupBy(errors, ({ code }) => code)].map(([code, all]) => `${code} ${all.length}`).join(", ");
}
