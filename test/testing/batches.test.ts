/** What a test can say of batches and chains. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { batch, chain, skip, task, type BatchView, type Errand } from "../../src/index.ts";
import { testBroker } from "../../src/testing/index.ts";

const done: string[] = [];
const part = task("part", ({ n }: { n: number }) => void done.push(`part ${n}`));
const report = task("report", ({ day }: { day: string }) => void done.push(`report ${day}`));
const definitions = { part, report };
const parts = (...ns: readonly number[]): Errand[] => ns.map((n) => part.with({ n }));

const month = (): Errand => batch(parts(1, 2), { whenAllSucceed: report.with({ day: "31" }), name: "month" });

const [a, b] = parts(1, 2) as [Errand, Errand];
const rows: readonly { readonly what: string; readonly stored: Errand; readonly expected: Errand; readonly isThere: boolean }[] = [
  { what: "the same batch", stored: month(), expected: month(), isThere: true },
  {
    what: "members in another order",
    stored: month(),
    expected: batch(parts(2, 1), { whenAllSucceed: report.with({ day: "31" }), name: "month" }),
    isThere: true,
  },
  { what: "without its callback: that may be another's", stored: month(), expected: batch(parts(1, 2), { name: "month" }), isThere: true },
  { what: "another callback", stored: month(), expected: batch(parts(1, 2), { whenAnyFails: report.with({ day: "31" }), name: "month" }), isThere: false },
  {
    what: "a callback with another payload",
    stored: month(),
    expected: batch(parts(1, 2), { whenAllSucceed: report.with({ day: "30" }), name: "month" }),
    isThere: false,
  },
  { what: "a member less", stored: month(), expected: batch(parts(1), { whenAllSucceed: report.with({ day: "31" }), name: "month" }), isThere: false },
  { what: "a member more", stored: month(), expected: batch(parts(1, 2, 3), { name: "month" }), isThere: false },
  { what: "another name", stored: month(), expected: batch(parts(1, 2)), isThere: false },
  { what: "the same chain", stored: chain(...([a, b, a] as const)), expected: chain(...([a, b, a] as const)), isThere: true },
  { what: "a chain in another order", stored: chain(a, b), expected: chain(b, a), isThere: false },
  { what: "a chain is no batch", stored: chain(a, b), expected: batch([a, b]), isThere: false },
  { what: "a batch within", stored: chain(a, month(), b), expected: month(), isThere: false },
  { what: "a chain around a batch", stored: chain(a, month(), b), expected: chain(a, month(), b), isThere: true },
  {
    what: "the batch within a chain, without what is outside it",
    stored: chain(a, month(), b),
    expected: batch(parts(1, 2), { name: "month" }),
    isThere: false,
  },
  { what: "a given id", stored: batch([a], { id: "x" }), expected: batch([a], { id: "x" }), isThere: true },
  { what: "another given id", stored: batch([a], { id: "x" }), expected: batch([a], { id: "y" }), isThere: false },
  { what: "no given id", stored: batch([a], { id: "x" }), expected: batch([a]), isThere: true },
  { what: "a graph", stored: batch([a, part.with({ n: 3 }, { after: a })]), expected: batch([a, part.with({ n: 3 }, { after: a })]), isThere: true },
  { what: "a graph without its edge", stored: batch([a, part.with({ n: 3 }, { after: a })]), expected: batch([a, part.with({ n: 3 })]), isThere: false },
  { what: "a job of a batch, on its own", stored: month(), expected: part.with({ n: 2 }), isThere: true },
  { what: "an empty batch", stored: batch([]), expected: batch([]), isThere: true },
];

for (const { what, stored, expected, isThere } of rows) {
  test(`${what} is ${isThere ? "" : "not "}what was enqueued, before and after it ran`, async () => {
    await using work = testBroker(definitions);
    await work.enqueue(stored);
    for (const run of [() => Promise.resolve(), () => work.drain()]) {
      await run();
      await (isThere ? work.assertEnqueued(expected) : work.assertNotEnqueued(expected));
      await assert.rejects(isThere ? work.assertNotEnqueued(expected) : work.assertEnqueued(expected), { code: "assertion-failed" });
    }
  });
}

test("an assertion that fails shows what was expected, and the batches that there are", async () => {
  await using work = testBroker(definitions);
  await work.enqueue(chain(a, month()));
  await assert.rejects(work.assertEnqueued(batch(parts(3), { whenAllEnd: report.with({ day: "1" }) })), {
    message: `assertion-failed: batch of part {"n":3}; after it report {"day":"1"} was not enqueued; enqueued were:
  chain of part {"n":1}, report {"day":"31"}, a month
  month of part {"n":1}, part {"n":2}`,
  });
});

test("drain runs a batch and its callback, and the story tells of it", async () => {
  done.length = 0;
  await using work = testBroker(definitions);
  const { id } = await work.enqueue(batch(parts(1, 2), { whenAllSucceed: report.with({ day: "31" }), id: "june" }));
  await work.drain();
  assert.deepEqual(done, ["part 1", "part 2", "report 31"]);
  assert.equal((await work.batch(id))?.state, "closed");
  assert.ok(work.story().includes("+0s    batch june storing"), work.story().join("\n"));
});

test("a page of a batch that there is not is refused, a batch that there is not is undefined", async () => {
  await using work = testBroker(definitions);
  await work.enqueue(batch(parts(1, 2, 3), { id: "june" }));
  for (const page of [{ after: "7" }, { after: "1.x" }, { limit: 0 }, { limit: 1_001 }])
    await assert.rejects(work.batch("june", page), { code: "option-invalid" });
  await assert.rejects(work.batch("june", { from: 1 } as never), { code: "option-unknown" });
  assert.equal(await work.batch("july"), undefined);
});

test("a premise is compared in tests, and asserted", async () => {
  let version = 1;
  const charge = task("charge", { current: (_: { id: string }) => ({ version }), run: () => skip("done") });
  await using work = testBroker({ charge });
  await work.enqueue(charge.with({ id: "1" }, { expecting: { version: 1 } }));
  await work.assertEnqueued(charge.with({ id: "1" }, { expecting: { version: 1 } }));
  await work.assertNotEnqueued(charge.with({ id: "1" }, { expecting: { version: 2 } }));
  version = 2;
  await work.drain();
  assert.equal((await work.enqueued())[0]?.reason, "expected version 1, found 2");
});

test("a batch is read page by page, its jobs and the batches in it, to its end", async () => {
  for (const [jobs, batches] of [
    [5, 3],
    [3, 5],
    [2, 0],
    [0, 0],
  ] as const) {
    await using work = testBroker({ part });
    const { id } = await work.enqueue(
      batch([...Array.from({ length: jobs }, (_, n) => part.with({ n })), ...Array.from({ length: batches }, (_, n) => batch([part.with({ n })]))]),
    );
    const seen = { jobs: new Set<string>(), batches: new Set<string>() };
    let [pages, after]: [number, string | undefined] = [0, undefined];
    do {
      const page: BatchView | undefined = await work.batch(id, { limit: 2, ...(after !== undefined && { after }) });
      for (const job of page?.jobs ?? []) seen.jobs.add(job.id);
      for (const each of page?.batches ?? []) seen.batches.add(each.id);
      after = page?.next;
    } while (++pages < 10 && after !== undefined);
    assert.deepEqual([seen.jobs.size, seen.batches.size, pages], [jobs, batches, Math.max(1, Math.ceil(Math.max(jobs, batches) / 2))]);
  }
});
