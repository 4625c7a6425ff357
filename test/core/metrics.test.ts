/** What `work.metrics()` tells: of the store, and of what this process did and holds. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import Database from "better-sqlite3";
import { every, giveUp, prometheusText, reconcile, skip, snooze, task, type Broker, type Job, type MetricsOptions } from "../../src/index.ts";
import { metricSamplesMax } from "../../src/core/defaults.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import { testBroker } from "../../src/testing/index.ts";
import { BrokerStage } from "./brokerStage.ts";
import { readExposition } from "./exposition.ts";

interface Row {
  readonly id: string;
}
const never = new Promise<void>(() => undefined);

/** Every answer is printed and read back by the rules of the format. */
async function told(
  work: Pick<Broker, "metrics">,
  options: MetricsOptions = {},
): Promise<(metric: string, ...labels: readonly string[]) => number | undefined> {
  const read = readExposition(prometheusText(await work.metrics(options)));
  return (metric, ...labels) => read.get(metric)?.samples.get(labels.toSorted().join(","));
}

async function runsOf(work: Pick<Broker, "metrics">, name: string): Promise<Readonly<Record<string, number>>> {
  const runs = (await work.metrics({ of: "process" })).find((metric) => metric.name === "errand_runs_total")?.samples ?? [];
  const own = runs.filter(({ labels, value }) => labels["task"] === name && value > 0);
  return Object.fromEntries(own.map(({ labels, value }) => [labels["outcome"], value]));
}

describe("of the store", () => {
  it("jobs are told by queue, task and state, the states without one as 0", async () => {
    const send = task<Row>("send", { queue: "mail", run: ({ id }) => (id === "bad" ? giveUp("no such mailbox") : undefined) });
    await using work = testBroker({ send });
    await work.enqueue([send.with({ id: "a" }), send.with({ id: "bad" }), send.with({ id: "b" }, { in: "1h" })]);
    await work.drain();
    const value = await told(work, { of: "store" });
    const states = ["completed", "dead", "scheduled", "ready", "running"].map((state) => value("errand_jobs", "queue=mail", "task=send", `state=${state}`));
    assert.deepEqual(states, [1, 1, 1, 0, 0]);
    assert.equal(value("errand_runs_total", "task=send", "outcome=dead"), undefined, "nothing of the process");
  });

  it("what is paused is told for as long as it is", async () => {
    const prune = task("prune", () => undefined);
    await using work = testBroker({ prune, pruning: every("1h", prune.with({})) });
    await work.pause({ queue: "mail" }, "the provider is down");
    await work.pause({ schedule: "prune" });
    let value = await told(work);
    assert.deepEqual([value("errand_paused", "of=queue", "name=mail"), value("errand_paused", "of=schedule", "name=prune")], [1, 1]);
    await work.resume({ queue: "mail" });
    value = await told(work);
    assert.equal(value("errand_paused", "of=queue", "name=mail"), undefined);
  });

  it("the state of a breaker that has had trouble is told, each of its states as 0 or 1", async () => {
    let isDown = true;
    const pay = (): void => {
      if (isDown) throw new Error("down");
    };
    const charge = task<Row>("charge", { dependsOn: "bank", breaker: { failing: 2, of: 4 }, retry: { attempts: 1 }, run: pay });
    await using work = testBroker({ charge });
    const state = async (is: string): Promise<number | undefined> => (await told(work))("errand_breaker_state", "breaker=dependency/bank", `state=${is}`);
    assert.equal(await state("healthy"), undefined, "no trouble yet");
    await work.enqueue([1, 2, 3, 4].map((n) => charge.with({ id: String(n) })));
    await work.drain();
    assert.deepEqual([await state("open"), await state("healthy")], [1, 0]);
    isDown = false;
    await work.enqueue(charge.with({ id: "5" }));
    await work.advance("5m");
    assert.deepEqual([await state("open"), await state("healthy")], [0, 1]);
  });

  it("a schedule that nobody ticks is late; one that is paused is not", async () => {
    const prune = task("prune", () => undefined);
    await using stage = new BrokerStage();
    const work = stage.broker({ prune, pruning: every("1h", prune.with({})), polling: every("1m", prune.with({}), { name: "poll" }) });
    await work.pause({ schedule: "poll" });
    const now = stage.runtime.now();
    const slot = now - (now % 3_600_000) + 3_600_000;
    await stage.advance(slot - now + 90_000);
    const value = await told(work);
    assert.deepEqual([value("errand_schedule_late_seconds", "schedule=prune"), value("errand_schedule_late_seconds", "schedule=poll")], [90, 0]);
  });

  it("a name beyond the most samples is only counted", async () => {
    await using work = testBroker();
    for (let n = 0; n < metricSamplesMax + 2; n++) await work.pause({ queue: `q${n}` });
    const paused = (await work.metrics()).find(({ name }) => name === "errand_paused");
    assert.equal(paused?.samples.length, metricSamplesMax);
    assert.equal((await told(work))("errand_metric_samples_left_out", "metric=errand_paused"), 2);
    assert.equal((await work.metrics()).find(({ name }) => name === "errand_metric_samples_left_out")?.samples.length, 1, "the only one");
  });
});

