/** G2: every job that does not run waits for a stated reason, which `why` names: for what, since when, and when it is expected to run. */
import { giveUp, skip, snooze } from "../../core/endings.ts";
import { task } from "../../core/task.ts";
import { equal, matches, present, refused } from "../expect.ts";
import { law, type Law } from "../law.ts";
import type { World } from "../world.ts";
import { longRun, whysOf, type Told } from "./told.ts";

const entry = task<{ account: string }>("entry", { orderedBy: "account", run: () => undefined });
const plain = task<{ n: number }>("plain", () => undefined);
const a = { account: "a" };

async function handedIn(world: World, errand: ReturnType<typeof plain.with>): Promise<string> {
  return (await world.process({ plain, entry }).broker.enqueue(errand)).id;
}

/** After one run that ended as `run` does. */
async function afterRun(world: World, run: () => unknown, account: string = "a"): Promise<string> {
  const runner = task<{ account: string }>("runner", { orderedBy: "account", retry: { backoff: "fixed", first: "1h" }, run });
  const { broker } = await world.worker({ runner });
  const { id } = await broker.enqueue(runner.with({ account }));
  await world.until("it has run", () => world.runs.length === 1);
  await world.advance("2s");
  return id;
}

const byTime: readonly Told[] = [
  {
    what: "a delayed job",
    reach: (world) => handedIn(world, plain.with({ n: 1 }, { in: "10m" })),
    why: /waits until it is due in 10 min, at \d{4}-\d\d-\d\dT[\d:.]+Z \(it was delayed\), since 0 ms$/,
  },
  {
    what: "a job that is to be tried again",
    reach: (world) => afterRun(world, () => Promise.reject(new Error("no route"))),
    why: /waits until it is due in .*\(to be tried again\), since 2 s; 1 attempt so far, the last one ended: no route$/,
  },
  { what: "a snoozed job", reach: (world) => afterRun(world, () => snooze("1h")), why: /waits until it is due in 59 min 58 s, at .*\(it was snoozed\)/ },
];

const byKey: readonly Told[] = [
  {
    what: "a job behind a delayed one of its key",
    reach: async (world) => {
      await handedIn(world, entry.with(a, { in: "1h", id: "first" }));
      return handedIn(world, entry.with(a));
    },
    why: /waits behind job first, which is scheduled, of its key entry\["a"\], since 0 ms; that one is due in 1 h, at /,
  },
  {
    what: "a job behind a ready one of its key",
    reach: async (world) => {
      await handedIn(world, entry.with(a, { id: "first" }));
      return handedIn(world, entry.with(a));
    },
    why: /waits behind job first, which is ready, of its key entry\["a"\], since 0 ms; its turn comes when those ahead of it have ended$/,
  },
  {
    what: "a job whose death parked its key",
    reach: (world) => afterRun(world, () => giveUp("no such account")),
    why: /waits to be redriven: it died \(no such account\), and its key runner\["a"\] waits with it, since 2 s$/,
  },
  {
    what: "a job of a key that another one's death parked",
    reach: async (world) => {
      const runner = task<typeof a>("runner", { orderedBy: "account", run: () => giveUp("no such account") });
      const [, behind] = await (await world.worker({ runner })).broker.enqueue([runner.with(a, { id: "first" }), runner.with(a)]);
      await world.advance("3s");
      return present(behind, "the second").id;
    },
    why: /waits parked behind job first, which died \(no such account\), in its key runner\["a"\], since .*; it goes on when that one is retried$/,
  },
];

