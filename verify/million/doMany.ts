/** Hands in so many jobs, lets workers do them, and counts how often each was started. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inRoot } from "../../scripts/root.ts";
import { broker, type Broker } from "../../src/index.ts";
import { memory } from "../../src/memory/index.ts";
import { countingInto } from "./counted.ts";

export interface Many {
  readonly jobs: number;
  readonly workers: number;
  readonly tell: (line: string) => void;
}
export interface Done {
  readonly jobs: number;
  readonly lost: number;
  /** Jobs that were started more than once. */
  readonly duplicates: number;
  readonly left: number;
  readonly seconds: number;
}

const perCall = 1_000;
const lookEveryMs = 250;
/** No job ends for so long: they will not. */
const stuckMs = 120_000;

export async function doMany(store: string, many: Many): Promise<Done> {
  const begun = performance.now();
  const starts = new Uint8Array(many.jobs);
  const left = store === "memory" ? await here(starts, many) : await byProcesses(store, starts, many);
  const seconds = Math.round((performance.now() - begun) / 1_000);
  return { jobs: many.jobs, lost: starts.filter((count) => count === 0).length, duplicates: starts.filter((count) => count > 1).length, left, seconds };
}

/** Worker and producer share a process where no other can see the store. */
async function here(starts: Uint8Array, many: Many): Promise<number> {
  const counted = countingInto(starts);
  const work = broker(memory(), { counted });
  const worker = await work.start({ queues: { default: 100 }, signals: false });
  await handIn(work, counted, many);
  const left = await untilDone(work, many);
  await worker.stop();
  await work.close();
  return left;
}

async function byProcesses(store: string, starts: Uint8Array, many: Many): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), "errand-million-"));
  const counted = countingInto(new Uint8Array(many.jobs));
  const work = broker(store, { counted });
  await work.open();
  const files = Array.from({ length: many.workers }, (_, nth) => path.join(folder, `starts${nth}`));
  const children = files.map((file) => fork(inRoot("verify/million/workerMain.ts"), [store, String(many.jobs), file], { execArgv: process.execArgv }));
  try {
    await Promise.all(children.map((child) => once(child, "message")));
    await handIn(work, counted, many);
    const left = await untilDone(work, many);
    await Promise.all(children.map(ended));
    for (const file of files) for (const [n, count] of readFileSync(file).entries()) starts[n] = Math.min(255, (starts[n] ?? 0) + count);
    return left;
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await work.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function handIn(work: Broker, counted: ReturnType<typeof countingInto>, { jobs, tell }: Many): Promise<void> {
  for (let n = 0; n < jobs; n += perCall) {
    await work.enqueue(Array.from({ length: Math.min(perCall, jobs - n) }, (_, nth) => counted.with({ n: n + nth })));
    if (n > 0 && n % 100_000 === 0) tell(`${n} handed in`);
  }
  tell(`all ${jobs} handed in`);
}

/** How many have not ended. */
async function untilDone(work: Broker, { tell }: Many): Promise<number> {
  let fewest = { left: Number.POSITIVE_INFINITY, at: performance.now() };
  for (;;) {
    const { scheduled, blocked, ready, running } = await work.count();
    const left = scheduled + blocked + ready + running;
    if (left === 0 || performance.now() - fewest.at > stuckMs) return left;
    if (left < fewest.left) fewest = { left, at: performance.now() };
    if (left % 20 === 0) tell(`${left} left`);
    await sleep(lookEveryMs);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  child.send("end");
  await exit;
}