describe("reconciliation drift", () => {
  it("is told of the last run by the store, and of all runs since it began by the process that ran them", async () => {
    const undone = new Set(["1", "2", "3"]);
    const send = task<Row>("send", { uniqueBy: "id", run: ({ id }) => void undone.delete(id) });
    const unsent = reconcile(send, { every: "5m", find: async () => await Promise.resolve([...undone].map((id) => ({ id }))) });
    await using work = testBroker({ unsent });
    const labels = ["reconciliation=send", "task=send"];
    await work.open();
    const before = await told(work);
    assert.deepEqual(
      [before("errand_reconciliation_missing_total", ...labels), before("errand_reconciliation_last_missing", ...labels)],
      [0, undefined],
      "a counter begins with 0, and there is no last run",
    );
    await work.enqueue(send.with({ id: "3" }, { in: "1h" }));
    const startedAt = work.now.getTime() / 1_000;
    await work.drain();
    const first = await told(work);
    const last = ["found", "missing", "enqueued", "refused", "dead"].map((count) => first(`errand_reconciliation_last_${count}`, ...labels));
    assert.deepEqual(last, [3, 2, 2, 0, 0]);
    assert.equal(first("errand_reconciliation_last_end_timestamp_seconds", ...labels), startedAt);
    assert.equal(first("errand_reconciliation_running", ...labels), 0);
    undone.add("4");
    await work.rebuild();
    const second = await told(work);
    const counted = ["runs", "found", "missing", "enqueued"].map((count) => second(`errand_reconciliation_${count}_total`, ...labels));
    assert.deepEqual(counted, [2, 5, 3, 3]);
    assert.equal(second("errand_reconciliation_last_missing", ...labels), 1);
  });
});

