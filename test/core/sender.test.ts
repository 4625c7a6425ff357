/** What a caller of enqueue is told when the store fails. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Atom, Engine, Enqueued, NewJob } from "../../src/core/engine.ts";
import { ErrandError, type ErrorCode } from "../../src/core/errors.ts";
import { Sender } from "../../src/core/sender.ts";
import { realRuntime } from "../../src/runtime/real.ts";

/** Fails with these, one after the other. */
function failing(codes: ErrorCode[]): Pick<Engine, "enqueue"> {
  return {
    enqueue: () => {
      const code = codes.shift();
      if (code !== undefined) throw new ErrandError(code, "as the test wants it");
      return [[]];
    },
  };
}

async function errorOf(call: Promise<unknown>): Promise<ErrandError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(ErrandError.is(error));
  return error;
}

test("what may have been stored stays in doubt when repeating the call fails, however definitely", async () => {
  const sender = new Sender(failing(["store-busy", "store-failed", "store-busy", "broker-closed"]) as Engine, realRuntime());
  const first = await errorOf(sender.send([]));
  assert.deepEqual([first.code, first.isDefinite], ["store-busy", true]);
  const second = await errorOf(first.again());
  assert.deepEqual([second.code, second.isDefinite], ["store-failed", false]);
  const third = await errorOf(second.again());
  assert.deepEqual([third.code, third.isDefinite], ["store-busy", false]);
  const fourth = await errorOf(third.again());
  assert.deepEqual([fourth.code, fourth.isDefinite], ["broker-closed", false]);
  assert.deepEqual(await fourth.again(), []);
});

test("the error about a call names what was in it, at most a hundred", async () => {
  const sender = new Sender(failing(["store-failed", "store-failed"]) as Engine, realRuntime());
  const few = jobs(3);
  assert.deepEqual((await errorOf(sender.send(few))).details, { ids: few.map(({ id }) => id) });
  const many = jobs(150);
  assert.deepEqual((await errorOf(sender.send(many))).details, { ids: many.slice(0, 100).map(({ id }) => id) });
});

/** An engine that answers when it is told to, with what is on its way. */
class Slow {
  readonly isPipelined: boolean;
  readonly onTheWay: { readonly works: number; readonly answer: () => void }[] = [];
  mostAtOnce = 0;

  constructor(isPipelined: boolean) {
    this.isPipelined = isPipelined;
  }

  enqueue(atoms: readonly Atom[]): Promise<Enqueued[][]> {
    const works = atoms.reduce((sum, atom) => sum + atom.works.length, 0);
    return new Promise((resolve) => {
      const answer = (): void => {
        this.onTheWay.splice(this.onTheWay.indexOf(flush), 1);
        resolve(atoms.map((atom) => atom.works.map(({ id }) => ({ id, isDuplicate: false }))));
      };
      const flush = { works, answer };
      this.mostAtOnce = Math.max(this.mostAtOnce, this.onTheWay.push(flush));
    });
  }

  get sizes(): number[] {
    return this.onTheWay.map(({ works }) => works);
  }
}