const byWorker: readonly Told[] = [
  {
    what: "a job whose task no worker knows",
    reach: (world) => handedIn(world, plain.with({ n: 1 })),
    why: /waits because no worker that was started here knows the task plain, since 0 ms$/,
  },
  {
    what: "a job for which no hand is free",
    reach: async (world) => {
      const long = longRun(world);
      const { broker } = await world.worker({ long }, { queues: { long: 1 } });
      const [, second] = await broker.enqueue([1, 2, 3].map((n) => long.with({ n })));
      await world.until("one runs", () => world.runs.length === 1);
      await world.advance("1m");
      return present(second, "the second").id;
    },
    why: /waits for a free worker that serves queue long and knows long, since 1 min.*; 1 process is running jobs now, and 1 other job is ready in its line$/,
  },
  {
    what: "a job whose worker went away",
    reach: async (world) => {
      await world.stop(await world.worker({ plain }));
      return handedIn(world, plain.with({ n: 1 }));
    },
    why: /waits for a free worker that serves queue default and knows plain, since 0 ms; no process is running a job now$/,
  },
  {
    what: "a job of a paused queue and a paused task",
    reach: async (world) => {
      const { broker } = await world.worker({ plain });
      await broker.pause({ queue: "default" }, "the provider is down");
      await broker.pause({ task: "plain" });
      return (await broker.enqueue(plain.with({ n: 1 }))).id;
    },
    why: /waits because queue default is paused \(the provider is down\) and task plain is paused, since 0 ms$/,
  },
  {
    what: "a job that was in flight at two crashes",
    reach: async (world) => {
      const bomb = task<{ n: number }>("bomb", (_, job) => world.die(job));
      await world.worker({ plain }); // which takes back what the others held
      const { id } = await world.process({ bomb }).broker.enqueue(bomb.with({ n: 1 }));
      for (const deaths of [1, 2]) {
        await world.worker({ bomb });
        await world.until("it is taken back", async () => (await world.job(id)).suspects === deaths);
      }
      return id;
    },
    why: /waits for a worker that can run it alone: it was in flight in 2 crashes, since /,
  },
];

const byVersion: readonly Told[] = [
  {
    what: "a job of a version that no worker knows",
    reach: async (world) => {
      const old = task<{ n: number }>("changing", { version: 2, run: () => undefined });
      const young = task<{ n: number }>("changing", { version: 3, run: () => undefined });
      await world.worker({ old });
      const { id } = await world.process({ young }).broker.enqueue(young.with({ n: 1 }));
      await world.advance("3s");
      return id;
    },
    why: /waits until it is due in .* \(it was snoozed: version 3 of task "changing" is not known here, but 2; start a worker that has it\), since .*$/,
  },
];

const ended: readonly Told[] = [
  { what: "a running job", reach: (world) => afterRun(world, () => world.sleep("1h")), why: /has been running for 2 s in process/ },
  { what: "a completed job", reach: (world) => afterRun(world, () => undefined), why: /was completed 2 s ago$/ },
  { what: "a skipped job", reach: (world) => afterRun(world, () => skip("already sent")), why: /was skipped 2 s ago: already sent$/ },
  {
    what: "a cancelled job",
    reach: async (world) => {
      const id = await handedIn(world, plain.with({ n: 1 }, { in: "1h" }));
      await world.observer.cancel(id, "no longer wanted");
      return id;
    },
    why: /was cancelled 0 ms ago: no longer wanted$/,
  },
];

export const whyLaws: readonly Law[] = [
  ...whysOf([...byTime, ...byKey, ...byWorker, ...byVersion, ...ended]),
  law("G2", "why of an unknown id is refused as job-unknown", async (world) => {
    await refused(() => world.observer.why("nobody"), "job-unknown", "why");
  }),
  law("G2", "a worker writes down what its tasks depend on when it starts, once for all workers of the same code", async (world) => {
    const before = task<{ n: number }>("work", { needs: { gpu: 1 }, run: () => undefined });
    const after = task<{ n: number }>("work", { needs: { gpu: 2 }, run: () => undefined });
    const versions = async (): Promise<readonly number[]> =>
      (await look.port.find({ of: "notes", prefix: "task/", limit: 10 }, {})).rows.map(({ version }) => version);
    const look = world.process({});
    await look.broker.open();
    for (const [definitions, version] of [
      [{ before }, 1],
      [{ before }, 1],
      [{ after }, 2],
    ] as const) {
      await world.stop(await world.worker(definitions));
      equal(await versions(), [version], "versions of what was written down");
    }
  }),
  law("G2", "a worker that started while the store was away writes that down when it is back", async (world) => {
    const worker = world.process({ plain });
    await worker.broker.open();
    world.cutStore(worker);
    await world.finished(worker.start(), "the start of a worker");
    await world.advance("10s");
    world.healStore(worker);
    await world.advance("10s");
    await worker.broker.pause({ queue: "default" });
    const { id } = await worker.broker.enqueue(plain.with({ n: 1 }));
    matches(await world.observer.why(id), /waits because queue default is paused, since/, "why");
  }),
];
