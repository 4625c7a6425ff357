import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fail, greet, hold } from "./fixtures/tasks.ts";
import { Shop } from "./shop.ts";

interface Told {
  readonly queues: readonly { readonly queue: string; readonly task: string; readonly isPaused: boolean; readonly states: Readonly<Record<string, number>> }[];
  readonly totals: Readonly<Record<string, number>>;
  readonly pauses: readonly { readonly of: string; readonly name: string; readonly since: string; readonly reason: string }[];
  readonly workers: readonly { readonly running: number; readonly isSilent: boolean }[];
}

describe("errand queues", { concurrency: 4 }, () => {
  it("counts jobs in each state, by queue and task, and in all", async () => {
    await using shop = new Shop();
    await shop.work.enqueue([fail.with({ why: "no" }), greet.with({ name: "Ann" }, { in: "1h" }), greet.with({ name: "Bob" }, { in: "1h" })]);
    await shop.run("dead", 1);
    const { code, out } = await shop.errand("queues");
    assert.equal(code, 0);
    const rows = out
      .trimEnd()
      .split("\n")
      .map((line) => line.trim().split(/ {2,}/).join(" "));
    assert.deepEqual(rows.slice(0, 4), [
      "queue task scheduled blocked ready running parked completed skipped cancelled dead",
      "default fail 0 0 0 0 0 0 0 0 1",
      "mail greet 2 0 0 0 0 0 0 0 0",
      "total 2 0 0 0 0 0 0 0 1",
    ]);
    const told = await shop.json<Told>("queues");
    assert.deepEqual(Object.keys(told), ["queues", "totals", "pauses", "workers"]);
    assert.deepEqual(
      told.queues.map(({ queue, task, isPaused, states }) => [queue, task, isPaused, states["scheduled"], states["dead"]]),
      [
        ["default", "fail", false, 0, 1],
        ["mail", "greet", false, 2, 0],
      ],
    );
    assert.deepEqual([told.totals["scheduled"], told.totals["dead"]], [2, 1]);
  });

  it("a paused queue and a paused task say so, how long and why, until they are resumed", async () => {
    await using shop = new Shop();
    await shop.work.enqueue(greet.with({ name: "Ann" }));
    assert.deepEqual(await shop.errand("queues", "pause", "mail", "--reason", "the provider\u001b[2J is down"), {
      code: 0,
      out: "queue mail is paused: no job of it starts until errand queues resume mail\n",
      err: "",
    });
    assert.match((await shop.errand("queues")).out, /queue paused for \d+ m?s: the provider\\x1b\[2J is down/);
    assert.deepEqual(await shop.json("queues", "pause", "--task", "greet"), { task: "greet", isPaused: true });
    const { queues, pauses } = await shop.json<Told>("queues");
    assert.equal(queues[0]?.isPaused, true);
    assert.deepEqual(
      pauses.map(({ of, name, reason }) => [of, name, reason]),
      [
        ["queue", "mail", "the provider\u001b[2J is down"],
        ["task", "greet", ""],
      ],
    );
    assert.deepEqual(await shop.errand("queues", "resume", "mail"), { code: 0, out: "queue mail goes on\n", err: "" });
    assert.deepEqual(await shop.json("queues", "resume", "--task", "greet"), { task: "greet", isPaused: false });
    assert.deepEqual((await shop.json<Told>("queues")).pauses, []);
  });

  it("a queue without jobs may be paused, is remarked as one that may be misspelt, and is listed", async () => {
    await using shop = new Shop();
    await shop.work.enqueue(greet.with({ name: "Ann" }));
    const { code, err } = await shop.errand("queues", "pause", "mial");
    assert.deepEqual([code, err], [0, 'no job here is of queue mial, did you mean "mail"?\n']);
    assert.match((await shop.errand("queues")).out, /^queue mial: queue paused for .* \(no jobs\)$/m);
    assert.deepEqual(await shop.errand("queues", "resume", "mila"), { code: 3, out: "", err: 'queue mila was not paused, did you mean "mial"?\n' });
  });

  it("says which workers hold jobs, and which of them are silent", async () => {
    await using shop = new Shop();
    await shop.work.enqueue(hold.with({ isDeaf: false }));
    const { child } = await shop.worker();
    await shop.until("it runs", () => shop.done().includes("hold"));
    assert.match((await shop.errand("queues")).out, /^1 job runs in 1 worker$/m);
    assert.deepEqual(
      (await shop.json<Told>("queues")).workers.map(({ running, isSilent }) => [running, isSilent]),
      [[1, false]],
    );
    child.kill("SIGKILL");
    await shop.until("its lease ends", async () =>
      (await shop.work.list({ states: ["running"] })).jobs.every(({ running }) => Number(running?.leaseUntil) < Date.now()),
    );
    assert.match((await shop.errand("queues")).out, /^1 job runs in 1 that is silent: the next worker takes them back$/m);
    assert.match((await shop.errand("jobs")).out, /its worker is silent$/m);
  });

  it("ends with 3 where there is no job yet", async () => {
    await using shop = new Shop();
    await shop.work.open();
    assert.deepEqual(await shop.errand("queues"), { code: 3, out: "", err: "no jobs yet\n" });
  });
});