describe("runs of this process are counted once, by how they ended:", () => {
  const endings: Readonly<Record<string, { readonly run: (input: Row, job: Job) => unknown; readonly runs: Readonly<Record<string, number>> }>> = {
    returned: { run: () => undefined, runs: { completed: 1 } },
    "skipped itself": { run: () => skip("sent already"), runs: { skipped: 1 } },
    "gave up": { run: () => giveUp("no such mailbox"), runs: { dead: 1 } },
    "failed, and succeeded": { run: (_, { attempt }) => attempt < 3 && Promise.reject(new Error("busy")), runs: { retried: 2, completed: 1 } },
    "failed for good": { run: () => Promise.reject(new Error("busy")), runs: { retried: 2, dead: 1 } },
    snoozed: { run: () => !hasSlept && sleep(), runs: { snoozed: 1, completed: 1 } },
    "handed work over": { run: (_, job) => job.enqueue(other.with({})), runs: { completed: 1 } },
    "handed work over that the store refuses": { run: (_, job) => job.enqueue(other.with({ n: 2 }, { id: "taken" })), runs: { retried: 2, dead: 1 } },
    "outlived its signal": { run: () => never, runs: { retried: 2, dead: 1 } },
  };
  let hasSlept = false;
  const sleep = (): never => {
    hasSlept = true;
    return snooze("1m");
  };
  const other = task<{ readonly n?: number }>("other", () => undefined);
  for (const [what, { run, runs }] of Object.entries(endings)) {
    it(what, async () => {
      const one = task<Row>("one", { run, timeout: "5s", retry: { attempts: 3 }, breaker: false });
      const work = testBroker({ other, one });
      await work.enqueue(other.with({ n: 1 }, { id: "taken" }));
      await work.enqueue(one.with({ id: "1" }));
      await work.advance("10m");
      assert.deepEqual(await runsOf(work, "one"), runs);
      const overran = (await told(work))("errand_overran_total", "task=one");
      assert.equal(overran, what === "outlived its signal" ? 3 : 0);
      await work.close();
    });
  }

  it("cancelled while they ran, and handed back by a worker that stops", async () => {
    await using stage = new BrokerStage();
    const hold = task<Row>(
      "hold",
      (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
    );
    const work = stage.broker({ hold });
    const { id } = await work.enqueue(hold.with({ id: "1" }));
    const worker = await work.start({ signals: false, grace: "1s" });
    await stage.advance(1_000);
    await work.cancel(id);
    await stage.advance(5_000);
    await work.enqueue(hold.with({ id: "2" }));
    await stage.advance(1_000);
    await stage.finished(worker.stop());
    assert.deepEqual(await runsOf(work, "hold"), { cancelled: 1, released: 1 });
  });

  it("completed by a commit of the app's own transaction, or tried again where that did not commit", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "errand-metrics-"));
    const file = path.join(folder, "shop.db");
    let isFirst = true;
    const pay = task<Row>("pay", (_, job) => {
      const app = new Database(file);
      app.pragma("synchronous = FULL");
      app.exec("BEGIN IMMEDIATE");
      job.commit(app);
      app.exec(isFirst ? "ROLLBACK" : "COMMIT");
      isFirst = false;
      app.close();
    });
    const work = testBroker.with({ engine: sqlite(file) }, { pay });
    await work.enqueue(pay.with({ id: "1" }));
    await work.advance("1m");
    assert.deepEqual(await runsOf(work, "pay"), { retried: 1, completed: 1 });
    await work.close();
    rmSync(folder, { recursive: true });
  });

  it("tried at once", async () => {
    const save = task<Row>("save", () => undefined);
    await using work = testBroker({ save });
    await work.tryNow(save.with({ id: "1" }), { timeout: "1s" });
    assert.deepEqual(await runsOf(work, "save"), { completed: 1 });
  });
});

