/** A Redis server of a test's own: with settings of its choice, killed and started again as it likes. */
import { execFile, spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { inRoot } from "../../scripts/root.ts";
import { freePort, isAlive } from "../postgres/privateServer.ts";
import { installation } from "./installations.ts";

export type Settings = Readonly<Record<string, string | number>>;

export interface ServerOptions {
  /** As in redis.conf. Without `appendonly` or `save` it keeps nothing on disk. */
  readonly settings?: Settings;
  /** It outlives this process; somebody else ends it. */
  readonly isShared?: boolean;
  /** Where the data lie; without it in a new folder that the server takes away with it. */
  readonly folder?: string;
  /** By TLS alone, with the certificate of `certificateFile`. */
  readonly isTls?: boolean;
  /** A free one, unless told otherwise. */
  readonly port?: () => Promise<number>;
}

/** It has issued itself. */
export const certificateFile: string = inRoot("test/redis/fixtures/certificate.pem");
const tlsFiles: Settings = {
  "tls-cert-file": certificateFile,
  "tls-key-file": inRoot("test/redis/fixtures/key.pem"),
  "tls-ca-cert-file": certificateFile,
  "tls-auth-clients": "no",
  "tls-replication": "yes",
};
const prefix = "errand-redis-";
/** A folder's name carries the process that will take it away. */
const foldersOf = (owner: string): string => path.join(tmpdir(), `${prefix}${owner}-*`);
const lookEveryMs = 5;
const startsWithinMs = 20_000;
const givenUpAfterMs = 1_000;
const startTries = 3;
const logLinesShown = 20;
const run = promisify(execFile);

export class PrivateServer implements AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly folder: string;
  readonly #command: string;
  readonly #settings: Settings;
  readonly #isTls: boolean;

  private constructor(command: string, folder: string, port: number, { settings = {}, isShared = false, isTls = false }: ServerOptions) {
    this.port = port;
    this.url = `${isTls ? "rediss" : "redis"}://127.0.0.1:${port}`;
    this.#isTls = isTls;
    this.folder = folder;
    this.#command = command;
    this.#settings = settings;
    if (!isShared) process.once("exit", this.#endNow);
  }

  static async start(options: ServerOptions = {}): Promise<PrivateServer> {
    const at = installation();
    if (at === undefined) throw new Error("no Redis server is installed here");
    const folder = options.folder ?? newFolder();
    for (let tried = 1; ; tried += 1) {
      const server = new PrivateServer(at.command, folder, await (options.port ?? freePort)(), options);
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

  /** Again, after `stop("keep")` or `kill()`: on the same port, with the data that are there. Resolves when it listens; it may be loading still. */
  async start(settings: Settings = {}): Promise<void> {
    const own: Settings = {
      ...(this.#isTls ? { ...tlsFiles, "tls-port": this.port, port: 0 } : { port: this.port }),
      bind: "127.0.0.1",
      dir: this.folder,
      daemonize: "yes",
      pidfile: this.#pidFile,
      logfile: this.#log,
      save: "",
      "repl-diskless-sync-delay": 0,
      ...this.#settings,
      ...settings,
    };
    rmSync(this.#pidFile, { force: true });
    await run(
      this.#command,
      Object.entries(own).flatMap(([name, value]) => [`--${name}`, ...String(value).split(" ")]),
    );
    for (let waitedMs = 0; waitedMs < startsWithinMs; waitedMs += lookEveryMs) {
      if (this.isRunning && (await listens(this.port))) return;
      if (waitedMs > givenUpAfterMs && !this.isRunning) break;
      await setTimeout(lookEveryMs);
    }
    throw new Error(`the server did not start:\n${lastLines(this.#log)}`);
  }

  /** One command, on a connection of its own. */
  async ask(...command: readonly string[]): Promise<unknown> {
    const [name = "", ...args] = command;
    const client = new Redis(this.url, { maxRetriesPerRequest: 1, enableReadyCheck: false, ...this.secrets });
    client.on("error", () => undefined);
    try {
      return await client.call(name, args);
    } finally {
      client.disconnect();
    }
  }

  /** A server that follows this one. Resolves when it has what this one has. `through`: the way to this one. */
  async replica(through: string = this.url, settings: Settings = {}): Promise<PrivateServer> {
    const { hostname, port } = new URL(through);
    const replica = await PrivateServer.start({ settings: { ...this.#settings, replicaof: `${hostname} ${port}`, ...settings } });
    for (let waitedMs = 0; waitedMs < startsWithinMs; waitedMs += lookEveryMs) {
      if (String(await replica.ask("info", "replication")).includes("master_link_status:up")) return replica;
      await setTimeout(lookEveryMs);
    }
    throw new Error("the replica does not follow");
  }

  /** Of a replica: it has all that its master has written until now. */
  async caughtUp(master: PrivateServer): Promise<void> {
    const offset = Number(/master_repl_offset:(\d+)/.exec(String(await master.ask("info", "replication")))?.[1]);
    const has = async (): Promise<number> => Number(/slave_repl_offset:(\d+)/.exec(String(await this.ask("info", "replication")))?.[1]);
    for (let waitedMs = 0; waitedMs < startsWithinMs; waitedMs += lookEveryMs) {
      if ((await has()) >= offset) return;
      await setTimeout(lookEveryMs);
    }
    throw new Error("the replica does not follow");
  }

  /** A copy of what is on the disk now, to be laid back by `rollBack`. */
  snapshot(): string {
    const copy = mkdtempSync(path.join(tmpdir(), `${prefix}${process.pid}-copy-`));
    cpSync(this.folder, copy, { recursive: true });
    return copy;
  }

  /** While it is stopped: what it had on its disk then. */
  rollBack(copy: string): void {
    rmSync(this.folder, { recursive: true, force: true });
    cpSync(copy, this.folder, { recursive: true });
    rmSync(copy, { recursive: true, force: true });
    rmSync(this.#log, { force: true });
  }

  /** "keep": as an administrator does. "remove": with its data, which it need not write before. */
  async stop(data: "remove" | "keep" = "remove"): Promise<void> {
    await this.#end(data === "keep" ? "SIGTERM" : "SIGKILL");
    if (data === "keep") return;
    process.removeListener("exit", this.#endNow);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** As a crash does: in the midst of what it does. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** It hangs until then: it takes connections, and answers nothing. */
  pause(): { resume(): void } {
    const pid = this.#pid;
    if (pid === undefined) throw new Error("the server does not run");
    process.kill(pid, "SIGSTOP");
    return { resume: () => void process.kill(pid, "SIGCONT") };
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const pid = this.#pid;
    if (pid !== undefined) process.kill(pid, signal);
    while (this.isRunning) await setTimeout(lookEveryMs);
    rmSync(this.#log, { force: true });
  }

  get isRunning(): boolean {
    return this.#pid !== undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #pid(): number | undefined {
    return pidIn(this.folder);
  }

  /** What a client needs to be let in, in its driver's words. */
  get secrets(): { readonly password?: string; readonly tls?: { readonly ca: string } } {
    const password = this.#settings["requirepass"];
    return { ...(password !== undefined && { password: String(password) }), ...(this.#isTls && { tls: { ca: readFileSync(certificateFile, "utf8") } }) };
  }

  get #pidFile(): string {
    return path.join(this.folder, "pid");
  }

  get #log(): string {
    return path.join(this.folder, "log");
  }

  readonly #endNow = (): void => endServerIn(this.folder);
}

/** Ends the server at once and takes its data away. */
export function endServerIn(folder: string): void {
  const pid = pidIn(folder);
  if (pid !== undefined) process.kill(pid, "SIGKILL");
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
    return { folder, isMine: true };
  } catch (error) {
    if (!existsSync(folder)) throw error;
    return { folder, isMine: false };
  }
}

function folderSharedBy(owner: number): string {
  return path.join(tmpdir(), `${prefix}${owner}-shared`);
}

function newFolder(): string {
  return mkdtempSync(path.join(tmpdir(), `${prefix}${process.pid}-`));
}

function pidIn(folder: string): number | undefined {
  const file = path.join(folder, "pid");
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, "utf8"));
  // A dead one that nobody buries yet is no server; and the number may be somebody else's by now.
  const { stdout } = spawnSync("ps", ["-o", "stat=,command=", "-p", String(pid)], { encoding: "utf8" });
  return pid > 0 && /^[^Z].*-server/.test(stdout ?? "") ? pid : undefined;
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  const does = await promise;
  socket.destroy();
  return does;
}

function lastLines(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(-logLinesShown).join("\n") : "";
}
