/** G2 and G11: what batches, chains and predecessors hold back is explained by `why`, and so are batches themselves. */
import { batch } from "../../core/compose/batch.ts";
import { chain } from "../../core/compose/chain.ts";
import { giveUp } from "../../core/endings.ts";
import { task } from "../../core/task.ts";
import type { Law } from "../law.ts";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";
import { longRun, whysOf, type Told } from "./told.ts";

const plain = task<{ n: number }>("plain", () => undefined);

/** A batch of which a first part was stored, and no more is heard of. */
async function stagedIn(world: World, handing: Process = world.process({})): Promise<void> {
  const stored = { content: "", rememberMs: 0 };
  const keep = { completed: 1e6, skipped: 1e6, cancelled: 1e6, dead: 1e6 };
  await handing.broker.open();
  await handing.port.enqueue(
    [
      {
        works: [
          { kind: "join", id: "b", name: "import", isSealed: false, ...stored },
          { kind: "join", id: "inner", name: "chain", isSealed: true, join: "b", ...stored },
          { kind: "job", id: "member", task: "plain", queue: "default", payload: "{}", headStartMs: 0, join: "b", keep, ...stored },
          { kind: "job", id: "step", task: "plain", queue: "default", payload: "{}", headStartMs: 0, join: "inner", keep, ...stored },
        ],
      },
    ],
    { now: world.now },
  );
  await world.advance("5s");
}

const byBatch: readonly Told[] = [
  {
    what: "a job of a batch that is still being stored",
    reach: async (world) => {
      await stagedIn(world);
      return "member";
    },
    why: /waits with import b, which waits to be complete: it is still being stored, since 5 s$/,
  },
  {
    what: "a job of a chain in a batch that is still being stored",
    reach: async (world) => {
      await stagedIn(world);
      return "step";
    },
    why: /waits with chain inner, which waits to be complete: import b is still being stored, since 5 s$/,
  },
  {
    what: "a job that comes after the failure of another",
    reach: async (world) => {
      const { broker } = world.process({ plain });
      await broker.enqueue(batch([plain.with({ n: 1 }, { id: "first" })], { id: "b", whenAnyFails: plain.with({ n: 2 }, { id: "callback" }) }));
      return "callback";
    },
    why: /waits for batch b, of which 0 of 1 member has ended, to fail, since 0 ms$/,
  },
  {
    what: "a job that comes after several",
    reach: async (world) => {
      const { broker } = world.process({ plain });
      await broker.enqueue([plain.with({ n: 1 }, { id: "x" }), plain.with({ n: 2 }, { id: "y" })]);
      return (await broker.enqueue(plain.with({ n: 3 }, { after: ["x", "y"] }))).id;
    },
    why: /waits for job x \(plain\), which is ready, to end well; it comes after 1 other too, since 0 ms$/,
  },
  {
    what: "a job that comes after a running one",
    reach: async (world) => {
      const long = longRun(world);
      const { broker } = await world.worker({ long }, { queues: { long: 1 } });
      const last = long.with({ n: 2 }, { id: "last" });
      await broker.enqueue(chain(long.with({ n: 1 }, { id: "first" }), last));
      await world.until("the first runs", () => world.runs.length === 1);
      return "last";
    },
    why: /waits for job first \(long\), which is running, to end well, since /,
  },
  {
    what: "a job that comes after a batch",
    reach: async (world) => {
      const { broker } = await world.worker({ plain });
      const members = [plain.with({ n: 1 }), plain.with({ n: 2 }), plain.with({ n: 3 }, { in: "1h" })];
      await broker.enqueue(batch(members, { id: "b", whenAllEnd: plain.with({ n: 4 }, { id: "last" }) }));
      await world.until("two have run", () => world.runs.length === 2);
      return "last";
    },
    why: /waits for batch b, of which 2 of 3 members have ended, to end, since /,
  },
  {
    what: "a job of a batch that comes after a job",
    reach: async (world) => {
      const { broker } = world.process({ plain });
      await broker.enqueue(chain(plain.with({ n: 1 }, { id: "first" }), batch([plain.with({ n: 2 }, { id: "member" })], { id: "b" })));
      return "member";
    },
    why: /waits with batch b, which waits for job first \(plain\), which is ready, to end well, since 0 ms$/,
  },
];

