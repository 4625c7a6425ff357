/** The test door on engines other than its own. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as realTime } from "node:timers/promises";
import type { Engine } from "../../src/index.ts";
import { memory } from "../../src/memory/index.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import { testBroker } from "../../src/testing/index.ts";
import { shop } from "./shop.ts";

const engines: Readonly<Record<string, (context: TestContext) => Engine>> = {
  memory: () => memory(),
  "an engine that answers later": () => late(memory()),
  sqlite: (context) => {
    const folder = mkdtempSync(path.join(tmpdir(), "errand-testing-"));
    context.after(() => rmSync(folder, { recursive: true }));
    return sqlite(path.join(folder, "shop.db"));
  },
};

for (const [name, make] of Object.entries(engines)) {
  test(`drain, advance and the assertions hold on ${name}`, async (context) => {
    const { definitions, done, orderPlaced, sendReceipt, remind } = shop();
    await using work = testBroker.with({ engine: make(context) }, definitions);
    await work.publish(orderPlaced.with({ orderId: "7" }));
    await work.enqueue([sendReceipt.with({ orderId: "broken" }), sendReceipt.with({ orderId: "sent" })]);
    await work.assertEnqueued(sendReceipt.with({ orderId: "7" }));
    await work.drain();
    assert.deepEqual(done.toSorted(), ["charge i7", "receipt 7"]);
    await work.assertEnqueued(remind.with({ orderId: "i7" }, { in: "1d" }));
    await work.advance("1h");
    assert.deepEqual(done.slice(2), ["receipt broken"]);
    await work.advance("2d");
    assert.deepEqual(done.slice(3), ["remind i7 1"]);
    assert.equal((await work.count()).scheduled + (await work.count()).ready, 0);
  });
}

/** Each verb answers after a millisecond of real time, as a store behind a network does. */
function late(engine: Engine): Engine {
  const verbs = new Set<string | symbol>(["open", "enqueue", "claim", "settle", "beat", "tidy", "change", "find", "count", "readNote"]);
  return new Proxy(engine, {
    get: (target, verb) => {
      const method: unknown = Reflect.get(target, verb, target);
      if (typeof method !== "function" || !verbs.has(verb)) return typeof method === "function" ? method.bind(target) : method;
      return (...given: unknown[]) => realTime(1).then(() => Reflect.apply(method, target, given) as unknown);
    },
  });
}
