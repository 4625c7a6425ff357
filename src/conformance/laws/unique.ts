/** G6: at most one live job for each key, in every mode; the loser gets the winner's id. */
import { giveUp } from "../../core/endings.ts";
import { event } from "../../core/event.ts";
import { task, type Task } from "../../core/task.ts";
import { when } from "../../core/when.ts";
import { between, equal, present } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { World } from "../world.ts";

interface Input {
  readonly key: string;
  readonly n: number;
}
const kept = task<Input>("kept", { uniqueBy: "key", run: () => undefined });
const replaced = task<Input>("replaced", { uniqueBy: "key", ifTaken: "replace", run: () => undefined });

async function live(world: World): Promise<number> {
  const { scheduled, blocked, ready, running, parked } = await world.observer.count();
  return scheduled + blocked + ready + running + parked;
}

const keep: readonly Law[] = [
  law("G6", "keep: the second gets the id of the first, which stays as it is", async (world) => {
    const { broker } = world.process({ kept });
    const first = await broker.enqueue(kept.with({ key: "a", n: 1 }));
    const second = await broker.enqueue(kept.with({ key: "a", n: 2 }));
    equal(second, { id: first.id, isDuplicate: true }, "the second answer");
    equal([(await world.job(first.id)).input, await live(world)], [{ key: "a", n: 1 }, 1], "the payload, and live jobs");
  }),
  law("G6", "of many that enqueue one key at once one wins, and all get its id", async (world) => {
    const processes = Array.from({ length: 5 }, () => world.process({ kept }));
    const calls = processes.flatMap(({ broker }) => Array.from({ length: 8 }, (_, n) => broker.enqueue(kept.with({ key: "a", n }))));
    const answers = await Promise.all(calls);
    equal(
      [new Set(answers.map(({ id }) => id)).size, answers.filter(({ isDuplicate }) => !isDuplicate).length, await live(world)],
      [1, 1, 1],
      "ids, winners, live jobs",
    );
  }),
  law("G6", "in one call the second of a key gets the id of the first", async (world) => {
    const answers = await world.process({ kept }).broker.enqueue([kept.with({ key: "a", n: 1 }), kept.with({ key: "b", n: 2 }), kept.with({ key: "a", n: 3 })]);
    equal([answers[2]?.id === answers[0]?.id, answers[2]?.isDuplicate, await live(world)], [true, true, 2], "same id, duplicate, live jobs");
  }),
  law("G6", "a key is free when its job has ended", async (world) => {
    const { broker } = await world.worker({ kept });
    const first = await broker.enqueue(kept.with({ key: "a", n: 1 }));
    await world.drained();
    const second = await broker.enqueue(kept.with({ key: "a", n: 2 }));
    await world.drained();
    equal([second.isDuplicate, second.id === first.id, world.runs.length], [false, false, 2], "duplicate, same id, runs");
  }),
  law("G6", "other keys and other tasks are not concerned", async (world) => {
    const twin = task<Input>("twin", { uniqueBy: "key", run: () => undefined });
    const answers = await world
      .process({ kept, twin })
      .broker.enqueue([kept.with({ key: "a", n: 1 }), kept.with({ key: "b", n: 1 }), twin.with({ key: "a", n: 1 })]);
    equal(
      answers.map(({ isDuplicate }) => isDuplicate),
      [false, false, false],
      "which are duplicates",
    );
  }),
  law("G6", "a key of several fields is taken only if all of them are equal", async (world) => {
    const pair = task<{ a: string; b: number }>("pair", { uniqueBy: ["a", "b"], run: () => undefined });
    const answers = await world
      .process({ pair })
      .broker.enqueue([pair.with({ a: "x", b: 1 }), pair.with({ a: "x", b: 2 }), pair.with({ a: "x,1", b: 1 }), pair.with({ a: "x", b: 1 })]);
    equal(
      answers.map(({ isDuplicate }) => isDuplicate),
      [false, false, false, true],
      "which are duplicates",
    );
  }),
  law("G6", "a cancelled job frees its key", async (world) => {
    const { broker } = world.process({ kept });
    const { id } = await broker.enqueue(kept.with({ key: "a", n: 1 }));
    await broker.cancel(id);
    equal((await broker.enqueue(kept.with({ key: "a", n: 2 }))).isDuplicate, false, "whether the next is a duplicate");
  }),
  law("G6", "a dead job frees its key, and cannot be redriven while another holds it", async (world) => {
    const mortal = task<Input>("mortal", { uniqueBy: "key", run: ({ n }) => (n === 1 ? giveUp("no way") : world.sleep("1h")) });
    const { broker } = await world.worker({ mortal });
    const dead = await broker.enqueue(mortal.with({ key: "a", n: 1 }));
    await world.drained();
    const next = await broker.enqueue(mortal.with({ key: "a", n: 2 }));
    equal([next.isDuplicate, await broker.retry(dead.id), await world.stateOf(dead.id)], [false, "taken", "dead"], "duplicate, the answer to retry, the state");
  }),
];

