/** A worker process beside the bench: `node workerProcess.ts system url how`. Tells what it ran; is told when to start and to stop. */
import { instant } from "./instant.ts";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { postgresSystems } from "./postgres/systems.ts";
import { redisSystems } from "./redis/systems.ts";
import { sqliteSystems } from "./sqlite/systems.ts";
import { distribution, type Figures } from "./systems/system.ts";
import type { How, WorkingSystem } from "./working.ts";

export type Told = { readonly is: "ready" } | { readonly is: "ran"; readonly runs: number } | { readonly is: "started"; readonly at: string } | Spent;
export interface Spent {
  readonly is: "spent";
  readonly cpuSeconds: number;
  /** Of what started since this was asked last. */
  readonly delays?: Figures;
  /** What is left after garbage was collected, if this was asked. */
  readonly heapBytes?: number;
}
export type Said = "start" | "spent" | "delays" | "heap" | "stop";

const tellEveryMs = 5;
const microsecondsPerMs = 1_000;
const [name = "", url = "", asked = "{}"] = process.argv.slice(2);
const how = JSON.parse(asked) as How;
let runs = 0;
let runsTold = 0;
let delays: number[] = [];

const systems: Readonly<Record<string, () => Promise<WorkingSystem>>> = { ...sqliteSystems, ...postgresSystems, ...redisSystems };
const system = await systems[name]?.();
if (system === undefined) throw new Error(`there is no system ${name}`);
const worker = await system.work(url, how, (id) => {
  runs++;
  if (how.isTimed) delays.push((instant() - id) / microsecondsPerMs);
  if (how.isTold) tell({ is: "started", at: String(process.hrtime.bigint()) });
  if (how.isHeld) return new Promise(() => undefined);
  return how.waitMs === 0 ? undefined : new Promise((resolve) => setTimeout(resolve, how.waitMs));
});
process.on("message", (said: Said) => void obey(said));
process.on("disconnect", () => process.exit(1));
setInterval(tellRuns, tellEveryMs);
tell({ is: "ready" });

async function obey(said: Said): Promise<void> {
  if (said === "start") await worker.start();
  if (said === "stop") await worker.stop();
  tellRuns();
  const { user, system: ofKernel } = process.cpuUsage();
  tell({
    is: "spent",
    cpuSeconds: (user + ofKernel) / 1e6,
    ...(said === "delays" && { delays: delaysSoFar() }),
    ...(said === "heap" && { heapBytes: heapBytes() }),
  });
}

function delaysSoFar(): Figures {
  const figures = distribution(delays);
  delays = [];
  return figures;
}

function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function tellRuns(): void {
  if (runs === runsTold) return;
  runsTold = runs;
  tell({ is: "ran", runs });
}

function tell(told: Told): void {
  process.send?.(told);
}
