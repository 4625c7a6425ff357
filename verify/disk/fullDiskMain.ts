/**
 * Fills the disk that a store is on, with a worker in the midst of its jobs, makes room again, and tells as JSON what it saw. Arguments: the folder, a file system of its
 * own that is small.
 */
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { broker, ErrandError, task } from "../../src/index.ts";
import { damageOf } from "./fingerprint.ts";
import { Database } from "../../test/sqlite/bench.ts";

export interface FullDisk {
  readonly acknowledged: number;
  /** Acknowledged, and not there at the end. */
  readonly missing: number;
  /** How calls were refused: by code, and how definite. */
  readonly refusals: Readonly<Record<string, number>>;
  /** There although it was called definite that they are not. */
  readonly falselyDefinite: number;
  /** How many of the jobs that ended on the full disk were settled while it was full, and once there was room. */
  readonly settledWhileFull: number;
  readonly settled: number;
  readonly runs: number;
  /** What the worker and the engine said of it. */
  readonly warnings: readonly string[];
  /** Whether what was refused could be handed in again by the very same call. */
  readonly storedAgain: number;
  readonly cutShort: boolean;
  readonly damage: string;
}

const [folder = ""] = process.argv.slice(2);
const file = path.join(folder, "work.db");
const ballast = path.join(folder, "ballast");
const ballastBytes = 1.5 * 1_024 * 1_024;
const held = 4;
const refusalsWanted = 30;
const attemptsMax = 20_000;
const payload = "x".repeat(4_000);

const warnings = new Set<string>();
const warn = (details: object, message: string): void => void warnings.add(`${message} ${String((details as { err?: unknown }).err ?? "")}`);
const log = { debug: () => undefined, info: () => undefined, warn, error: warn };

let runs = 0;
let release: () => void = () => undefined;
const released = new Promise<void>((resolve) => (release = resolve));
const holding = task("holding", {
  run: async (_: { n: number }) => {
    runs += 1;
    await released;
  },
});
const waiting = task("waiting", { queue: "later", run: async (_: { n: number; text: string }) => undefined });

const work = broker({ store: `sqlite:${file}`, log }, { holding, waiting });
await work.open();
writeFileSync(ballast, Buffer.alloc(ballastBytes, 1));
const worker = await work.start({ queues: { default: held } });
await work.enqueue(Array.from({ length: held }, (_, n) => holding.with({ n })));
await until(() => runs === held);

const acknowledged: string[] = [];
const refused: ErrandError[] = [];
for (let n = 0; refused.length < refusalsWanted && n < attemptsMax; n += 1) {
  // Large ones first, then some that may still find a place.
  const text = payload.slice(0, Math.max(1, payload.length >> refused.length));
  try {
    acknowledged.push((await work.enqueue(waiting.with({ n, text }))).id);
  } catch (error) {
    if (!ErrandError.is(error)) throw error;
    refused.push(error);
  }
}
const stored = await idsOf();
const falselyDefinite = stored.size - held - acknowledged.length;

release();
await until(async () => [...warnings].some((said) => said.includes("refuses to answer")) || (await work.count()).completed === held);
const settledWhileFull = (await work.count()).completed;

rmSync(ballast);
await until(async () => (await work.count()).completed === held);
for (const error of refused) acknowledged.push(((await error.again()) as { readonly id: string }).id);
const settled = (await work.count()).completed;
await worker.stop();
await work.close();

const app = new Database(file, { timeout: 0 });
const ids = new Set(
  app
    .prepare("SELECT id FROM errand_jobs")
    .all()
    .map((row) => (row as { id: string }).id),
);
const told: FullDisk = {
  acknowledged: acknowledged.length,
  missing: acknowledged.filter((id) => !ids.has(id)).length,
  refusals: countsOf(refused),
  falselyDefinite,
  settledWhileFull,
  settled,
  runs,
  warnings: [...warnings],
  storedAgain: refused.length,
  cutShort: refused.length < refusalsWanted,
  damage: damageOf(app),
};
app.close();
console.log(JSON.stringify(told));

async function idsOf(): Promise<Set<string>> {
  const ids = new Set<string>();
  for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const page = await work.list({}, { limit: 1_000, ...(after !== undefined && { after }) });
    for (const { id } of page.jobs) ids.add(id);
    after = page.next;
  }
  return ids;
}

function countsOf(errors: readonly ErrandError[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code, isDefinite } of errors) {
    const what = `${code}, ${isDefinite ? "definite" : "indefinite"}`;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 60_000;
  while (!(await isTrue())) {
    if (performance.now() > giveUpAt) throw new Error(`it did not come to that; ${[...warnings].join("; ")}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