const ofBatches: readonly Told[] = [
  {
    what: "a batch that is still being stored",
    reach: async (world) => {
      await stagedIn(world);
      return "b";
    },
    why: /^import b waits to be complete: it is still being stored, with 2 members so far, since 5 s$/,
  },
  {
    what: "a batch within one that waits",
    reach: async (world) => {
      const inner = batch([plain.with({ n: 2 })], { id: "inner" });
      await world.process({ plain }).broker.enqueue(chain(plain.with({ n: 1 }, { id: "first" }), batch([inner], { id: "b", name: "import" })));
      return "inner";
    },
    why: /^batch inner waits with import b, for job first \(plain\), which is ready, to end well, since 0 ms$/,
  },
  {
    what: "a cancelled batch of which a member still runs",
    reach: async (world) => {
      const deaf = task<{ n: number }>("deaf", () => world.sleep("1h"));
      const { broker } = await world.worker({ deaf });
      await broker.enqueue(batch([deaf.with({ n: 1 }, { id: "running" }), deaf.with({ n: 2 }, { in: "1h" })], { id: "b" }));
      await world.until("it runs", () => world.runs.length === 1);
      await broker.cancel("b");
      await world.settle();
      return "b";
    },
    why: /^batch b was cancelled, and is under way, since .*: 1 of 2 members have ended, 1 of them badly, and the first that has not is job running \(deaf\), which is running$/,
  },
  {
    what: "a batch that waits",
    reach: async (world) => {
      await world.process({ plain }).broker.enqueue(chain(plain.with({ n: 1 }, { id: "first" }), batch([plain.with({ n: 2 })], { id: "b", name: "import" })));
      return "b";
    },
    why: /^import b waits for job first \(plain\), which is ready, to end well, since 0 ms$/,
  },
  {
    what: "a batch under way",
    reach: async (world) => {
      const { broker } = await world.worker({ plain });
      await broker.enqueue(batch([plain.with({ n: 1 }), plain.with({ n: 2 }, { in: "1h", id: "later" })], { id: "b" }));
      await world.advance("5s");
      return "b";
    },
    why: /^batch b is under way, since 5 s: 1 of 2 members have ended, and the first that has not is job later \(plain\), which is scheduled$/,
  },
  {
    what: "a batch that succeeded",
    reach: async (world) => {
      const { broker } = await world.worker({ plain });
      await broker.enqueue(batch([plain.with({ n: 1 }), plain.with({ n: 2 })], { id: "b" }));
      await world.drained();
      await world.advance("1m");
      return "b";
    },
    why: /^batch b succeeded 1 min.* ago: 2 members$/,
  },
  {
    what: "a batch that failed",
    reach: async (world) => {
      const failing = task<{ n: number }>("failing", ({ n }) => (n === 2 ? giveUp("no such account") : undefined));
      const { broker } = await world.worker({ failing });
      await broker.enqueue(batch([failing.with({ n: 1 }), failing.with({ n: 2 }, { id: "bad" })], { id: "b" }));
      await world.drained();
      return "b";
    },
    why: /^batch b failed .* ago: 1 of 2 members ended badly, first of them job bad \(failing\), which is dead \(no such account\)$/,
  },
  {
    what: "an empty batch",
    reach: async (world) => (await world.process({}).broker.enqueue(batch([], { id: "b" }))).id,
    why: /^batch b succeeded 0 ms ago: 0 members$/,
  },
];

export const whyBatchLaws: readonly Law[] = whysOf([...byBatch, ...ofBatches]);
