/**
 * The Redis server that tests use: the one that REDIS_URL names, else the one that answers on this machine, else one that is started for the run
 * and ended with it. Its first user starts it, all processes of the run share it. What kills a server or changes its settings has one of its own.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { Redis } from "ioredis";
import { installation } from "./installations.ts";
import { folderShared, PrivateServer, removeLeftovers } from "./privateServer.ts";

/** In a database that an app on this machine hardly uses. */
const usualUrl = "redis://127.0.0.1:6379/15";
const answersWithinMs = 2_000;
const startsWithinMs = 60_000;
const lookEveryMs = 50;

/** Why no test can use Redis here, in the words that the runner reports at the end; undefined if they can. */
export const redisMissing: string | undefined = await whyMissing();

/** Why a test that needs a server of its own is left out. */
export const noServer: string | undefined =
  redisMissing ?? (installation() === undefined ? "engine not tested: redis, no redis-server is installed, which tests that kill one need" : undefined);

let url: Promise<string> | undefined;

export function serverUrl(): Promise<string> {
  return (url ??= findServer());
}

async function whyMissing(): Promise<string | undefined> {
  if (process.env["REDIS_URL"] !== undefined || installation() !== undefined || (await answers(usualUrl))) return undefined;
  return "engine not tested: redis, no REDIS_URL, nothing answers on 127.0.0.1:6379, and no server is installed; apt-get install redis-server brings one";
}

async function findServer(): Promise<string> {
  const named = process.env["REDIS_URL"];
  if (named !== undefined) return named;
  return (await answers(usualUrl)) ? usualUrl : sharedServer();
}

async function answers(at: string): Promise<boolean> {
  const client = new Redis(at, { lazyConnect: true, retryStrategy: null, connectTimeout: answersWithinMs, commandTimeout: answersWithinMs });
  let isSelected = true;
  client.on("error", () => (isSelected = false));
  try {
    await client.connect();
    await client.call("ping");
    return isSelected;
  } catch {
    return false;
  } finally {
    client.disconnect();
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
  const server = await PrivateServer.start({ folder, isShared: owner !== process.pid });
  writeFileSync(`${note}.new`, server.url);
  renameSync(`${note}.new`, note);
}
