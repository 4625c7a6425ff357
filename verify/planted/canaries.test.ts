/**
 * Canaries: what is known to be broken must look broken, each time. Others sing where they live: the checker's doctored histories in test/verify/checker.test.ts, the set
 * that nobody guards in verify/locks, synchronous = NORMAL and OFF under power cuts in verify/disk.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { holdTo, LawBroken, laws } from "../../src/conformance/index.ts";
import { broker, task } from "../../src/index.ts";
import { onMemory } from "../../test/conformance/engines.ts";
import { planted, type Distortion } from "../../test/conformance/planted.ts";
import { installation as postgresInstallation } from "../../test/postgres/installations.ts";
import { PrivateServer, type Settings } from "../../test/redis/privateServer.ts";
import { noServer } from "../../test/redis/server.ts";
import { tried } from "./tried.ts";

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const jobs = 50;

/** How many of fifty jobs that were acknowledged a killed server has when it is back. */
async function keptBy(settings: Settings): Promise<number> {
  const work = task<{ n: number }>("work", () => undefined);
  await using server = await PrivateServer.start({ settings });
  const before = broker({ store: server.url, log: quiet }, { work });
  await before.enqueue(Array.from({ length: jobs }, (_, n) => work.with({ n })));
  await server.kill();
  await before.close().catch(() => undefined);
  await server.start();
  const after = broker({ store: server.url, log: quiet }, { work });
  const { ready } = await after.count();
  await after.close();
  return ready;
}

describe("a killed Redis server", { skip: noServer ?? false }, () => {
  it("without an append-only file has lost what it acknowledged", async () => assert.equal(await keptBy({}), 0));
  it("that appends before it acknowledges has all of it", async () => assert.equal(await keptBy({ appendonly: "yes", appendfsync: "always" }), jobs));
});

describe(
  "a killed PostgreSQL server",
  { skip: postgresInstallation() === undefined ? "no PostgreSQL server is installed here; npm ci brings one" : false },
  () => {
    it("whose commits nobody waits for has lost what errand acknowledged", async () => {
      const { by } = await tried("postgres-asynchronous-commit", { args: ["--test", "--test-reporter=tap", "test/postgres/durable.test.ts"] });
      assert.match(by ?? "", / survives$/);
    });
  },
);

/** The number of an attempt, for a fence: every job has a first one. */
const fencesAreAttempts: Distortion = (inner) => ({
  claim: async (wanted, at) => {
    const claimed = await inner.claim(wanted, at);
    return { ...claimed, fence: claimed.jobs[0]?.attempt ?? claimed.fence };
  },
});

it("fences that are the numbers of attempts are refused by the laws", async () => {
  const law = laws.find(({ name }) => name === "fences grow with every claim, whatever process asks");
  assert.ok(law);
  await assert.rejects(holdTo(law, planted(onMemory, fencesAreAttempts)), (error) => error instanceof LawBroken);
});
