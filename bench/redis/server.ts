/** The server that is measured: each answer has one of its own, on a free port of this machine, with a folder on a disk; it ends with the answer. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statfsSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { durabilities, type Durability } from "./durability.ts";

/** redis-server or valkey-server; another one where this names it. */
const program = process.env["REDIS_SERVER"] ?? "redis-server";
const startsMax = 3;
const readyWithinMs = 5_000;
const lookEveryMs = 20;
/** In memory: an fsync there is none. */
const tmpfs = 0x01021994;
const folderName = /^errand-bench-redis-(\d+)-/;

/** In a line, for the report; undefined and a complaint if there is no server to start. */
export async function serverFacts(durability: Durability | undefined): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, ["--version"]);
    const version = /v=(\S+)/.exec(stdout)?.[1] ?? stdout.trim();
    return `Redis ${version}, a server for each answer, ${durability ?? "without an append-only file where a question says no other"}`;
  } catch (error) {
    console.error(`Redis is not measured: ${error instanceof Error ? error.message : String(error)}; name a redis-server in REDIS_SERVER`);
    return undefined;
  }
}

/** Servers of runs that were killed, with their folders. */
export function endLeftovers(): void {
  for (const name of readdirSync(root()).filter((entry) => folderName.test(entry))) {
    if (isAlive(Number(folderName.exec(name)?.[1]))) continue;
    const folder = join(root(), name);
    for (const pid of processes()) if (folderOf(pid) === folder) process.kill(Number(pid));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** On a new server, which ends whatever happens. */
export async function onServer<T>(durability: Durability, use: (url: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(root(), `errand-bench-redis-${process.pid}-`));
  let server: ChildProcess | undefined;
  const end = (): void => void server?.kill("SIGKILL");
  process.once("exit", () => {
    end();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  try {
    for (let start = 1; ; start++) {
      const port = await freePort();
      server = spawn(program, ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, ...durabilities[durability]], { stdio: "ignore" });
      if (await isReady(server, port)) return await use(`redis://127.0.0.1:${port}`);
      if (start === startsMax) throw new Error(`${program} does not start`);
    }
  } finally {
    if (server?.exitCode === null) {
      end();
      await once(server, "exit");
    }
  }
}

/** False if it ended: somebody else was faster with the port. */
async function isReady(server: ChildProcess, port: number): Promise<boolean> {
  const client = new Redis({ host: "127.0.0.1", port, lazyConnect: true, retryStrategy: () => null });
  client.on("error", () => undefined);
  for (const until = performance.now() + readyWithinMs; performance.now() < until && server.exitCode === null;) {
    try {
      await client.connect();
      return server.exitCode === null;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    } finally {
      client.disconnect();
    }
  }
  server.kill("SIGKILL");
  return false;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** The usual folder for what is temporary, unless that is in memory. */
function root(): string {
  return statfsSync(tmpdir()).type === tmpfs ? "/var/tmp" : tmpdir();
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** None where there is no /proc to tell. */
function processes(): readonly string[] {
  return existsSync("/proc") ? readdirSync("/proc").filter((entry) => /^\d+$/.test(entry)) : [];
}

function folderOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}