interface Held {
  readonly state: string;
  readonly reach: (world: World) => Promise<string>;
}
async function runningFirst(world: World, end: (attempt: number) => unknown): Promise<string> {
  const held = task<Input>("kept", { uniqueBy: "key", retry: { backoff: "fixed", first: "1h" }, run: (_, job) => end(job.attempt) });
  const { broker } = await world.worker({ held });
  const { id } = await broker.enqueue(held.with({ key: "a", n: 1 }));
  await world.until("it has run", () => world.runs.length === 1);
  await world.advance("1s");
  return id;
}
const held: readonly Held[] = [
  { state: "scheduled", reach: async (world) => (await world.process({ kept }).broker.enqueue(kept.with({ key: "a", n: 1 }, { in: "1h" }))).id },
  { state: "running", reach: (world) => runningFirst(world, () => world.sleep("1h")) },
  { state: "scheduled for a retry", reach: (world) => runningFirst(world, () => Promise.reject(new Error("not yet"))) },
];
const states: readonly Law[] = lawsOf(
  "G6",
  held,
  (row) => `a job that is ${row.state} holds its unique key`,
  async (world, row) => {
    const id = await row.reach(world);
    equal((await world.job(id)).state, row.state.split(" ")[0], "its state");
    equal(await world.process({ kept }).broker.enqueue(kept.with({ key: "a", n: 2 })), { id, isDuplicate: true }, "the answer to a second one");
    equal(await live(world), 1, "live jobs");
  },
);

