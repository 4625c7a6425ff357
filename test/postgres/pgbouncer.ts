/** PgBouncer before a server, in transaction mode: each transaction gets one of two connections. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { accountToRunAs, freePort, newFolder } from "./privateServer.ts";

const appsSuffix = "_apps";
const places = ["/usr/sbin/pgbouncer", "/usr/local/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"];
const named = process.env["PGBOUNCER"];
const file = (named === undefined ? places : [named]).find((place) => existsSync(place));
const poolSize = 2;
/** Tests keep several transactions of the app open, each with a connection of the server. */
const appsPoolSize = 20;
/** It ends with this process, however that ends: its standard input is closed then. */
const endingWithUs = '"$0" "$1" & exec 2>/dev/null; cat >/dev/null; kill -KILL $!; wait';

/** Why nothing can be tested behind it here; undefined if it can. */
export const pgBouncerMissing: string | undefined =
  file === undefined
    ? `PgBouncer is not installed here; it is looked for ${named === undefined ? `in ${places.join(", ")}, or where PGBOUNCER says` : `at ${named}, as PGBOUNCER says`}`
    : undefined;

export class PgBouncer implements AsyncDisposable {
  /** The database's URL, through the pooler. */
  readonly url: string;
  /** The same database, in a pool of its own: for an app that keeps transactions open. */
  readonly appsUrl: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    const apps = new URL(url);
    apps.pathname = `${apps.pathname}${appsSuffix}`;
    this.appsUrl = apps.href;
    this.#child = child;
    this.#folder = folder;
  }

  static async before(url: string): Promise<PgBouncer> {
    if (file === undefined) throw new Error(pgBouncerMissing);
    const folder = newFolder();
    const port = await freePort();
    writeFileSync(path.join(folder, "users"), `"${new URL(url).username}" ""\n`);
    writeFileSync(path.join(folder, "ini"), settings(new URL(url), port, folder));
    const child = spawn("/bin/sh", ["-c", endingWithUs, file, path.join(folder, "ini")], {
      ...accountToRunAs(),
      cwd: folder,
      stdio: ["pipe", "ignore", "pipe"],
    });
    await isUp(child);
    const own = new URL(url);
    own.host = `127.0.0.1:${port}`;
    return new PgBouncer(own.href, child, folder);
  }

  /** Keeps no process alive that has nothing else to do. */
  unref(): void {
    this.#child.unref();
    process.once("exit", () => rmSync(this.#folder, { recursive: true, force: true }));
    for (const pipe of [this.#child.stdin, this.#child.stderr]) (pipe as Socket).unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.stdin?.end();
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Roles that a test makes are asked for. */
function settings({ username, hostname, port: serverPort, pathname }: URL, port: number, folder: string): string {
  const name = pathname.slice(1);
  return `[databases]
${name}${appsSuffix} = host=${hostname} port=${serverPort || 5432} dbname=${name} pool_size=${appsPoolSize}
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
query_wait_timeout = 30
server_login_retry = 1
auth_user = ${username}
auth_query = SELECT usename, coalesce(passwd, '') FROM pg_catalog.pg_shadow WHERE usename = $1
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
