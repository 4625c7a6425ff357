/**
 * Bugs in errand's sources are planted by name and caught: by the law or the test that caught them when the matrix was measured, each in a process of its own. Those at
 * the port are caught where they are at home: test/conformance/seenToFail.test.ts, verify/model/planted.test.ts and the simulator's tests.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { describe, it } from "node:test";
import { inRoot } from "../../scripts/root.ts";
import { installation as postgresInstallation } from "../../test/postgres/installations.ts";
import { redisMissing } from "../../test/redis/server.ts";
import { firstCatcher } from "./layers.ts";
import { allPlanted, knownBy, readMatrix } from "./matrix.ts";
import { patched, type Planted } from "./plant.ts";
import { planterOf } from "./portBug.ts";
import { portBugs } from "./portBugs.ts";
import { sourceBugs } from "./sourceBugs.ts";
import { tried } from "./tried.ts";

const plantedLeast = 40;
const missing = {
  memory: undefined,
  sqlite: undefined,
  postgres: postgresInstallation() === undefined ? "engine not tested: postgres, no server is installed here" : undefined,
  redis: redisMissing === undefined ? undefined : `engine not tested: redis, ${redisMissing}`,
};
/** A server's start, or a model's many runs: with `npm run verify -- planted`. */
const isSlow = (bug: Planted): boolean => bug.area === "durability" || !["laws", "tests", "port"].includes(firstCatcher(bug, () => undefined).layer);

it(`there are ${plantedLeast} planted bugs at least, of every area, each with a name of its own`, () => {
  assert.ok(allPlanted.length >= plantedLeast);
  assert.equal(new Set(allPlanted.map(({ name }) => name)).size, allPlanted.length);
  assert.deepEqual([...new Set(allPlanted.map(({ area }) => area))].sort(), ["core", "durability", "engine", "locks", "port", "schedules", "worker"]);
});

it("each was caught by some layer when the matrix was measured", () => {
  const matrix = readMatrix();
  const uncaught = allPlanted.filter(({ name }) => !Object.values(matrix[name] ?? {}).some(({ by, seconds }) => by !== null && seconds < 600));
  assert.deepEqual(
    uncaught.map(({ name }) => name),
    [],
  );
});

it("each has its place in the source, or is one of those of the port", () => {
  for (const { patches = [] } of sourceBugs) for (const { file } of patches) assert.notEqual(patched(readFileSync(inRoot(file), "utf8"), file, patches), "");
  for (const { port = "" } of portBugs) assert.ok(planterOf(port));
});

it("a bug whose place is gone, or that nobody knows, is refused loudly", async () => {
  assert.throws(() => patched("const one = 1;", "a.ts", [{ file: "a.ts", from: "two", to: "three" }]), /stands 0 times/);
  await assert.rejects(tried("no-such-bug", { args: ["-e", ""] }), /no planted bug is called "no-such-bug"/);
});

/** On a machine that does much else. */
const timeout = 30 * 60_000;

describe("planted in the sources", { concurrency: availableParallelism(), timeout }, () => {
  for (const bug of sourceBugs.filter((one) => !isSlow(one))) {
    it(`${bug.what}, on ${bug.engine}`, { skip: missing[bug.engine] ?? false, timeout }, async () => {
      const { program } = firstCatcher(bug, knownBy(bug.name));
      assert.notEqual((await tried(bug.name, program)).by, undefined);
    });
  }
});