let ids = 0;
function jobs(count: number, more: Partial<NewJob> = {}): NewJob[] {
  const keep = { completed: 1, skipped: 1, cancelled: 1, dead: 1 };
  const job = { kind: "job", task: "t", queue: "q", payload: "{}", content: "{}", keep, headStartMs: 0, rememberMs: 0 } as const;
  return Array.from({ length: count }, () => ({ ...job, id: String(ids++), ...more }));
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

function slow(isPipelined: boolean = false): { readonly engine: Slow; readonly sender: Sender } {
  const engine = new Slow(isPipelined);
  return { engine, sender: new Sender(engine as unknown as Engine, realRuntime()) };
}

test("many plain jobs are stored beside others that are on their way; few wait, and share the next commit", async () => {
  const { engine, sender } = slow();
  const sent = [5_000, 5_000, 5_000].map((count) => sender.send(jobs(count)));
  await turn();
  assert.deepEqual(engine.sizes, [5_000, 5_000]);
  engine.onTheWay[1]?.answer();
  assert.equal((await sent[1])?.length, 5_000);
  await turn();
  assert.deepEqual(engine.sizes, [5_000, 5_000]);
  engine.onTheWay[0]?.answer();
  await turn();
  const few = [1, 1, 1].map((count) => sender.send(jobs(count)));
  await turn();
  assert.deepEqual(engine.sizes, [5_000], "three jobs alone are not worth a commit of their own");
  engine.onTheWay[0]?.answer();
  await turn();
  assert.deepEqual(engine.sizes, [3]);
  engine.onTheWay[0]?.answer();
  await Promise.all([...sent, ...few, sender.idle()]);
});

test("pipelined, callers are parted in two, few go beside others, and each flush has a turn of its own", async () => {
  const { engine, sender } = slow(true);
  const sent = Array.from({ length: 64 }, () => sender.send(jobs(1)));
  await turn();
  assert.deepEqual(engine.sizes, [32]);
  await turn();
  assert.deepEqual(engine.sizes, [32, 32]);
  sent.push(sender.send(jobs(1)));
  await turn();
  assert.deepEqual(engine.sizes, [32, 32], "no more than two are on their way");
  engine.onTheWay[0]?.answer();
  await turn();
  await turn();
  assert.deepEqual(engine.sizes, [32, 1]);
  while (engine.onTheWay.length > 0) engine.onTheWay[0]?.answer();
  await Promise.all([...sent, sender.idle()]);
});

test("pipelined, what has an order or a name is stored alone as well", async () => {
  const { engine, sender } = slow(true);
  const sent = [jobs(1), jobs(1, { rememberMs: 1 }), jobs(1)].map((works) => sender.send(works));
  await turn();
  assert.deepEqual(engine.sizes, [3], "those of one turn share a call, in their order");
  sent.push(sender.send(jobs(1)));
  await turn();
  await turn();
  assert.deepEqual(engine.sizes, [3]);
  engine.onTheWay[0]?.answer();
  await turn();
  await turn();
  sent.push(sender.send(jobs(1, { rememberMs: 1 })));
  await turn();
  await turn();
  assert.deepEqual(engine.sizes, [1]);
  while (engine.onTheWay.length > 0) {
    engine.onTheWay[0]?.answer();
    await turn();
    await turn();
  }
  await Promise.all([...sent, sender.idle()]);
});

test("what has an order or a name is stored alone, in the order of the calls", async () => {
  for (const more of [
    { lane: { key: "k", width: 1, ifDead: "block" } },
    { unique: { key: "u", mode: { is: "one-waiting" } } },
    { rememberMs: 1 },
    { join: "j" },
    { after: [{ id: "a", when: "well" }] },
    { keyLimits: [{ key: "l", running: 1 }] },
  ] as unknown as Partial<NewJob>[]) {
    const { engine, sender } = slow();
    const sent = [sender.send(jobs(5_000)), sender.send(jobs(1_000, more)), sender.send(jobs(5_000)), sender.send(jobs(5_000))];
    await turn();
    assert.deepEqual(engine.sizes, [5_000], Object.keys(more).join());
    engine.onTheWay[0]?.answer();
    await turn();
    assert.deepEqual(engine.sizes, [1_000]);
    engine.onTheWay[0]?.answer();
    await turn();
    assert.deepEqual(engine.sizes, [5_000, 5_000]);
    while (engine.onTheWay.length > 0) engine.onTheWay[0]?.answer();
    await Promise.all([...sent, sender.idle()]);
  }
});

test("idle waits for all that is on its way, also where one of two fails", async () => {
  const { engine, sender } = slow();
  const sent = [sender.send(jobs(5_000)), sender.send(jobs(5_000))];
  await turn();
  let isIdle = false;
  const idle = sender.idle().then(() => (isIdle = true));
  engine.onTheWay[1]?.answer();
  await turn();
  assert.equal(isIdle, false);
  engine.onTheWay[0]?.answer();
  await Promise.all([...sent, idle]);
});
