/** One run on each engine, two at a time, each in a process of its own: one that stands still must not hold up the other. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const engines = ["redis-cluster", "postgres", "sqlite", "redis"] as const;
const atOnce = 2;
const seconds = "60";

/** The worst exit code of all. */
export async function runForCi(seed: string): Promise<number> {
  const left: string[] = [...engines];
  let worst = 0;
  const work = async (): Promise<void> => {
    for (let topology = left.shift(); topology !== undefined; topology = left.shift()) worst = Math.max(worst, await one(topology, seed));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return worst;
}

async function one(topology: string, seed: string): Promise<number> {
  const args = [fileURLToPath(new URL("main.ts", import.meta.url)), "--topology", topology, "--seconds", seconds, "--seed", seed, "--quiet", "--keep-broken"];
  const child = spawn(process.execPath, [...process.execArgv, ...args], { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 2;
}
