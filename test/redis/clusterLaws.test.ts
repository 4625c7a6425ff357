/** The port's tests and every tenth law on a cluster: what holds on one server holds where its keys are on one of several nodes. All laws with ERRAND_TEST_CLUSTER=all. */
import { after, before, describe, it, test } from "node:test";
import { holdTo, laws } from "../../src/conformance/index.ts";
import type { EngineMaker } from "../../src/conformance/index.ts";
import type { Engine } from "../../src/core/engine.ts";
import { redis } from "../../src/redis/index.ts";
import { Wipeable } from "../conformance/wipeable.ts";
import { onFreshStage, tables } from "../port/tables.ts";
import { TransitionWatch } from "../port/transitionWatch.ts";
import { TestCluster } from "./cluster.ts";
import { noServer } from "./server.ts";

const step = process.env["ERRAND_TEST_CLUSTER"] === "all" ? 1 : 10;
/** Most of each is waiting for an answer. */
const atOnce = 4;
let cluster: TestCluster;
let made = 0;

/** A store of its own, with those of the others on all nodes. */
function fresh(): () => Engine {
  const prefix = `laws${++made}`;
  return () => redis(cluster.url, { prefix });
}

const onCluster: EngineMaker = {
  name: "redis cluster",
  open: () => {
    const store = new Wipeable(fresh);
    return { engine: () => store.engine(), wipe: () => store.wipe(), dispose: () => undefined };
  },
};

describe("on a Redis Cluster", { skip: noServer ?? false, concurrency: atOnce }, () => {
  before(async () => {
    cluster = await TestCluster.start();
  });
  after(() => cluster?.[Symbol.asyncDispose]());

  for (const [at, law] of laws.entries()) if (at % step === 0) test(`${law.guarantee}: ${law.name}`, () => holdTo(law, onCluster));

  const watch = new TransitionWatch();
  const under = { name: onCluster.name, fresh: () => Promise.resolve({ engine: fresh()(), dispose: () => undefined }) };
  for (const [table, cases] of Object.entries(tables)) {
    describe(table, { concurrency: atOnce }, () => {
      for (const { claim, run } of cases) it(claim, () => onFreshStage(under, watch, run));
    });
  }
});