describe("of this process", () => {
  it("run times and waits are summed, and the hands of its worker told, by queue", async () => {
    await using stage = new BrokerStage();
    const send = task<Row>("send", { queue: "mail", run: () => new Promise<void>((resolve) => stage.runtime.after(2_000, resolve)) });
    const work = stage.broker({ send });
    await work.enqueue([1, 2, 3].map((n) => send.with({ id: String(n) })));
    assert.equal((await told(work))("errand_worker_up"), 0);
    await stage.advance(4_000);
    const worker = await work.start({ queues: { mail: 2 }, signals: false });
    await stage.advance(1_000);
    const during = await told(work);
    const hands = ["slots", "running_jobs", "held_jobs"].map((what) => during(`errand_worker_${what}`, "queue=mail"));
    assert.deepEqual([during("errand_worker_up"), ...hands], [1, 2, 2, 0]);
    assert.ok((during("errand_last_beat_timestamp_seconds", "of=worker") ?? 0) >= stage.runtime.now() / 1_000 - 2);
    await stage.advance(9_000);
    const after = await told(work);
    assert.deepEqual([after("errand_run_seconds_total", "task=send"), after("errand_runs_total", "task=send", "outcome=completed")], [6, 3]);
    assert.equal(Math.round(after("errand_wait_seconds_total", "task=send") ?? 0), 4 + 4 + 6);
    assert.deepEqual([after("errand_claimed_jobs_total"), after("errand_outcomes_total", "answer=settled")], [3, 3]);
    await stage.finished(worker.stop());
    assert.equal((await told(work))("errand_worker_up"), 0);
  });

  it("calls that a store does not answer are counted, and the outcomes that had to be written again; the store is not asked for that", async () => {
    await using stage = new BrokerStage();
    const send = task<Row>("send", () => new Promise<void>((resolve) => stage.runtime.after(500, resolve)));
    const work = stage.broker({ send });
    await work.enqueue(send.with({ id: "1" }));
    const worker = await work.start({ signals: false });
    await stage.advance(100);
    const mend = stage.cut();
    await stage.advance(5_000);
    const calls = stage.calls.length;
    const cut = await told(work, { of: "process" });
    assert.equal(stage.calls.length, calls);
    assert.ok((cut("errand_store_calls_failed_total", "call=claim") ?? 0) > 1 && (cut("errand_store_calls_failed_total", "call=beat") ?? 0) > 0);
    assert.ok((cut("errand_outcomes_rewritten_total") ?? 0) > 0);
    assert.equal(cut("errand_worker_unwritten_outcomes"), 1);
    assert.equal(cut("errand_jobs", "queue=default", "task=send", "state=running"), undefined);
    mend();
    await stage.advance(5_000);
    const mended = await told(work, { of: "process" });
    assert.deepEqual([mended("errand_worker_unwritten_outcomes"), mended("errand_outcomes_total", "answer=settled")], [0, 1]);
    await stage.finished(worker.stop());
  });

  it("a new era of the store is counted once, with its cause's other signs: a warning, and definitions that are written again", async () => {
    await using stage = new BrokerStage();
    const work = stage.broker({ ticking: every("1h", task("tick", () => undefined).with({})) });
    const worker = await work.start({ signals: false });
    await stage.advance(5_000);
    assert.equal((await told(work))("errand_eras_total"), 0);
    stage.afterwards = (verb, answer) => (verb === "beat" ? { ...(answer as object), era: "another" } : answer);
    await stage.advance(10_000);
    assert.equal((await told(work))("errand_eras_total"), 1);
    assert.equal(stage.said("was rolled back").length, 1);
    await stage.finished(worker.stop());
  });

  it("tells which locks it holds and waits for, and whether it leads", async () => {
    await using stage = new BrokerStage();
    const [one, other] = [stage.broker(), stage.broker()];
    const stop = new AbortController();
    const leads = [one, other].map((work) =>
      work.lead("ticker", ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", resolve)), { signal: stop.signal }),
    );
    await stage.advance(1_000);
    const held = await stage.finished(one.lock("catalogue", { for: "1m" }));
    const [ofOne, ofOther] = [await told(one), await told(other)];
    assert.deepEqual([ofOne("errand_leads", "leadership=ticker"), ofOther("errand_leads", "leadership=ticker")], [1, 0]);
    assert.deepEqual([ofOne("errand_locks", "state=held"), ofOne("errand_locks", "state=waiting")], [2, 0]);
    assert.equal(ofOther("errand_locks", "state=waiting"), 1);
    assert.ok((ofOne("errand_last_beat_timestamp_seconds", "of=locks") ?? 0) > 0);
    await stage.finished(held.release());
    stop.abort();
    await stage.finished(Promise.all(leads));
    assert.equal((await told(one))("errand_leads", "leadership=ticker"), undefined);
  });

  it("an option that it does not have is refused", async () => {
    await using work = testBroker();
    await assert.rejects(work.metrics({ of: "fleet" as never }), /option-invalid: metrics\.of is "fleet"; give "store" or "process"/);
  });
});
