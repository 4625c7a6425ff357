/** What a caller of a large call is told where part of it is refused or fails, and what is there then. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { batch, broker, task, type Errand } from "../../src/index.ts";
import { memory } from "../../src/memory/index.ts";
import { testBroker } from "../../src/testing/index.ts";

const part = task<{ n: number }>("part", () => undefined);
const single = task<{ n: number }>("single", { uniqueBy: "n", run: () => undefined });
const report = task("report", () => undefined);
const definitions = { part, single, report };
const parts = (count: number): Errand[] => Array.from({ length: count }, (_, n) => part.with({ n }));

async function errorOf(call: Promise<unknown>): Promise<ErrandError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ErrandError, String(error));
  return error;
}

/** Its `enqueue` does what `before` does instead, where that throws. */
function watched(before: (calls: number) => void): { readonly engine: Engine; readonly sizes: number[] } {
  const sizes: number[] = [];
  const engine = new Proxy(memory(), {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (name !== "enqueue") return member.bind(target) as unknown;
      return (...args: Parameters<Engine["enqueue"]>) => {
        const works = args[0].reduce((sum, atom) => sum + atom.works.length, 0);
        if (works > 1) {
          sizes.push(works);
          before(sizes.length);
        }
        return target.enqueue(...args);
      };
    },
  });
  return { engine, sizes };
}

test("a large batch of which a member is refused in its middle is refused for certain, and has no effect", async () => {
  await using work = testBroker(definitions);
  await work.enqueue(part.with({ n: 0 }, { id: "taken" }));
  const error = await errorOf(
    work.enqueue(batch([...parts(700), part.with({ n: 1 }, { id: "taken" }), ...parts(700)], { whenAllEnd: report.with({}), id: "large" })),
  );
  assert.deepEqual([error.code, error.isDefinite], ["id-conflict", true]);
  await work.drain();
  assert.equal((await work.count()).completed, 1);
  assert.equal((await work.batch("large"))?.state, "staged");
  await work.advance("70m");
  assert.deepEqual([await work.batch("large"), (await work.count()).blocked, (await work.count({ task: "part" })).completed], [undefined, 0, 1]);
});

test("of a call of which jobs were stored before a batch was refused, it is told that they were", async () => {
  await using work = testBroker(definitions);
  await work.enqueue(part.with({ n: 0 }, { id: "taken" }));
  const error = await errorOf(work.enqueue([...parts(600), batch([...parts(700), part.with({ n: 1 }, { id: "taken" })])]));
  assert.deepEqual([error.code, error.isDefinite], ["id-conflict", false]);
  assert.match(error.message, /other items of the same call were stored/);
  const again = await errorOf(error.again());
  assert.deepEqual([again.code, again.isDefinite], ["id-conflict", false]);
  await work.drain();
  assert.equal((await work.count()).completed, 601);
});

test("a large batch that the store failed at in its middle is in doubt, and again() stores the whole of it, once", async () => {
  for (const failing of [1, 2]) {
    const { engine, sizes } = watched((calls) => {
      if (calls === failing) throw new ErrandError("store-failed", "as the test wants it; wait");
    });
    await using work = testBroker.with({ engine }, definitions);
    const error = await errorOf(work.enqueue(batch(parts(4_500), { whenAllEnd: report.with({}), id: "large" })));
    assert.deepEqual([error.code, error.isDefinite], ["store-failed", false]);
    await error.again();
    assert.deepEqual(await work.enqueue(batch(parts(4_500), { whenAllEnd: report.with({}), id: "large" })), { id: "large", isDuplicate: true });
    await work.drain();
    assert.equal((await work.count()).completed, 4_501);
    assert.deepEqual((await work.batch("large"))?.counts, { members: 4_500, live: 0, succeeded: 4_500, failed: 0 });
    assert.ok(Math.max(...sizes) <= 4_000, `${Math.max(...sizes)} works in one call to the engine`);
  }
});

test("a large batch whose store is busy from the first is refused for certain", async () => {
  const { engine } = watched(() => {
    throw new ErrandError("store-busy", "as the test wants it; wait");
  });
  await using work = testBroker.with({ engine }, definitions);
  const error = await errorOf(work.enqueue(batch(parts(1_200))));
  assert.deepEqual([error.code, error.isDefinite], ["store-busy", true]);
});

test("what comes after a job that lost its unique key comes after the one that has it, also atoms later", async () => {
  await using work = testBroker(definitions);
  const { id: standing } = await work.enqueue(single.with({ n: 1 }));
  const lost = single.with({ n: 1 });
  const { id } = await work.enqueue(batch([lost, ...parts(600), part.with({ n: -1 }, { after: lost })]));
  const last = (await work.enqueued()).find((job) => (job.input as { n: number }).n === -1);
  assert.deepEqual(last?.after, [{ id: standing, when: "well" }]);
  await work.drain();
  assert.deepEqual((await work.batch(id))?.counts, { members: 602, live: 0, succeeded: 602, failed: 0 });
});

test("a large batch with an id is known again after it has ended, also where a member had lost its unique key", async () => {
  await using work = testBroker(definitions);
  await work.enqueue(single.with({ n: 1 }));
  const make = (): Errand => batch([...parts(700), single.with({ n: 1 })], { whenAllEnd: report.with({}), id: "large" });
  await work.enqueue(make());
  await work.drain();
  assert.deepEqual(await work.enqueue(make()), { id: "large", isDuplicate: true });
  await work.drain();
  assert.equal((await work.count()).completed, 702);
});

test("answers stand in the order of the call, batches with their own id, whatever is stored when", async () => {
  await using work = testBroker(definitions);
  const answers = await work.enqueue([
    batch(parts(600), { id: "large" }),
    part.with({ n: 1 }, { id: "one" }),
    batch([], { id: "empty" }),
    ...parts(500),
    part.with({ n: 2 }, { id: "last" }),
  ]);
  assert.deepEqual([answers.length, answers[0]?.id, answers[1]?.id, answers[2]?.id, answers.at(-1)?.id], [504, "large", "one", "empty", "last"]);
  assert.ok(answers.every(({ isDuplicate }) => !isDuplicate));
  assert.equal(new Set(answers.map(({ id }) => id)).size, 504);
});

test("between the parts of a large batch the event loop gets its turns, and a broker that closes waits for all of them", async () => {
  let turns = 0;
  const turnsAt: number[] = [];
  const { engine, sizes } = watched(() => turnsAt.push(turns));
  const work = broker(engine, definitions);
  await work.open();
  let isOver = false;
  const turn = (): void => {
    turns++;
    if (!isOver) setImmediate(turn);
  };
  turn();
  const stored = work.enqueue(batch(parts(12_000), { whenAllSucceed: report.with({}) }));
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  await work.close();
  isOver = true;
  assert.equal((await stored).isDuplicate, false);
  assert.ok(sizes.length >= 4);
  assert.equal(new Set(turnsAt).size, turnsAt.length, `turns at each part: ${turnsAt.join()}`);
});
