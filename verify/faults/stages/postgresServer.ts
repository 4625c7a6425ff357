/** What is done to a PostgreSQL server from outside. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import pg from "pg";
import type { PrivateServer } from "../../../test/postgres/privateServer.ts";

export async function onServer<R extends pg.QueryResultRow>(url: string, sql: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<R>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** All its processes stand still until they are let go on. */
export function pausePostgres({ folder }: PrivateServer): () => void {
  const postmaster = Number(readFileSync(path.join(folder, "data", "postmaster.pid"), "utf8").split("\n")[0]);
  const paused = [postmaster, ...childrenOf(postmaster)].filter((pid) => signalled(pid, "SIGSTOP"));
  return () => {
    for (const pid of paused) signalled(pid, "SIGCONT");
  };
}

function childrenOf(parent: number): number[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).split("\n");
  return lines.map((line) => line.trim().split(/\s+/).map(Number)).flatMap(([pid = 0, of]) => (of === parent ? [pid] : []));
}

/** False: it has ended by itself. */
function signalled(pid: number, signal: "SIGSTOP" | "SIGCONT"): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
