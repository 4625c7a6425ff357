/** `errand verify` as a whole: on each store it finds nothing, and leaves nothing behind. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { Redis } from "ioredis";
import pg from "pg";
import { verify } from "../../src/verify/index.ts";
import { freshPlace } from "../postgres/places.ts";
import { postgresMissing } from "../postgres/server.ts";
import { freshPlace as freshPrefix } from "../redis/places.ts";
import { redisMissing } from "../redis/server.ts";
import { brokenIn, faultRun } from "./faultRun.ts";

interface Store {
  readonly name: string;
  readonly skip: string | false;
  readonly hasNetwork: boolean;
  /** Its URL, and what of a run is still there. */
  fresh(): Promise<{ readonly url: string; left(): Promise<readonly string[]>; done(): Promise<void> }>;
}

const stores: readonly Store[] = [
  {
    name: "sqlite",
    skip: false,
    hasNetwork: false,
    fresh: () => {
      const folder = mkdtempSync(path.join(tmpdir(), "errand-verified-"));
      const done = (): Promise<void> => Promise.resolve(rmSync(folder, { recursive: true, force: true }));
      return Promise.resolve({ url: `sqlite:${path.join(folder, "shop.db")}`, left: () => Promise.resolve(readdirSync(folder)), done });
    },
  },
  {
    name: "postgres",
    skip: postgresMissing ?? false,
    hasNetwork: true,
    fresh: async () => {
      const { url, done } = await freshPlace();
      const left = async (): Promise<readonly string[]> => {
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        const { rows } = await client.query<{ nspname: string }>("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'errand_verify%'");
        await client.end();
        return rows.map(({ nspname }) => nspname);
      };
      return { url, left, done };
    },
  },
  {
    name: "redis",
    skip: redisMissing ?? false,
    hasNetwork: true,
    fresh: async () => {
      const { url, prefix, done } = await freshPrefix();
      const left = async (): Promise<readonly string[]> => {
        const client = new Redis(url);
        const keys = await client.keys(`{${prefix}*`);
        client.disconnect();
        return keys;
      };
      return { url: `${url}?prefix=${prefix}`, left, done };
    },
  },
];

for (const { name, skip, hasNetwork, fresh } of stores) {
  test(`12 s of faults break nothing, and nothing is left behind (${name})`, { skip }, async (context) => {
    const store = await fresh();
    try {
      const verified = await faultRun(store.url, { seconds: 12, workers: 3, producers: 2 });
      const { verdict, withoutNetwork } = verified.report;
      context.diagnostic(JSON.stringify({ accepted: verdict.accepted, lost: verdict.lost, duplicates: verdict.duplicates, faults: verdict.faults }));
      assert.deepEqual(brokenIn(verified), []);
      assert.ok(verdict.held && verdict.lost === 0 && verdict.accepted > 100);
      for (const kind of ["kill", "stop", "term"] as const) assert.ok((verdict.faults[kind] ?? 0) > 0, `there was no ${kind}`);
      assert.equal(withoutNetwork === undefined, hasNetwork);
      assert.equal(verified.left, undefined);
      assert.deepEqual(await store.left(), []);
    } finally {
      await store.done();
    }
  });
}

test("a run that is stopped leaves nothing behind", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "errand-verified-"));
  const stop = new AbortController();
  const reason = new Error("stopped before the end");
  const options = { seconds: 60, seed: 1, workers: 2, producers: 1, leaseMs: 3_000, keep: false, signal: stop.signal };
  const progress = (what: string): void => {
    if (what.includes("without faults")) stop.abort(reason);
  };
  await assert.rejects(verify({ ...options, store: `sqlite:${path.join(folder, "shop.db")}`, progress }), (error) => error === reason);
  assert.deepEqual(readdirSync(folder), []);
  rmSync(folder, { recursive: true });
});
