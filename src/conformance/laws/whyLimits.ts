/** G2 and G9: what limits, resources, hours and breakers hold back is explained by `why`, with their numbers. */
import { resource } from "../../core/limits/resource.ts";
import { task, type Errand } from "../../core/task.ts";
import { present } from "../expect.ts";
import type { Law } from "../law.ts";
import type { World } from "../world.ts";
import { whysOf, type Told } from "./told.ts";

const a = { account: "a" };

/** The last of several jobs of a task, when so many of them run. */
async function lastOf(world: World, definitions: Readonly<Record<string, unknown>>, errands: readonly Errand[], running: number): Promise<string> {
  const { broker } = await world.worker(definitions);
  const accepted = await broker.enqueue(errands);
  await world.until("some of them run", () => world.runs.length === running);
  await world.advance("3s");
  return present(accepted.at(-1), "the last one").id;
}

const byLimits: readonly Told[] = [
  {
    what: "a job whose task runs as often as it may",
    reach: (world) => {
      const limited = task<{ n: number }>("limited", { limits: [{ running: 1 }], run: () => world.sleep("1h") });
      return lastOf(world, { limited }, [limited.with({ n: 1 }), limited.with({ n: 2 })], 1);
    },
    why: /waits because as many of its task run as may: 1 of 1, since 3 s; there is room when one of them has ended$/,
  },
  {
    what: "a job whose task was started as often as it may",
    reach: (world) => {
      const limited = task<{ n: number }>("limited", { limits: [{ starts: 2, every: "1h" }], run: () => undefined });
      return lastOf(
        world,
        { limited },
        [1, 2, 3].map((n) => limited.with({ n })),
        2,
      );
    },
    why: /waits because as many of its task as may in 1 h have started: 2 of 2, since 3 s; the next has room in (59 min|1 h).*, at /,
  },
  {
    what: "a job of whose key as many run as may",
    reach: (world) => {
      const limited = task<{ account: string }>("limited", { limits: [{ running: 1, per: "account" }], run: () => world.sleep("1h") });
      return lastOf(world, { limited }, [limited.with(a), limited.with(a)], 1);
    },
    why: /waits for room: of its key .*"a".* 1 may run at once, and as many do, since 3 s; there is room when one of them has ended$/,
  },
  {
    what: "a job of whose key as many were started as may",
    reach: (world) => {
      const limited = task<{ account: string }>("limited", { limits: [{ starts: 1, every: "1h", per: "account" }], run: () => undefined });
      return lastOf(world, { limited }, [limited.with(a), limited.with(a)], 1);
    },
    why: /waits for room: of its key .*"a".* 1 may start in 1 h, and as many have, since 3 s; there is room within 1 h of those$/,
  },
  {
    what: "a job that needs what is in use",
    reach: (world) => {
      const gpu = resource("gpu", { capacity: 3 });
      const render = task<{ n: number }>("render", { needs: { gpu: 2 }, run: () => world.sleep("1h") });
      return lastOf(world, { gpu, render }, [render.with({ n: 1 }), render.with({ n: 2 })], 1);
    },
    why: /waits because it needs 2 gpu, and 2 of 3 are in use, since 3 s; it goes on when enough of it is given back$/,
  },
  {
    what: "a job that needs more than there is",
    reach: (world) => {
      const gpu = resource("gpu", { capacity: 1 });
      const render = task<{ n: number }>("render", { needs: { gpu: 2 }, run: () => undefined });
      return lastOf(world, { gpu, render }, [render.with({ n: 1 })], 0);
    },
    why: /waits because it needs 2 gpu, and there is 1, since 3 s$/,
  },
  {
    what: "a job that needs what nobody has",
    reach: (world) => {
      const render = task<{ n: number }>("render", { needs: { gpu: 2 }, run: () => undefined });
      return lastOf(world, { render }, [render.with({ n: 1 })], 0);
    },
    why: /waits because it needs 2 gpu, and there are none, since 3 s$/,
  },
  {
    what: "a job that needs what the worker has itself, and uses",
    reach: async (world) => {
      const render = task<{ n: number }>("render", { needs: { gpu: 2 }, run: () => world.sleep("1h") });
      const { broker } = await world.worker({ render }, { has: { gpu: 3 } });
      const [, second] = await broker.enqueue([render.with({ n: 1 }), render.with({ n: 2 })]);
      await world.until("one runs", () => world.runs.length === 1);
      await world.advance("3s");
      return present(second, "the second").id;
    },
    why: /waits for a free worker that serves queue default and knows render and has 2 gpu, since 3 s; 1 process is running jobs now$/,
  },
  {
    what: "a job that needs more than the worker has itself",
    reach: async (world) => {
      const render = task<{ n: number }>("render", { needs: { gpu: 2 }, run: () => undefined });
      const { broker } = await world.worker({ render }, { has: { gpu: 1 } });
      const { id } = await broker.enqueue(render.with({ n: 1 }));
      await world.advance("3s");
      return id;
    },
    why: /waits because it needs 2 gpu, and a worker has 1 of its own, since 3 s$/,
  },
  {
    what: "a job outside its hours",
    reach: async (world) => {
      const at = new Date(world.now);
      const [from, to] = [6, 7].map((hours) => new Date(at.getTime() + hours * 3_600_000).toISOString().slice(11, 13));
      const nightly = task<{ n: number }>("nightly", { hours: { open: `${from}:00-${to}:00` as "06:00-07:00", zone: "UTC" }, run: () => undefined });
      return lastOf(world, { nightly }, [nightly.with({ n: 1 })], 0);
    },
    why: /waits because its hours are \d\d:00-\d\d:00 UTC, since 3 s; they begin in 5 h .*, at \d{4}-/,
  },
  {
    what: "a job whose dependency is failing",
    reach: async (world) => {
      const call = task<{ n: number }>("call", {
        dependsOn: "mail-api",
        breaker: { failing: 2, of: 2 },
        retry: { backoff: "fixed", first: "1h" },
        run: () => Promise.reject(new Error("503")),
      });
      const { broker } = await world.worker({ call });
      await broker.enqueue([call.with({ n: 1 }), call.with({ n: 2 })]);
      await world.until("both failed", () => world.runs.length === 2);
      await world.settle();
      return (await broker.enqueue(call.with({ n: 3 }))).id;
    },
    why: /waits because mail-api has been failing for .* \(.*503.*\), since 0 ms; one job tries it in 1 s, at /,
  },
];

export const whyLimitLaws: readonly Law[] = whysOf(byLimits);
