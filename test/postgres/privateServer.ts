/** A PostgreSQL server of a test's own: with settings of its choice, killed and started again as it likes. */
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { installation } from "./installations.ts";
import type { Installation } from "./installations.ts";

export interface ServerOptions {
  /** The major one; without it the newest on this machine. */
  readonly version?: number;
  /** As in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Whether a commit is on disk when it is acknowledged, so that the data outlive a crash of the machine. @default true */
  readonly isDurable?: boolean;
  /** It outlives this process; somebody else ends it. */
  readonly isShared?: boolean;
  /** Where the data lie; without it in a new folder that the server takes away with it. */
  readonly folder?: string;
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

const prefix = "errand-postgres-";
/** A folder's name carries the process that will take it away. */
const foldersOf = (owner: string): string => path.join(tmpdir(), `${prefix}${owner}-*`);
const lookEveryMs = 5;
const startTries = 3;
const logLinesShown = 20;
const run = promisify(execFile);

export class PrivateServer implements AsyncDisposable {
  readonly version: number;
  readonly port: number;
  readonly url: string;
  readonly folder: string;
  readonly #bin: string;
  readonly #settings: readonly string[];
  readonly #options: ServerOptions;

  private constructor(at: Installation, folder: string, port: number, options: ServerOptions) {
    const { settings = {}, isDurable = true, isShared = false } = options;
    this.version = at.version;
    this.port = port;
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    this.folder = folder;
    this.#bin = at.bin;
    this.#options = options;
    const own = { port, listen_addresses: "127.0.0.1", unix_socket_directories: "", ...(!isDurable && { fsync: "off" }), ...settings };
    this.#settings = Object.entries(own).map(([name, value]) => `-c ${name}='${value}'`);
    if (!isShared) process.once("exit", this.#endNow);
  }

  static async start(options: ServerOptions = {}): Promise<PrivateServer> {
    const at = installation(options.version);
    if (at === undefined) throw new Error(`no PostgreSQL ${options.version ?? "server"} is installed here`);
    const folder = options.folder ?? newFolder();
    await runAsAccount(path.join(at.bin, "initdb"), ["-D", dataIn(folder), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
    return PrivateServer.#startIn(folder, at, options);
  }

  /** With data that are there. */
  static async #startIn(folder: string, at: Installation, options: ServerOptions): Promise<PrivateServer> {
    for (let tried = 1; ; tried += 1) {
      const server = new PrivateServer(at, folder, await freePort(), options);
      try {
        await server.start();
        return server;
      } catch (error) {
        // Somebody else may have taken the port meanwhile.
        if (tried < startTries) continue;
        await server.stop();
        throw error;
      }
    }
  }

  /** A server that follows this one, as a replica that can be read. This one is stopped for a moment: its data are copied cold. `through`: the way to this one. */
  async standby({ name, through }: { readonly name: string; readonly through: string }): Promise<PrivateServer> {
    await this.stop("keep");
    const folder = newFolder();
    await runAsAccount("cp", ["-R", "-p", this.#data, dataIn(folder)]);
    writeFileSync(path.join(dataIn(folder), "standby.signal"), "");
    await this.start();
    const { hostname, port, username } = new URL(through);
    const settings = { ...this.#options.settings, primary_conninfo: `host=${hostname} port=${port} user=${username} application_name=${name}` };
    return PrivateServer.#startIn(folder, { version: this.version, bin: this.#bin }, { ...this.#options, settings });
  }

  /** It follows nobody any more, and can be written when this resolves. */
  async promote(): Promise<void> {
    await runAsAccount(this.#pgCtl, ["promote", "-w", "-D", this.#data]);
  }

  /** Again, after `stop("keep")` or `kill()`: on the same port, with the same data. */
  async start(): Promise<void> {
    const log = path.join(this.folder, "log");
    try {
      await runAsAccount(this.#pgCtl, ["start", "-w", "-D", this.#data, "-l", log, "-o", this.#settings.join(" ")]);
    } catch (error) {
      throw new Error(`the server did not start:\n${lastLines(log)}`, { cause: error });
    }
  }

  /** As an administrator does: what is running is aborted, all else is written. */
  async stop(data: "remove" | "keep" = "remove"): Promise<void> {
    if (this.isRunning) await runAsAccount(this.#pgCtl, ["stop", "-w", "-m", "fast", "-D", this.#data]);
    if (data === "keep") return;
    process.removeListener("exit", this.#endNow);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** As a crash does: each of its processes by SIGKILL, in the midst of what it does. */
  async kill(): Promise<void> {
    killTree(postmasterOf(this.folder));
    while (this.isRunning) await setTimeout(lookEveryMs);
    // Where nobody buries dead processes, the next server would take this one for alive.
    rmSync(path.join(this.#data, "postmaster.pid"), { force: true });
  }

  get isRunning(): boolean {
    return postmasterOf(this.folder) !== undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #data(): string {
    return dataIn(this.folder);
  }

  get #pgCtl(): string {
    return path.join(this.#bin, "pg_ctl");
  }

  readonly #endNow = (): void => endServerIn(this.folder);
}

/** Ends the server at once and takes its data away. */
export function endServerIn(folder: string): void {
  killTree(postmasterOf(folder));
  rmSync(folder, { recursive: true, force: true });
}

/** Ends and removes what runs that were killed have left behind. */
export function removeLeftovers(): void {
  for (const folder of globSync(foldersOf("*"))) {
    const owner = Number(path.basename(folder).slice(prefix.length).split("-")[0]);
    if (!isAlive(owner)) endServerIn(folder);
  }
}

/** Ends the server that the processes of a run shared, if they started one. */
export function endSharedServer(owner: number): void {
  endServerIn(folderSharedBy(owner));
}

/** The folder of the server that all processes of a run share. The first one that asks is to start it. */
export function folderShared(owner: number): { readonly folder: string; readonly isMine: boolean } {
  const folder = folderSharedBy(owner);
  try {
    mkdirSync(folder);
    giveToAccount(folder);
    return { folder, isMine: true };
  } catch (error) {
    if (!existsSync(folder)) throw error;
    return { folder, isMine: false };
  }
}

/** Runs it as somebody who may run a server: PostgreSQL and PgBouncer refuse root. */
export function accountToRunAs(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  const found = ["postgres", "nobody"].map((name) => lines.find((line) => line.startsWith(`${name}:`))).find((line) => line !== undefined);
  const [, , uid = "65534", gid = "65534"] = found?.split(":") ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

function folderSharedBy(owner: number): string {
  return path.join(tmpdir(), `${prefix}${owner}-shared`);
}

export function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), `${prefix}${process.pid}-`));
  giveToAccount(folder);
  return folder;
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  probe.once("error", reject).listen(0, "127.0.0.1", resolve);
  await promise;
  const { port } = probe.address() as AddressInfo;
  await new Promise((closed) => probe.close(closed));
  return port;
}

function dataIn(folder: string): string {
  return path.join(folder, "data");
}

function giveToAccount(folder: string): void {
  const account = accountToRunAs();
  chmodSync(folder, 0o755);
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
}

async function runAsAccount(command: string, args: readonly string[]): Promise<void> {
  // In a folder that this account may enter, else PostgreSQL complains.
  await run(command, args, { ...accountToRunAs(), cwd: tmpdir(), env: { ...process.env, LC_ALL: "C", PGTZ: "UTC" } });
}

function postmasterOf(folder: string): number | undefined {
  const file = path.join(dataIn(folder), "postmaster.pid");
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, "utf8").split("\n")[0]);
  // The number may be somebody else's by now.
  const { stdout } = spawnSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
  return stdout?.includes(folder) ? pid : undefined;
}

/** Each backend is in a process group of its own, so they are told by their parent. */
function killTree(postmaster: number | undefined): void {
  if (postmaster === undefined) return;
  const processes = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const children = processes.flatMap(([pid = 0, parent]) => (parent === postmaster ? [pid] : []));
  for (const pid of [postmaster, ...children]) killProcess(pid);
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function lastLines(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(-logLinesShown).join("\n") : "";
}
