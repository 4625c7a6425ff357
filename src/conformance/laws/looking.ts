/** G2 and G19: what is stored can be found and counted. */
import { giveUp, skip, snooze } from "../../core/endings.ts";
import { jobStates, type JobState } from "../../core/states.ts";
import { task } from "../../core/task.ts";
import { equal, present } from "../expect.ts";
import { law, type Law } from "../law.ts";
import type { World } from "../world.ts";

const work = task<{ key: string }>("work", { orderedBy: "key", run: () => undefined });

const finds: readonly Law[] = [
  law("G2", "find of an unknown id answers undefined", async (world) => {
    equal(await world.observer.find("nobody"), undefined, "the answer");
  }),
];

const lists: readonly Law[] = [
  law("G19", "jobs are listed by state, queue and task", async (world) => {
    const mail = task<{ n: number }>("mail", { queue: "mail", run: () => undefined });
    const { broker } = world.process({ mail, work });
    await broker.enqueue([mail.with({ n: 1 }), mail.with({ n: 2 }, { in: "1h" }), work.with({ key: "a" }), work.with({ key: "a" })]);
    const found = async (filter: Parameters<typeof broker.list>[0]): Promise<number> => (await broker.list(filter)).jobs.length;
    equal(
      [
        await found({ states: ["ready"] }),
        await found({ states: ["ready", "scheduled"] }),
        await found({ queue: "mail" }),
        await found({ task: "work" }),
        await found({ task: "work", states: ["blocked"] }),
        await found({ queue: "mail", task: "work" }),
      ],
      [2, 3, 2, 2, 1, 0],
      "jobs found",
    );
  }),
  law("G19", "jobs are listed by their key", async (world) => {
    const { broker } = world.process({ work });
    await broker.enqueue(["a", "b", "a"].map((key) => work.with({ key })));
    const { jobs } = await broker.list({ lane: 'work["a"]' });
    equal(
      jobs.map(({ input }) => input),
      [{ key: "a" }, { key: "a" }],
      "jobs found",
    );
  }),
  law("G19", "a page of a filter goes on where it ended", async (world) => {
    const { broker } = world.process({ work });
    const stored = await broker.enqueue(Array.from({ length: 40 }, (_, n) => work.with({ key: `k${n % 2}` })));
    const first = await broker.list({ states: ["blocked"] }, { limit: 10 });
    const second = await broker.list({ states: ["blocked"] }, { limit: 100, after: present(first.next, "a next page") });
    equal(
      [...first.jobs, ...second.jobs].map(({ id }) => id),
      stored.slice(2).map(({ id }) => id),
      "the blocked ones, in order",
    );
  }),
  law("G19", "an ended job can be deleted, a live one cannot", async (world) => {
    const { broker } = world.process({ work });
    const [first, second] = await broker.enqueue([work.with({ key: "a" }), work.with({ key: "b" })]);
    await broker.cancel(first?.id ?? "");
    const { jobs } = await broker.change({ ids: [first?.id ?? "", second?.id ?? "", "nobody"] }, { do: "delete" });
    equal(
      jobs.map(({ is }) => is),
      ["deleted", "live", "unknown"],
      "the answers",
    );
    equal([await broker.find(first?.id ?? ""), await world.stateOf(second?.id ?? "")], [undefined, "ready"], "what is left");
  }),
];

/** Reproducible, and no better than it must be. */
class Dice {
  #state = 20_260_101;
  below(limit: number): number {
    this.#state = (this.#state * 48_271) % 2_147_483_647;
    return this.#state % limit;
  }
}

async function listed(world: World): Promise<Record<JobState, number>> {
  const counts = Object.fromEntries(jobStates.map((state) => [state, 0])) as Record<JobState, number>;
  let after: string | undefined;
  let pages = 0;
  do {
    const page = await world.observer.list({}, { limit: 1_000, ...(after !== undefined && { after }) });
    for (const job of page.jobs) counts[job.state]++;
    after = page.next;
  } while (after !== undefined && ++pages < 50);
  return counts;
}

const chaosEndings: readonly (() => unknown)[] = [
  () => undefined,
  () => skip("no need"),
  () => Promise.reject(new Error("no")),
  () => giveUp("no"),
  () => snooze("3s"),
];

const counted: readonly Law[] = [
  law("G19", "counts equal what is listed, after 10,000 random operations", async (world) => {
    const dice = new Dice();
    const chaos = task<{ key: string; n: number }>("chaos", {
      orderedBy: "key",
      uniqueBy: "n",
      retry: { attempts: 2, backoff: "fixed", first: "5s" },
      run: ({ n }) => chaosEndings[n % 5]?.(),
    });
    const { broker } = await world.worker({ chaos }, { queues: { default: 100 } });
    const ids: string[] = [];
    const some = (length: number): string[] => Array.from({ length }, () => ids[dice.below(ids.length)] ?? "");
    for (let operations = 0; operations < 10_000;) {
      const stored = await broker.enqueue(
        Array.from({ length: 300 }, () =>
          chaos.with({ key: `k${dice.below(40)}`, n: dice.below(2_000) }, dice.below(4) === 0 ? { in: `${dice.below(20)}s` } : {}),
        ),
      );
      ids.push(...stored.map(({ id }) => id));
      await broker.change({ ids: some(60) }, { do: "cancel", reason: "no" });
      await broker.change({ ids: some(40) }, { do: "retry" });
      await broker.change({ ids: some(20) }, { do: "delete" });
      operations += 420;
      await world.advance("1500ms");
      if (operations % 2_100 === 0) equal(await world.observer.count(), await listed(world), `the counts after ${operations} operations`);
    }
    equal(await world.observer.count(), await listed(world), "the counts");
  }),
  law("G19", "counts are told apart by queue and task", async (world) => {
    const mail = task<{ n: number }>("mail", { queue: "mail", run: () => undefined });
    const { broker } = world.process({ mail, work });
    await broker.enqueue([mail.with({ n: 1 }), mail.with({ n: 2 }), work.with({ key: "a" })]);
    equal(
      [
        (await broker.count({ queue: "mail" })).ready,
        (await broker.count({ task: "work" })).ready,
        (await broker.count()).ready,
        (await broker.count({ queue: "none" })).ready,
      ],
      [2, 1, 3, 0],
      "ready jobs",
    );
  }),
];

export const lookingLaws: readonly Law[] = [...finds, ...lists, ...counted];
