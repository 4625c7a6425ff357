/** Empty places for tests: a prefix each, whose keys are taken away when the test is done. */
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { Redis } from "ioredis";
import { isAlive } from "../postgres/privateServer.ts";
import { serverUrl } from "./server.ts";

export interface Place {
  readonly url: string;
  /** No key begins with it. */
  readonly prefix: string;
  /** Takes the keys away. Whatever is connected to them is closed by then. */
  done(): Promise<void>;
}

/** Processes of other machines may use the same server: whether they live cannot be told from here. */
const machine = createHash("sha256").update(hostname()).digest("hex").slice(0, 6);
const family = `errand_test_${machine}_`;
const scannedAtOnce = 1_000;
let client: Promise<Redis> | undefined;
let made = 0;

export async function freshPlace(): Promise<Place> {
  const url = await serverUrl();
  const cleaner = await (client ??= cleanerOf(url));
  const prefix = `${family}${process.pid}_${++made}`;
  return { url, prefix, done: () => remove(cleaner, `{${prefix}:*`) };
}

async function cleanerOf(url: string): Promise<Redis> {
  const cleaner = new Redis(url, { lazyConnect: true });
  await cleaner.connect();
  const owners = new Set<number>();
  for await (const keys of scan(cleaner, `{${family}*`)) for (const key of keys) owners.add(Number(key.slice(family.length + 1).split("_")[0]));
  for (const owner of owners) if (!isAlive(owner)) await remove(cleaner, `{${family}${owner}_*`);
  cleaner.stream.unref();
  return cleaner;
}

async function remove(cleaner: Redis, pattern: string): Promise<void> {
  // It keeps the process alive only while it is used.
  cleaner.stream.ref();
  for await (const keys of scan(cleaner, pattern)) if (keys.length > 0) await cleaner.unlink(...keys);
  cleaner.stream.unref();
}

async function* scan(cleaner: Redis, pattern: string): AsyncGenerator<readonly string[]> {
  let cursor = "0";
  do {
    const [next, keys] = await cleaner.scan(cursor, "MATCH", pattern, "COUNT", scannedAtOnce);
    yield keys;
    cursor = next;
  } while (cursor !== "0");
}
