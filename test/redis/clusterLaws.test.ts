/**
 * The port's tests and every tenth law on a cluster: what holds on one server holds where its keys are on one of several nodes; and of the laws, others, where they are
 * spread over all three. All laws on both with ERRAND_TEST_CLUSTER=all.
 */
import { after, before, describe, it, test } from "node:test";
import { holdTo, laws } from "../../src/conformance/index.ts";
import type { EngineMaker } from "../../src/conformance/index.ts";
import type { Engine } from "../../src/core/engine.ts";
import { redis } from "../../src/redis/index.ts";
import type { RedisOptions } from "../../src/redis/index.ts";
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
function fresh(options: RedisOptions = {}): () => Engine {
  const prefix = `laws${++made}`;
  return () => redis(cluster.url, { ...options, prefix });
}

function onCluster(name: string, options: RedisOptions = {}): EngineMaker {
  return {
    name,
    open: () => {
      const store = new Wipeable(() => fresh(options));
      return { engine: () => store.engine(), wipe: () => store.wipe(), dispose: () => undefined };
    },
  };
}

const onOneNode = onCluster("redis cluster");
const onAllNodes = onCluster("redis cluster, three partitions", { partitions: 3 });

describe("on a Redis Cluster", { skip: noServer ?? false, concurrency: atOnce }, () => {
  before(async () => {
    cluster = await TestCluster.start();
  });
  after(() => cluster?.[Symbol.asyncDispose]());

  for (const [at, law] of laws.entries()) if (at % step === 0) test(`${law.guarantee}: ${law.name}`, () => holdTo(law, onOneNode));

  for (const [at, law] of laws.entries()) {
    if (at % step !== Math.floor(step / 2) || law.between !== undefined) continue;
    test(`${law.guarantee} over three partitions: ${law.name}`, () => holdTo(law, onAllNodes));
  }

  const watch = new TransitionWatch();
  const under = { name: onOneNode.name, fresh: () => Promise.resolve({ engine: fresh()(), dispose: () => undefined }) };
  for (const [table, cases] of Object.entries(tables)) {
    describe(table, { concurrency: atOnce }, () => {
      for (const { claim, run } of cases) it(claim, () => onFreshStage(under, watch, run));
    });
  }
});
