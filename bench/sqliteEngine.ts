/**
 * What the SQLite engine does by itself, below the broker: enqueue, claim and settle at synchronous=FULL.
 *
 *   node bench/sqliteEngine.ts [jobs] [folder] [first letters of a measure]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Claim, Engine, NewEvent, NewJob, Outcome } from "../src/core/engine.ts";
import { keepMs } from "../src/core/defaults.ts";
import { contentOf } from "../src/core/keys.ts";
import { subscriptionKey } from "../src/core/notes.ts";
import { realRuntime } from "../src/runtime/real.ts";
import { sqlite } from "../src/sqlite/index.ts";

const jobs = Number(process.argv[2] ?? 100_000);
const folder = mkdtempSync(join(process.argv[3] ?? tmpdir(), "errand-bench-"));
const runtime = realRuntime();
const leaseMs = 60_000;

async function main(): Promise<void> {
  for (const [name, run] of Object.entries(measures)) {
    if (process.argv[4] !== undefined && !name.startsWith(process.argv[4])) continue;
    const engine = sqlite(join(folder, `${name}.db`));
    await engine.open({ runtime });
    await run(engine, name);
    await engine.close();
  }
  rmSync(folder, { recursive: true, force: true });
}

type More = (id: string) => Partial<NewJob>;
const plain: More = () => ({});
/** A thousand lanes. */
const laneOf: More = (id) => ({ lane: { key: `noop[${Number.parseInt(id.slice(-4), 16) % 1_000}]`, width: 1, ifDead: "park" } });

const measures: Readonly<Record<string, (engine: Engine, name: string) => Promise<void>>> = {
  "enqueue-1": (engine, name) => enqueued(engine, name, Math.min(jobs, 5_000), 1),
  "enqueue-100": (engine, name) => enqueued(engine, name, jobs, 100),
  "enqueue-500": (engine, name) => enqueued(engine, name, jobs, 500),
  "enqueue-500-callers": (engine, name) => enqueued(engine, name, jobs, 500, 1),
  "enqueue-500-delayed": (engine, name) => enqueued(engine, name, jobs, 500, 500, () => ({ delayMs: 60_000 })),
  "enqueue-500-lanes": (engine, name) => enqueued(engine, name, jobs, 500, 500, laneOf),
  "enqueue-500-unique": (engine, name) => enqueued(engine, name, jobs, 500, 500, (id) => ({ unique: { key: id, mode: { is: "keep" } } })),
  "publish-500-to-2": (engine, name) => published(engine, name, jobs / 2, 500),
  "cycle-1": (engine, name) => cycled(engine, name, 1, Math.min(jobs, 5_000)),
  "cycle-100": (engine, name) => cycled(engine, name, 100),
  "cycle-500": (engine, name) => cycled(engine, name, 500),
  "cycle-1000": (engine, name) => cycled(engine, name, 1_000),
  "cycle-500-lanes": (engine, name) => cycled(engine, name, 500, jobs, laneOf),
};

/** `each`: how many jobs an atom holds. */
async function enqueued(engine: Engine, name: string, count: number, batch: number, each: number = batch, more: More = plain): Promise<void> {
  const batches = Array.from({ length: Math.ceil(count / batch) }, () => newJobs(batch, more));
  await timed(name, count, async () => {
    for (const works of batches) {
      const atoms = Array.from({ length: batch / each }, (_, at) => ({ works: works.slice(at * each, at * each + each) }));
      await engine.enqueue(atoms, {});
    }
  });
}

/** Counts the jobs that the events make. */
async function published(engine: Engine, name: string, events: number, batch: number): Promise<void> {
  const notes = ["a", "b"].map((subscription) => ({ key: subscriptionKey(subscription), value: JSON.stringify({ ...subscribed, name: subscription }) }));
  await engine.enqueue([{ works: [], notes }], {});
  const batches = Array.from({ length: Math.ceil(events / batch) }, () => Array.from({ length: batch }, newEvent));
  await timed(name, events * 2, async () => {
    for (const works of batches) await engine.enqueue([{ works }], {});
  });
}

async function cycled(engine: Engine, name: string, batch: number, count: number = jobs, more: More = plain): Promise<void> {
  for (let stored = 0; stored < count; stored += 500) await engine.enqueue([{ works: newJobs(500, more) }], {});
  let settling: readonly Outcome[] = [];
  let lastFence = 0;
  let done = 0;
  await timed(name, count, async () => {
    for (let hasMore = true; hasMore;) {
      const claim: Claim = {
        process: "bench",
        leaseMs,
        claim: runtime.id(),
        lastFence,
        queues: [{ queue: "default", slots: batch, ahead: 0 }],
        tasks: ["noop"],
        alone: "no",
        settling,
      };
      const claimed = await engine.claim(claim, {});
      lastFence = claimed.fence;
      done += claimed.settled.filter(({ is }) => is === "settled").length;
      settling = claimed.jobs.map(({ id }) => ({ id, claim: claim.claim, fence: claimed.fence, is: "completed", ranMs: 0 }));
      hasMore = settling.length > 0;
    }
  });
  if (done !== count) throw new Error(`${done} of ${count} were settled`);
}

async function timed(name: string, count: number, run: () => Promise<void>): Promise<void> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  await run();
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    `${name.padEnd(22)} ${Math.round((count / ms) * 1_000)
      .toLocaleString("en")
      .padStart(9)} jobs/s  ${((ms * 1_000) / count).toFixed(2).padStart(6)} µs each, ${((user + system) / count).toFixed(2)} µs of CPU`,
  );
}

const subscribed = { event: "order.placed", since: "now", task: "noop", queue: "default", headStartMs: 0, delayMs: 0, isMapped: false, keep: keepMs };

function newEvent(): NewEvent {
  const id = runtime.id();
  return { kind: "event", id, content: id, rememberMs: 0, name: "order.placed", payload: `{"orderId":"${id}"}` };
}

function newJobs(count: number, more: More): NewJob[] {
  return Array.from({ length: count }, () => {
    const id = runtime.id();
    const payload = `{"orderId":"${id}"}`;
    return {
      kind: "job",
      id,
      content: contentOf("noop", payload),
      rememberMs: 0,
      task: "noop",
      queue: "default",
      payload,
      headStartMs: 0,
      keep: keepMs,
      ...more(id),
    };
  });
}

await main();