const modes: readonly Law[] = [
  law("G6", "replace: the waiting job takes the new payload and due time, and keeps its id", async (world) => {
    const { broker } = world.process({ replaced });
    const first = await broker.enqueue(replaced.with({ key: "a", n: 1 }, { in: "1m" }));
    const second = await broker.enqueue(replaced.with({ key: "a", n: 2 }, { in: "10s" }));
    equal(second, { id: first.id, isDuplicate: true }, "the second answer");
    const job = await world.job(first.id);
    equal([job.input, job.dueAt.getTime() - world.now], [{ key: "a", n: 2 }, 10_000], "payload, and ms until due");
    await world.worker({ replaced });
    await world.drained();
    equal(
      world.runs.map((run) => run.input),
      [{ key: "a", n: 2 }],
      "what ran",
    );
  }),
  law("G6", "replace: a running job is not touched", async (world) => {
    const long = task<Input>("long", { uniqueBy: "key", ifTaken: "replace", run: () => world.sleep("5s") });
    const { broker } = await world.worker({ long });
    const first = await broker.enqueue(long.with({ key: "a", n: 1 }));
    await world.until("it runs", () => world.runs.length === 1);
    equal(await broker.enqueue(long.with({ key: "a", n: 2 })), { id: first.id, isDuplicate: true }, "the second answer");
    await world.drained();
    equal([(await world.job(first.id)).input, world.runs.length], [{ key: "a", n: 1 }, 1], "payload, and runs");
  }),
  law("G6", "debounce: it runs once, when it was quiet for long enough, with the last payload", async (world) => {
    const calm = task<Input>("calm", { uniqueBy: "key", ifTaken: { debounce: "10s", atMost: "1m" }, run: () => undefined });
    const { broker } = await world.worker({ calm });
    const from = world.now;
    for (const n of [1, 2, 3]) {
      await broker.enqueue(calm.with({ key: "a", n }));
      await world.advance("6s");
    }
    await world.drained();
    equal(
      world.runs.map((run) => run.input),
      [{ key: "a", n: 3 }],
      "what ran",
    );
    between((world.runs[0]?.startedAt ?? 0) - from, 22_000, 24_000, "ms until it ran: the last call at 12 s, and 10 s of quiet");
  }),
  law("G6", "debounce: it waits no longer than atMost, however often it is asked for", async (world) => {
    const calm = task<Input>("calm", { uniqueBy: "key", ifTaken: { debounce: "10s", atMost: "30s" }, run: () => undefined });
    const { broker } = await world.worker({ calm });
    const from = world.now;
    for (let n = 0; world.runs.length === 0 && n < 20; n++) {
      await broker.enqueue(calm.with({ key: "a", n }));
      await world.advance("4s");
    }
    between((world.runs[0]?.startedAt ?? 0) - from, 30_000, 32_000, "ms until it ran");
  }),
  law("G6", "throttle: the key outlives its job until the window ends", async (world) => {
    const rare = task<Input>("rare", { uniqueBy: "key", ifTaken: { throttle: "1m" }, run: () => undefined });
    const { broker } = await world.worker({ rare });
    const first = await broker.enqueue(rare.with({ key: "a", n: 1 }));
    await world.drained();
    await world.advance("50s");
    equal(await broker.enqueue(rare.with({ key: "a", n: 2 })), { id: first.id, isDuplicate: true }, "the answer within the window");
    await world.advance("10s");
    equal((await broker.enqueue(rare.with({ key: "a", n: 3 }))).isDuplicate, false, "whether one after the window is a duplicate");
    await world.drained();
    equal(
      world.runs.map((run) => (run.input as Input).n),
      [1, 3],
      "what ran",
    );
  }),
  law("G6", "throttle: the window also outlives the retention of its job", async (world) => {
    const rare = task<Input>("rare", { uniqueBy: "key", ifTaken: { throttle: "10m" }, keep: { completed: "1s" }, run: () => undefined });
    const { broker } = await world.worker({ rare });
    const first = await broker.enqueue(rare.with({ key: "a", n: 1 }));
    await world.until("its retention is over", async () => (await world.observer.find(first.id)) === undefined);
    equal(await broker.enqueue(rare.with({ key: "a", n: 2 })), { id: first.id, isDuplicate: true }, "the answer within the window");
  }),
  law("G6", "keep-one-more: one runs, one waits, a third gets the id of the one that waits", async (world) => {
    const again = task<Input>("again", { uniqueBy: "key", ifTaken: "one-more", run: () => world.sleep("5s") });
    const { broker } = await world.worker({ again });
    const first = await broker.enqueue(again.with({ key: "a", n: 1 }));
    await world.until("it runs", () => world.runs.length === 1);
    const second = await broker.enqueue(again.with({ key: "a", n: 2 }));
    const third = await broker.enqueue(again.with({ key: "a", n: 3 }));
    equal([second.isDuplicate, second.id === first.id, third.isDuplicate, third.id === second.id], [false, false, true, true], "the answers");
    await world.drained();
    equal(
      world.runs.map((run) => (run.input as Input).n),
      [1, 2],
      "what ran",
    );
    between((world.runs[1]?.startedAt ?? 0) - (world.runs[0]?.endedAt ?? Infinity), 0, 2_000, "ms between the end of the first and the start of the second");
  }),
  law("G6", "keep-one-more: of a subscription too one runs and one waits for its end, also where the publisher lacks its code", async (world) => {
    const happened = event<Input>("happened");
    const again = task<Input>("again", { uniqueBy: "key", ifTaken: "one-more", run: () => world.sleep("5s") });
    await world.worker({ subscribed: when(happened, again) });
    const { broker } = world.process({ happened });
    await broker.publish([happened.with({ key: "a", n: 1 }), happened.with({ key: "b", n: 1 })]);
    await world.until("those of two keys run at once", () => world.runs.length === 2, "3s");
    for (const n of [2, 3]) await broker.publish(happened.with({ key: "a", n }));
    await world.drained();
    const [first, second, ...more] = world.runs.filter((run) => (run.input as Input).key === "a");
    const numbers = [first, second].map((run) => (present(run, "a run").input as Input).n);
    equal([numbers, more.length], [[1, 2], 0], "what ran of one key");
    between((second?.startedAt ?? 0) - (first?.endedAt ?? Infinity), 0, 2_000, "ms between the end of the first and the start of the second");
  }),
  law("G6", "keep-one-more: while none runs, the one that waits wins", async (world) => {
    const again = task<Input>("again", { uniqueBy: "key", ifTaken: "one-more", run: () => undefined });
    const { broker } = world.process({ again });
    const first = await broker.enqueue(again.with({ key: "a", n: 1 }));
    const second = await broker.enqueue(again.with({ key: "a", n: 2 }));
    equal(second, { id: present(first.id, "an id"), isDuplicate: true }, "the second answer");
  }),
  law("G6", "what follows from a completed job may take the key that it held", async (world) => {
    const loop: Task<Input> = task<Input>("loop", { uniqueBy: "key", run: ({ key, n }, job) => n < 3 && job.enqueue(loop.with({ key, n: n + 1 })) });
    await (await world.worker({ loop })).broker.enqueue(loop.with({ key: "a", n: 1 }));
    await world.drained();
    equal(
      world.runs.map((run) => (run.input as Input).n),
      [1, 2, 3],
      "what ran",
    );
  }),
];

export const uniqueLaws: readonly Law[] = [...keep, ...states, ...modes];
