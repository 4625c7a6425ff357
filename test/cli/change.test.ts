import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { entry, fail, greet, hold } from "./fixtures/tasks.ts";
import { Shop } from "./shop.ts";

interface Told {
  readonly change: string;
  readonly isDryRun: boolean;
  readonly changed: number;
  readonly answers?: Readonly<Record<string, number>>;
  readonly groups?: readonly { readonly queue: string; readonly task: string; readonly state: string; readonly reason: string | null; readonly jobs: number }[];
  readonly jobs?: readonly { readonly id: string; readonly is: string }[];
}

describe("errand jobs cancel, retry and redrive", { concurrency: 4 }, () => {
  it("a cancelled job never starts, and keeps the reason", async () => {
    await using shop = new Shop();
    await shop.work.enqueue(greet.with({ name: "Ann" }, { id: "a" }));
    assert.deepEqual(await shop.errand("jobs", "cancel", "a", "nix", "--reason", "she has left"), {
      code: 0,
      out: "a  cancelled\n",
      err: "nix  no such job, or its retention has passed\n",
    });
    const job = await shop.work.find("a");
    assert.deepEqual([job?.state, job?.reason], ["cancelled", "she has left"]);
    assert.deepEqual(await shop.errand("jobs", "cancel", "a"), { code: 3, out: "", err: "a  had ended before: nothing to do\n" });
    assert.deepEqual(await shop.json("jobs", "cancel", "a", "nix"), {
      change: "cancel",
      isDryRun: false,
      changed: 0,
      jobs: [
        { id: "a", is: "ended" },
        { id: "nix", is: "unknown" },
      ],
    });
  });

  it("a running job is asked to stop", async () => {
    await using shop = new Shop();
    await shop.work.enqueue(hold.with({ isDeaf: false }, { id: "h" }));
    const { child, ended } = await shop.worker();
    await shop.until("it runs", () => shop.done().includes("hold"));
    assert.match((await shop.errand("jobs", "cancel", "h")).out, /^h {2}running: asked to stop\n$/);
    await shop.until("it ends", async () => (await shop.work.find("h"))?.state === "cancelled");
    child.kill("SIGTERM");
    assert.equal((await ended).code, 0);
  });

  it("a retried job runs again: a delayed one now, a dead one anew; an ended one does not", async () => {
    await using shop = new Shop();
    await shop.work.enqueue([fail.with({ why: "no" }, { id: "dead" }), greet.with({ name: "nobody" }, { id: "skipped" })]);
    await shop.run("dead", 1);
    await shop.run("skipped", 1);
    await shop.work.enqueue(greet.with({ name: "Ann" }, { id: "later", in: "1h" }));
    const { code, out, err } = await shop.errand("jobs", "retry", "dead", "later", "skipped");
    assert.deepEqual([code, out, err], [0, "dead  will run again\nlater  will run again\n", "skipped  had ended before: nothing to do\n"]);
    assert.deepEqual([(await shop.work.find("dead"))?.state, (await shop.work.find("later"))?.state], ["ready", "ready"]);
  });

  it("a dry run counts by queue, task, state and reason, and changes nothing", async () => {
    await using shop = new Shop();
    await shop.work.enqueue(["503", "503", "504"].map((why, at) => fail.with({ why }, { id: `f${at}` })));
    for (const n of [1, 2, 3]) await shop.work.enqueue(entry.with({ account: "a", n }));
    await shop.run("parked", 3);
    const before = await shop.json("jobs");
    const told = await shop.json<Told>("jobs", "redrive", "--all", "--dry-run");
    assert.deepEqual([told.change, told.isDryRun, told.changed], ["retry", true, 6]);
    const groups = told.groups?.map(({ queue, task, state, reason, jobs }) => [queue, task, state, reason, jobs].join(" ")).toSorted();
    assert.deepEqual(groups, [
      "default entry parked behind a job of its key that died 2",
      "default entry parked the ledger is closed 1",
      "default fail dead 503 2",
      "default fail dead 504 1",
    ]);
    const { out } = await shop.errand("jobs", "redrive", "--task", "fail", "--dry-run");
    assert.equal(
      out,
      "would redrive 3 jobs; nothing was changed\njobs  queue    task  state  reason\n   2  default  fail  dead   503\n   1  default  fail  dead   504\n",
    );
    for (const args of [
      ["retry", "f0"],
      ["cancel", "--state", "parked"],
      ["retry", "--reason-has", "503"],
    ])
      await shop.errand("jobs", ...args, "--dry-run");
    assert.deepEqual(await shop.json("jobs", "retry", "f0", "nix", "--dry-run"), {
      change: "retry",
      isDryRun: true,
      changed: 1,
      jobs: [
        { id: "f0", is: "dead" },
        { id: "nix", is: "unknown" },
      ],
    });
    assert.deepEqual(await shop.json("jobs"), before);
  });

  it("a redrive takes only what fits the filter", async () => {
    await using shop = new Shop();
    await shop.work.enqueue(["503 from a", "503 from b", "bad input"].map((why, at) => fail.with({ why }, { id: `f${at}` })));
    await shop.run("dead", 3);
    assert.deepEqual(await shop.errand("jobs", "redrive", "--reason-has", "503", "--task", "fail"), { code: 0, out: "2 jobs: will run again\n", err: "" });
    assert.deepEqual(
      (await shop.work.list({ states: ["dead"] })).jobs.map(({ id }) => id),
      ["f2"],
    );
    assert.deepEqual(await shop.json("jobs", "redrive", "--queue", "default"), { change: "retry", isDryRun: false, changed: 1, answers: { retried: 1 } });
    assert.deepEqual(await shop.errand("jobs", "redrive", "--all"), { code: 3, out: "", err: "no jobs match\n" });
  });

  it("a redriven key runs in its order", async () => {
    await using shop = new Shop();
    for (const n of [1, 2, 3, 4, 5]) await shop.work.enqueue(entry.with({ account: "a", n }));
    await shop.run("parked", 5);
    await shop.work.enqueue(entry.with({ account: "a", n: 6 }));
    assert.equal((await shop.errand("jobs", "redrive", "--key", 'entry["a"]')).out, "1 job: will run again\n5 jobs: will run again in their key's order\n");
    shop.mend();
    const { child, ended } = await shop.worker();
    await shop.until("all ran", async () => (await shop.work.count()).completed === 6);
    child.kill("SIGTERM");
    await ended;
    assert.deepEqual(
      shop.done(),
      [1, 2, 3, 4, 5, 6].map((n) => `a ${n}`),
    );
  });

  it("thousands of jobs are changed page by page, each once", async () => {
    await using shop = new Shop();
    await shop.work.enqueue(Array.from({ length: 3_000 }, (_, n) => greet.with({ name: `${n}` }, { in: "1h" })));
    assert.deepEqual(await shop.json<Told>("jobs", "cancel", "--task", "greet"), {
      change: "cancel",
      isDryRun: false,
      changed: 3_000,
      answers: { cancelled: 3_000 },
    });
    assert.equal((await shop.work.count()).cancelled, 3_000);
  });

  it("thousands of reasons are told as a hundred and the rest", async () => {
    await using shop = new Shop();
    await shop.work.enqueue(Array.from({ length: 300 }, (_, n) => fail.with({ why: `request ${n} failed` })));
    await shop.run("dead", 300);
    const { changed, groups = [] } = await shop.json<Told>("jobs", "redrive", "--all", "--dry-run");
    assert.deepEqual([changed, groups.length, groups[0]?.jobs, groups[0]?.reason], [300, 101, 200, "(other reasons)"]);
  });
});
