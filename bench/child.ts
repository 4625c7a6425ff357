/** One system, one question, one fresh file, database or server: prints its figures as a line of JSON. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systems } from "./systems.ts";
import type { Asked, Figures, Question, Store } from "./systems/system.ts";

const [name, question, jobs, asked = "{}"] = process.argv.slice(2);
const system = await systems[name ?? ""]?.();
const answer = system?.answers[question as Question];
if (system === undefined || answer === undefined) throw new Error(`${name} does not answer ${question}`);
const how = JSON.parse(asked) as Asked;
const answered = (store: string): Promise<Figures> => answer(store, Number(jobs), how);
const inStore: Readonly<Record<Store, (use: (store: string) => Promise<Figures>) => Promise<Figures>>> = {
  sqlite: inFile,
  postgres: inDatabase,
  redis: onServer,
};

const before = process.cpuUsage();
const figures = await inStore[system.store ?? "sqlite"](answered);
const cpu = process.cpuUsage(before);
console.log(JSON.stringify({ ...figures, cpuSeconds: (cpu.user + cpu.system) / 1e6, peakMiB: process.resourceUsage().maxRSS / 1_024 }));
process.exit(0);

async function inFile(use: (file: string) => Promise<Figures>): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "errand-bench-"));
  try {
    return await use(join(folder, "bench.db"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** With what the server did all in all, and for others: the gate for busy machines asks. */
async function inDatabase(use: (url: string) => Promise<Figures>): Promise<Figures> {
  const [{ grown, Meter }, server] = await Promise.all([import("./postgres/meter.ts"), import("./postgres/server.ts")]);
  return await server.inDatabase(async (url) => {
    const meter = await Meter.on(url);
    const [seconds, commits, begin] = [await meter.serverSeconds(), await meter.foreignCommits(), performance.now()];
    const figures = await use(url);
    const [secondsAfter, commitsAfter, elapsedMs] = [await meter.serverSeconds(), await meter.foreignCommits(), performance.now() - begin];
    await meter.close();
    return { ...figures, serverSeconds: secondsAfter - seconds, foreignCommitsPerSecond: grown(commits, commitsAfter) / (elapsedMs / 1_000) };
  });
}

/** With what the server did all in all. */
async function onServer(use: (url: string) => Promise<Figures>): Promise<Figures> {
  const { Meter } = await import("./redis/meter.ts");
  const on = system?.on === "cluster" ? (await import("./redis/cluster.ts")).onCluster : (await import("./redis/server.ts")).onServer;
  return await on(how.durability ?? "memory", async (url) => {
    const figures = await use(url);
    const meter = await Meter.on(url);
    const serverSeconds = await meter.serverSeconds();
    await meter.close();
    return { ...figures, serverSeconds };
  });
}
