/**
 * `npm run bench:scale`: does anything grow with the backlog? Claim latency and counts with 1,000 and with 1,000,000 stored jobs,
 * with 100,000 of them behind a paused queue or of an unknown task; a worker's memory over a million jobs; an idle worker's cost;
 * enqueue to start across processes.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Claimed } from "../src/core/engine.ts";
import { broker, task, type Broker } from "../src/index.ts";
import { realRuntime } from "../src/runtime/real.ts";
import { sqlite } from "../src/sqlite/index.ts";
import { quantiles } from "./systems/system.ts";

const { values } = parseArgs({ options: { jobs: { type: "string", default: "1000000" }, only: { type: "string" } } });
const many = Number(values.jobs);

export const noop = task("noop", { run: (_input: { id: number }) => undefined });
const stranger = task("stranger", { run: (_input: { id: number }) => undefined });
const paused = task("paused", { queue: "paused", run: (_input: { id: number }) => undefined });

const parts: Readonly<Record<string, () => Promise<void>>> = { claims, memory, idle, across };
for (const [name, part] of Object.entries(parts)) if (values.only === undefined || values.only === name) await part();

async function claims(): Promise<void> {
  for (const [title, stored, fill] of [
    ["1,000 jobs", 1_000, noop],
    [`${many.toLocaleString("en-US")} jobs`, many, noop],
    ["100,000 of an unknown task and 1,000 others", 100_000, stranger],
    ["100,000 in a paused queue and 1,000 others", 100_000, paused],
  ] as const) {
    await inFolder(async (file) => {
      const work = broker(`sqlite:${file}`, { noop, stranger, paused });
      await enqueueMany(work, fill, stored);
      if (fill !== noop) await enqueueMany(work, noop, 1_000);
      await work.pause({ queue: "paused" });
      const count = await timed(200, () => work.count());
      await work.close();
      const claim = await claimTimes(file);
      console.log(`${title.padEnd(46)} claim of 10: p50 ${ms(claim["p50ms"])} p99 ${ms(claim["p99ms"])}   count: p50 ${ms(count["p50ms"])}`);
    });
  }
}

async function claimTimes(file: string): Promise<Record<string, number>> {
  const engine = sqlite(file);
  const runtime = realRuntime();
  await engine.open({ runtime });
  let held: Claimed | undefined;
  let claim = "";
  const times = await timed(100, async () => {
    const settling = (held?.jobs ?? []).map((job) => ({ id: job.id, claim, fence: held?.fence ?? 0, is: "completed" as const, ranMs: 0 }));
    claim = runtime.id();
    held = await engine.claim(
      {
        process: "bench",
        leaseMs: 60_000,
        claim,
        lastFence: held?.fence ?? 0,
        queues: [
          { queue: "default", slots: 10, ahead: 0 },
          { queue: "paused", slots: 10, ahead: 0 },
        ],
        tasks: ["noop", "paused"],
        alone: "no",
        settling,
      },
      {},
    );
  });
  await engine.close();
  return { ...times };
}

async function memory(): Promise<void> {
  await inFolder(async (file) => {
    const work = broker(`sqlite:${file}`, { noop });
    await enqueueMany(work, noop, many);
    const worker = await work.start({ queues: { default: 100 }, signals: false });
    const begin = performance.now();
    let next = many / 10;
    for (let done = 0; done < many;) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      done = (await work.count()).completed;
      if (done < next) continue;
      console.log(
        `${done.toLocaleString("en-US").padStart(10)} done  rss ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB  heap ${Math.round(process.memoryUsage().heapUsed / 2 ** 20)} MiB`,
      );
      next += many / 10;
    }
    console.log(
      `${many.toLocaleString("en-US")} jobs drained at ${Math.round(many / ((performance.now() - begin) / 1_000)).toLocaleString("en-US")}/s, completed jobs kept`,
    );
    await worker.stop();
    await work.close();
  });
}

async function idle(): Promise<void> {
  await inFolder(async (file) => {
    const child = await workerOn(file);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    child.send("cpu");
    const [before] = (await once(child, "message")) as [{ cpuMs: number }];
    const wal = statSync(`${file}-wal`);
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    child.send("cpu");
    const [after] = (await once(child, "message")) as [{ cpuMs: number }];
    const wrote = statSync(`${file}-wal`).mtimeMs !== wal.mtimeMs;
    console.log(`an idle worker process: ${((after.cpuMs - before.cpuMs) / 100).toFixed(2)} % of a core, ${wrote ? "writes" : "no writes"} in 10 s`);
    child.kill("SIGKILL");
  });
}

async function across(): Promise<void> {
  await inFolder(async (file) => {
    const work = broker(`sqlite:${file}`, { noop });
    await work.open();
    const child = await workerOn(file);
    const samples: number[] = [];
    for (let id = 0; id < 200; id++) {
      const begin = process.hrtime.bigint();
      await work.enqueue(noop.with({ id }));
      const [{ at }] = (await once(child, "message")) as [{ at: string }];
      samples.push(Number(BigInt(at) - begin) / 1e6);
      await new Promise((resolve) => setTimeout(resolve, 20 + (id % 17)));
    }
    const figures = quantiles(samples);
    console.log(`enqueue to start across processes, idle worker: p50 ${ms(figures["p50ms"])} p99 ${ms(figures["p99ms"])}`);
    child.kill("SIGKILL");
    await work.close();
  });
}

async function workerOn(file: string): Promise<ReturnType<typeof fork>> {
  const child = fork(new URL("./idleWorker.ts", import.meta.url), [file], { execArgv: ["--disable-warning=ExperimentalWarning"] });
  await once(child, "message");
  return child;
}

async function enqueueMany(work: Broker, of: typeof noop, jobs: number): Promise<void> {
  for (let at = 0; at < jobs; at += 10_000) await work.enqueue(Array.from({ length: Math.min(10_000, jobs - at) }, (_, index) => of.with({ id: at + index })));
}

async function timed(times: number, what: () => unknown): Promise<Readonly<Record<string, number>>> {
  const samples: number[] = [];
  for (let time = 0; time < times; time++) {
    const begin = performance.now();
    await what();
    samples.push(performance.now() - begin);
  }
  return quantiles(samples);
}

async function inFolder(use: (file: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "errand-scale-"));
  try {
    await use(join(folder, "scale.db"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function ms(value: number | undefined): string {
  return `${(value ?? Number.NaN).toFixed(2)} ms`;
}
