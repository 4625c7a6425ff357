import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { batch, chain, task } from "../../src/index.ts";
import { fail, greet } from "./fixtures/tasks.ts";
import { Shop } from "./shop.ts";

interface BatchJson {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly isCancelled: boolean;
  readonly counts: Readonly<Record<string, number>>;
  readonly why?: string;
  readonly jobs?: readonly {
    readonly id: string;
    readonly task: string;
    readonly state: string;
    readonly batch: string;
    readonly after: readonly { readonly id: string }[];
  }[];
  readonly batches?: readonly BatchJson[];
  readonly parent?: string | null;
}

describe("errand batches", { concurrency: 4 }, () => {
  let shop: Shop;
  before(async () => {
    shop = new Shop();
    await shop.work.enqueue(batch([fail.with({ why: "no such account" }, { id: "bad" }), greet.with({ name: "nobody" })], { id: "failed", name: "import" }));
    await shop.run("dead", 1);
    await shop.run("skipped", 1);
    const steps = chain(greet.with({ name: "Ann" }, { id: "first", in: "1h" }), batch([greet.with({ name: "Bob" }, { id: "inner" })], { id: "nested" }));
    await shop.work.enqueue(batch([steps, greet.with({ name: "Cid" }, { id: "member" })], { id: "open" }));
    await shop.work.enqueue(batch([greet.with({ name: "Dan" }, { in: "1h", id: "unwanted" })], { id: "cancelled" }));
  });
  after(() => shop[Symbol.asyncDispose]());

  it("lists batches newest first, without those within others", async () => {
    const { out, code } = await shop.errand("batches");
    const [head = "", ...rows] = out.trimEnd().split("\n");
    assert.match(head, /^id +name +state +members +ended +badly +age$/);
    assert.deepEqual([code, ...rows.map((row) => row.split(/ {2,}/)[0])], [0, "cancelled", "open", "failed"]);
    const { batches } = await shop.json<{ readonly batches: readonly BatchJson[] }>("batches", "list", "--limit", "3");
    assert.deepEqual(batches.at(-1)?.counts, { members: 2, live: 0, succeeded: 1, failed: 1 });
  });

  it("shows one that failed: how far it came, why, and its members", async () => {
    const { out, code } = await shop.errand("batches", "show", "failed");
    assert.equal(code, 0);
    assert.match(
      out,
      /^batch +failed\nname +import\nstate +closed\nwhy +failed .* ago: 1 of 2 members ended badly, first of them job bad \(fail\), which is dead \(no such account\)\nprogress +█{24} 2 of 2: 1 well, 1 badly\nstored +\d{4}-.*Z\nclosed +\d{4}-.*Z\n\nid +task +state +.*why\n/,
    );
    assert.match(out, /^bad +fail +dead +no such account$/m);
  });

  it("shows one under way, with the batches in it, as JSON too", async () => {
    const { out } = await shop.errand("batches", "show", "open");
    assert.match(out, /^progress +░{24} 0 of 2: 0 well, 2 to go$/m);
    const open = await shop.json<BatchJson>("batches", "show", "open");
    assert.match(open.why ?? "", /^batch open is under way/);
    assert.deepEqual(
      open.jobs?.map(({ id, task: of, batch: member }) => [id, of, member]),
      [["member", "greet", "open"]],
    );
    assert.deepEqual(
      open.batches?.map(({ name, counts }) => [name, counts["members"]]),
      [["chain", 2]],
    );
    const nested = await shop.json<BatchJson>("batches", "show", "nested");
    assert.deepEqual([nested.state, nested.parent], ["waiting", open.batches?.[0]?.id]);
    assert.match((await shop.errand("batches", "show", "nested")).out, /^why +waits for job first \(greet\), which is scheduled, to end well, since .*$/m);
  });

  it("shows with a job its batch and what it comes after", async () => {
    const { out } = await shop.errand("jobs", "show", "inner");
    assert.match(out, /^why +waits with batch nested, which waits for job first \(greet\), which is scheduled, to end well, since .*$/m);
    assert.match(out, /^batch +nested \(errand batches show tells of it\)$/m);
  });

  it("cancels one as a whole, and says so once", async () => {
    const first = await shop.errand("batches", "cancel", "cancelled", "--reason", "no longer wanted");
    assert.deepEqual([first.code, first.out], [0, "cancelled  cancelled\n"]);
    assert.equal((await shop.work.find("unwanted"))?.state, "cancelled");
    const again = await shop.errand("batches", "cancel", "cancelled");
    assert.deepEqual([again.code, again.err], [3, "cancelled  had ended before: nothing to do\n"]);
  });

  it("an id of no batch, a job's among them, is told and answered with 3", async () => {
    for (const args of [
      ["batches", "show", "nobody"],
      ["batches", "cancel", "nobody"],
      ["batches", "show", "member"],
      ["batches", "cancel", "member"],
    ]) {
      const { code, err } = await shop.errand(...args);
      assert.equal(code, 3);
      assert.match(err, /batch/);
    }
    assert.equal((await shop.work.find("member"))?.state, "ready");
  });
});

describe("errand jobs show, of what a job carries", () => {
  it("prints sizes of checkpoint and result, the premise, and the hours that a worker told of", async () => {
    await using shop = new Shop();
    const saving = task("saving", {
      current: () => ({ version: 7 }),
      run: async (_: { n: number }, job) => {
        await job.save({ page: 12 });
        throw new Error("no route");
      },
      retry: { first: "1h" },
    });
    const later = new Date(Date.now() + 6 * 3_600_000).getUTCHours();
    const open = `${String(later).padStart(2, "0")}:00-${String(later).padStart(2, "0")}:30` as const;
    const nightly = task("nightly", { hours: { open: open as "01:00-01:30", zone: "UTC" }, run: (_: { n: number }) => undefined });
    const { broker } = await import("../../src/index.ts");
    await using work = broker(shop.url, { saving, nightly });
    await work.enqueue([saving.with({ n: 1 }, { id: "saved", expecting: { version: 7 } }), nightly.with({ n: 1 }, { id: "nightly" })]);
    const worker = await work.start({ signals: false });
    await shop.until("it has run", async () => (await work.find("saved"))?.attempts === 1);
    const { out } = await shop.errand("jobs", "show", "saved");
    assert.match(out, /^expecting +\{"version":7\}$/m);
    assert.match(out, /^checkpoint +\d+ bytes$/m);
    assert.match(out, /^why +waits until it is due in .* \(to be tried again\), since .*; 1 attempt so far, the last one ended: no route$/m);
    assert.match((await shop.errand("jobs", "show", "nightly")).out, /^why +waits because its hours are \d\d:00-\d\d:30 UTC, since .*; they begin in .*$/m);
    await worker.stop();
  });
});
