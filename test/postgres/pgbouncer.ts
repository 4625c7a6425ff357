/** PgBouncer before a server, in transaction mode: each transaction gets one of two connections. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { accountToRunAs, freePort, newFolder } from "./privateServer.ts";

const places = ["/usr/sbin/pgbouncer", "/usr/local/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"];
const file = process.env["PGBOUNCER"] ?? places.find((place) => existsSync(place));
const poolSize = 2;

/** Why nothing can be tested behind it here; undefined if it can. */
export const pgBouncerMissing: string | undefined =
  file === undefined ? `PgBouncer is not installed here; it is looked for in ${places.join(", ")}, and under the name in PGBOUNCER` : undefined;

export class PgBouncer implements AsyncDisposable {
  /** The database's URL, through the pooler. */
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    this.#child = child;
    this.#folder = folder;
  }

  static async before(url: string): Promise<PgBouncer> {
    if (file === undefined) throw new Error(pgBouncerMissing);
    const folder = newFolder();
    const port = await freePort();
    writeFileSync(path.join(folder, "users"), `"${new URL(url).username}" ""\n`);
    writeFileSync(path.join(folder, "ini"), settings(new URL(url), port, folder));
    const child = spawn(file, [path.join(folder, "ini")], { ...accountToRunAs(), cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    await isUp(child);
    const own = new URL(url);
    own.host = `127.0.0.1:${port}`;
    return new PgBouncer(own.href, child, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function settings({ hostname, port: serverPort }: URL, port: number, folder: string): string {
  return `[databases]
* = host=${hostname} port=${serverPort || 5432}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${path.join(folder, "users")}
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 200
`;
}

async function isUp(child: ChildProcess): Promise<void> {
  const said: string[] = [];
  if (child.stderr === null) throw new Error("it has no log");
  for await (const line of createInterface({ input: child.stderr })) {
    if (line.includes("process up")) return child.stderr.resume() && undefined;
    said.push(line);
  }
  throw new Error(`PgBouncer did not start:\n${said.join("\n")}`);
}
