import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { broker, every, reconcile, task } from "../../src/index.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import { Shop } from "./shop.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const prune = task("prune", () => undefined);
const send = task<{ id: string }>("send", { uniqueBy: "id", run: () => undefined });
const definitions = {
  pruning: every("day at 03:00", prune.with({}), { zone: "Europe/Berlin" }),
  polling: every("15m", prune.with({}), { name: "polling", missed: "run-all", overlap: "skip" }),
  unsent: reconcile(send, { every: "1h", find: async () => await Promise.resolve([{ id: "1" }, { id: "2" }]), pace: { starts: 5, every: "1s" } }),
};

/** The schedules are registered, and the store is closed again. */
async function registered(shop: Shop): Promise<void> {
  await using work = broker({ store: sqlite(shop.file), log }, definitions);
  await work.open();
}

describe("errand schedules", { concurrency: 4 }, () => {
  it("lists them with their next instants on their own clocks, in columns that line up", async () => {
    await using shop = new Shop();
    await registered(shop);
    await shop.work.schedule("polling").edit({ rhythm: "30m" });
    await shop.work.pause({ schedule: "polling" }, "the feed is down");
    const { code, out } = await shop.errand("schedules");
    assert.equal(code, 0);
    const [head = "", polling = "", pruning = ""] = out.trimEnd().split("\n");
    assert.deepEqual(head.trim().split(/ {2,}/), ["name", "task", "rhythm", "zone", "next", "in", "last"]);
    assert.match(polling, /^polling {2}prune {2}30m {11}.*Z .*paused for .*: the feed is down; missed run-all; overlap skip; edited: rhythm$/);
    assert.match(pruning, /^prune {4}prune {2}day at 03:00 {2}Europe\/Berlin {2}\d{4}-\d\d-\d\dT03:00\+0[12]:00 /);
    assert.equal(polling.indexOf("prune"), pruning.lastIndexOf("prune"));
    const { schedules } = await shop.json<{ readonly schedules: readonly { readonly name: string; readonly isPaused: boolean; readonly last: null }[] }>(
      "schedules",
    );
    assert.deepEqual(
      schedules.map(({ name, isPaused, last }) => [name, isPaused, last]),
      [
        ["polling", true, null],
        ["prune", false, null],
      ],
    );
  });

  it("says that there are none", async () => {
    await using shop = new Shop();
    await shop.work.open();
    const { code, out, err } = await shop.errand("schedules");
    assert.deepEqual([code, out], [3, ""]);
    assert.match(err, /no schedules yet/);
  });

  it("shows the next slots of one, on its clocks and in UTC", async () => {
    await using shop = new Shop();
    await registered(shop);
    const { code, out } = await shop.errand("schedules", "next", "prune", "--count", "3");
    assert.equal(code, 0);
    assert.equal(out.trimEnd().split("\n").length, 4);
    assert.match(out, /T03:00\+0[12]:00 {2}\d{4}-\d\d-\d\dT0[12]:00Z {2}in /);
    const { slots } = await shop.json<{ readonly slots: readonly string[] }>("schedules", "next", "polling");
    assert.equal(slots.length, 10);
  });

  it("pauses and resumes one; one that is not there is named with the nearest", async () => {
    await using shop = new Shop();
    await registered(shop);
    assert.match(
      (await shop.errand("schedules", "pause", "prune", "--reason", "for a test")).out,
      /schedule prune is paused: it enqueues nothing until errand schedules resume prune/,
    );
    assert.equal((await shop.errand("queues")).out.includes("for a test"), false);
    assert.match((await shop.errand("schedules", "resume", "prune")).out, /schedule prune goes on at .*T03:00\+0[12]:00, in /);
    assert.deepEqual(await shop.errand("schedules", "resume", "prune"), { code: 3, out: "", err: "schedule prune was not paused\n" });
    const { code, err } = await shop.errand("schedules", "pause", "prunes");
    assert.equal(code, 2);
    assert.match(err, /has no schedule "prunes", did you mean "prune"/);
  });

  it("backfills a time, once, and says beforehand what it would do", async () => {
    await using shop = new Shop();
    await registered(shop);
    const span = ["--from", "2026-01-01", "--to", "2026-01-03T12:00+01:00"];
    assert.deepEqual(await shop.errand("schedules", "backfill", "prune", ...span, "--dry-run"), {
      code: 0,
      out: "would enqueue 3 slots from 2026-01-01T01:00+01:00 to 2026-01-03T12:00+01:00; nothing was changed\n",
      err: "",
    });
    assert.match((await shop.errand("schedules", "backfill", "prune", ...span)).out, /^3 slots .* were enqueued\n$/);
    assert.deepEqual(await shop.errand("schedules", "backfill", "prune", ...span), {
      code: 3,
      out: "0 slots from 2026-01-01T01:00+01:00 to 2026-01-03T12:00+01:00 were enqueued, 3 had a job already\n",
      err: "",
    });
    assert.equal((await shop.work.count({ task: "prune" })).ready, 3);
  });

  for (const { args, says } of [
    { args: ["backfill", "prune"], says: /from when\? give --from 2026-01-31/ },
    { args: ["backfill", "prune", "--from", "2026-01-01T03:00"], says: /a time with its offset/ },
    { args: ["backfill", "prune", "--from", "yesterday"], says: /write a date/ },
    { args: ["backfill", "prune", "--from", "2026-01-02", "--to", "2026-01-01"], says: /swap them/ },
    { args: ["next"], says: /of which schedule/ },
    { args: ["next", "prune", "--count", "0"], says: /from 1 to 1,000/ },
    { args: ["drop", "prune"], says: /schedules has no "drop"/ },
  ])
    it(`refuses ${args.join(" ")}, and changes nothing`, async () => {
      await using shop = new Shop();
      await registered(shop);
      const { code, err } = await shop.errand("schedules", ...args);
      assert.equal(code, 2);
      assert.match(err, says);
      assert.equal((await shop.work.count({ task: "prune" })).ready, 0);
    });

  it("removes one that no code defines any more", async () => {
    await using shop = new Shop();
    await registered(shop);
    assert.match((await shop.errand("schedules", "remove", "prune")).out, /schedule prune is removed/);
    assert.deepEqual(
      (await shop.work.schedules()).map(({ name }) => name),
      ["polling"],
    );
  });
});

describe("errand rebuild", { concurrency: 4 }, () => {
  it("runs reconciliations in a worker, and tells what they found", async () => {
    await using shop = new Shop();
    await using work = broker({ store: sqlite(shop.file), log }, definitions);
    await work.start({ signals: false });
    const { code, out } = await shop.errand("rebuild");
    assert.equal(code, 0);
    assert.match(out, /^name {2}state +found +missing +enqueued +refused +dead +why\nsend {2}completed +2 /);
    assert.match((await shop.errand("rebuild", "--list")).out, /^send {2}1h +in .* 2 .*ago$/m);
    const { reconciliations } = await shop.json<{ readonly reconciliations: readonly { readonly state: string; readonly found: number }[] }>("rebuild", "send");
    assert.deepEqual(
      reconciliations.map(({ state, found }) => [state, found]),
      [["completed", 2]],
    );
  });

  it("refuses one that is not there, and says that there are none", async () => {
    await using shop = new Shop();
    await registered(shop);
    const { code, err } = await shop.errand("rebuild", "sent");
    assert.equal(code, 2);
    assert.match(err, /no reconciliation "sent", did you mean "send"/);
    await using empty = new Shop();
    await empty.work.open();
    assert.deepEqual([(await empty.errand("rebuild")).code, (await empty.errand("rebuild", "--list")).code], [3, 3]);
  });
});
