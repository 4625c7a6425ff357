import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readExposition } from "../core/exposition.ts";
import { greet } from "./fixtures/tasks.ts";
import { Shop } from "./shop.ts";

describe("errand metrics", { concurrency: 4 }, () => {
  it("prints the store's part as Prometheus scrapes it, and as JSON", async () => {
    await using shop = new Shop();
    await shop.work.enqueue([greet.with({ name: "Ann" }), greet.with({ name: "Bob" }, { in: "1h" })]);
    await shop.work.pause({ queue: "mail" });
    const { code, out } = await shop.errand("metrics");
    assert.equal(code, 0);
    const read = readExposition(out);
    assert.equal(read.get("errand_jobs")?.samples.get("queue=mail,state=scheduled,task=greet"), 1);
    assert.equal(read.get("errand_paused")?.samples.get("name=mail,of=queue"), 1);
    assert.equal(read.has("errand_claims_total"), false, "nothing of a worker, which this process is not");
    const { metrics } = await shop.json<{ readonly metrics: readonly { readonly name: string; readonly unit: string | null }[] }>("metrics");
    assert.deepEqual(metrics[0], { ...metrics[0], name: "errand_jobs", kind: "gauge", unit: null });
  });

  it("takes no words", async () => {
    await using shop = new Shop();
    assert.deepEqual(await shop.errand("metrics", "mail"), { code: 2, out: "", err: 'errand: metrics does not take "mail"\n' });
  });
});
