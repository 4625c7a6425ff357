/** G10: each subscription gets one job for each event, whoever publishes it. */
import { giveUp } from "../../core/endings.ts";
import { event } from "../../core/event.ts";
import { task } from "../../core/task.ts";
import { when } from "../../core/when.ts";
import { equal, holds, present } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { World } from "../world.ts";
import { inOrder, type Entry } from "./order.ts";

const happened = event<Entry>("happened", undefined, { orderedBy: "key" });
const mail = task<Entry>("mail", () => undefined);
const bill = task<Entry>("bill", () => undefined);
const mails = when(happened, mail);
const bills = when(happened, bill);

function numbersOf(world: World, name: string): number[] {
  return world
    .runsOf(name)
    .map((run) => (run.input as Entry).n)
    .toSorted((a, b) => a - b);
}
const upTo = (length: number): number[] => Array.from({ length }, (_, n) => n);

const each: readonly Law[] = [
  law("G10", "each subscription gets one job for each event", async (world) => {
    const { broker } = await world.worker({ mails, bills });
    await broker.publish(upTo(7).map((n) => happened.with({ key: "a", n })));
    await world.drained();
    equal([numbersOf(world, "mail"), numbersOf(world, "bill")], [upTo(7), upTo(7)], "what ran");
  }),
  law("G10", "a publisher without the subscribers' code fans out to them", async (world) => {
    await world.process({ mails, bills }).broker.open();
    await world.process({}).broker.publish(happened.with({ key: "a", n: 1 }));
    equal((await world.observer.count()).ready, 2, "jobs made before any subscriber looked");
    await world.worker({ mails, bills });
    await world.drained();
    equal([numbersOf(world, "mail"), numbersOf(world, "bill")], [[1], [1]], "what ran");
  }),
  law("G10", "a subscription stays when the process that registered it is gone", async (world) => {
    const first = world.process({ mails });
    await first.broker.open();
    world.crash(first);
    await world.process({}).broker.publish(happened.with({ key: "a", n: 1 }));
    await world.worker({ mails });
    await world.drained();
    equal(numbersOf(world, "mail"), [1], "what ran");
  }),
  law("G10", "an event that nobody subscribed to makes no job, and is no error", async (world) => {
    const answer = await world.process({}).broker.publish(happened.with({ key: "a", n: 1 }));
    equal([answer.isDuplicate, (await world.observer.count()).ready], [false, 0], "duplicate, and jobs");
  }),
  law("G10", "events of another name make no job", async (world) => {
    const { broker } = await world.worker({ mails });
    await broker.publish(event<Entry>("happened.elsewhere").with({ key: "a", n: 1 }));
    await world.advance("5s");
    equal(world.runs.length, 0, "runs");
  }),
  law("G10", "brokers that register the same subscription at once register it once", async (world) => {
    const processes = Array.from({ length: 6 }, () => world.process({ mails, bills }));
    await Promise.all(processes.map(({ broker }) => broker.open()));
    await world.process({}).broker.publish(happened.with({ key: "a", n: 1 }));
    equal((await world.observer.count()).ready, 2, "jobs");
  }),
  law("G10", "two subscriptions of one task to one event get a job each", async (world) => {
    const { broker } = await world.worker({ mails, again: when(happened, mail, { name: "reminder", in: "10s" }) });
    await broker.publish(happened.with({ key: "a", n: 1 }));
    await world.drained();
    equal(numbersOf(world, "mail"), [1, 1], "what ran");
  }),
  law("G10", "a subscriber that dies takes nothing from the others", async (world) => {
    const dying = task<Entry>("dying", () => giveUp("no way"));
    const { broker } = await world.worker({ mails, deaths: when(happened, dying) });
    await broker.publish(upTo(3).map((n) => happened.with({ key: "a", n })));
    await world.drained();
    equal([numbersOf(world, "mail"), (await world.observer.count({ task: "dying" })).dead], [upTo(3), 3], "what ran, and dead jobs");
  }),
  law("G10", "600 events of one call reach each subscriber", async (world) => {
    const { broker } = world.process({ mails, bills });
    await broker.publish(upTo(600).map((n) => happened.with({ key: `k${n}`, n })));
    equal([(await world.observer.count({ task: "mail" })).ready, (await world.observer.count({ task: "bill" })).ready], [600, 600], "jobs for each");
  }),
  law("G10", "a job tells the event and the subscription it came from", async (world) => {
    const { broker } = world.process({ mails });
    const { id } = await broker.publish(happened.with({ key: "a", n: 1 }));
    const { jobs } = await world.observer.list({ task: "mail" });
    equal(jobs[0]?.from, { event: "happened", eventId: id, subscription: "happened/mail" }, "where it came from");
  }),
  law("G10", "a subscription that was changed in the code is changed in the store by the next broker", async (world) => {
    await world.process({ mails }).broker.open();
    await world.process({ later: when(happened, mail, { in: "1h" }) }).broker.open();
    await world.process({}).broker.publish(happened.with({ key: "a", n: 1 }));
    equal((await world.observer.count()).scheduled, 1, "delayed jobs");
  }),
  law("G10", "a published event of a run fans out with the run's completion", async (world) => {
    const opening = task<Entry>("opening", (input, job) => job.publish(happened.with(input)));
    const { broker } = await world.worker({ opening, mails });
    await broker.enqueue(opening.with({ key: "a", n: 4 }));
    await world.drained();
    equal(numbersOf(world, "mail"), [4], "what ran");
  }),
];

const mapped: readonly Law[] = [
  law("G10", "a mapping makes the task's input from the event, in a worker; the publisher needs no code", async (world) => {
    const note = task<{ text: string }>("note", () => undefined);
    const notes = when(happened, note, { with: ({ key, n }) => ({ text: `${key}${n}` }) });
    await world.process({ notes }).broker.open();
    await world.process({}).broker.publish([1, 2].map((n) => happened.with({ key: "a", n })));
    await world.worker({ notes });
    await world.drained();
    equal(
      world.runsOf("note").map((run) => run.input),
      [{ text: "a1" }, { text: "a2" }],
      "what ran",
    );
  }),
  law("G10", "a mapping that answers undefined skips the event, and no run of the task starts", async (world) => {
    const odd = when(happened, mail, { with: (payload) => (payload.n % 2 === 1 ? payload : undefined) });
    const { broker } = await world.worker({ odd });
    await broker.publish(upTo(4).map((n) => happened.with({ key: `k${n}`, n })));
    await world.drained();
    equal([numbersOf(world, "mail"), (await world.observer.count()).skipped], [[1, 3], 2], "what ran, and skipped jobs");
  }),
  law("G10", "mapped events of one key reach their task in the order of publishing, though mappings fail at first", async (world) => {
    const ledger = task<Entry>("ledger", { orderedBy: "key", run: ({ n }) => world.sleep(`${((n * 37) % 5) * 100}ms`) });
    const failed = new Set<string>();
    const failsOnce = (payload: Entry): Entry => {
      const isFirst = failed.size < failed.add(`${payload.key}${payload.n}`).size;
      if (isFirst && payload.n % 3 === 0) throw new Error("not yet");
      return payload;
    };
    const entries = when(happened, ledger, { with: failsOnce });
    const processes = [await world.worker({ entries }), await world.worker({ entries })];
    for (const n of upTo(12)) await processes[n % 2]?.broker.publish(["a", "b"].map((key) => happened.with({ key, n })));
    await world.drained("2m");
    equal(world.runsOf("ledger").length, 24, "runs");
    inOrder(world.runsOf("ledger"));
  }),
  law("G10", "events of one key reach an ordered task in the order of publishing", async (world) => {
    const ledger = task<Entry>("ledger", {
      orderedBy: "key",
      run: (_, job) => (job.attempt === 1 ? Promise.reject(new Error("not yet")) : world.sleep("200ms")),
    });
    const entries = when(happened, ledger);
    await world.worker({ entries });
    const publisher = world.process({});
    for (const n of upTo(6)) await publisher.broker.publish(["a", "b"].map((key) => happened.with({ key, n })));
    await world.drained("5m");
    equal(new Set(world.runs.map((run) => run.id)).size, 12, "jobs that ran");
    inOrder(world.runs);
  }),
  law("G10", "an event joins the live job that its task's uniqueBy names", async (world) => {
    const rebuild = task<Entry>("rebuild", { uniqueBy: "key", run: () => undefined });
    const { broker } = world.process({ rebuilds: when(happened, rebuild) });
    await broker.publish(upTo(5).map((n) => happened.with({ key: n === 4 ? "b" : "a", n })));
    equal((await world.observer.count()).ready, 2, "live jobs");
    await world.worker({ rebuilds: when(happened, rebuild) });
    await world.drained();
    equal(numbersOf(world, "rebuild"), [0, 4], "what ran");
  }),
];

const history: readonly Law[] = [
  ...lawsOf<{ since: "beginning" | "now"; got: number[] }>(
    "G10",
    [
      { since: "beginning", got: upTo(20) },
      { since: "now", got: upTo(20).slice(10) },
    ],
    (row) => `a new subscription since ${row.since} gets ${row.got.length} of 10 old events and 10 new ones, each once`,
    async (world, row) => {
      const publisher = world.process({});
      for (const n of upTo(10)) await publisher.broker.publish(happened.with({ key: "a", n }));
      const { broker } = await world.worker({ audits: when(happened, mail, { since: row.since }) });
      for (const n of upTo(10)) await broker.publish(happened.with({ key: "a", n: n + 10 }));
      await world.drained();
      await world.advance("5s");
      equal(numbersOf(world, "mail"), row.got, "what ran");
    },
  ),
  law("G10", "history meets the live events without a gap or a double, while others publish", async (world) => {
    const publishers = [world.process({}), world.process({}), world.process({})];
    let n = 0;
    const publishSome = (): Promise<unknown> =>
      Promise.all(publishers.flatMap(({ broker }) => upTo(7).map(() => broker.publish(happened.with({ key: "a", n: n++ })))));
    for (let turn = 0; turn < 5; turn++) await publishSome();
    const subscriber = world.process({ audits: when(happened, mail, { since: "beginning" }) });
    await Promise.all([publishSome(), subscriber.broker.open(), publishSome()]);
    await publishSome();
    await world.worker({ audits: when(happened, mail, { since: "beginning" }) });
    await publishSome();
    await world.drained("2m");
    await world.advance("5s");
    equal(numbersOf(world, "mail"), upTo(n), "what ran");
  }),
  law("G10", "2,500 old events reach a new subscriber, in passes", async (world) => {
    await world.process({}).broker.publish(upTo(2_500).map((n) => happened.with({ key: "a", n })));
    await world.worker({ audits: when(happened, mail, { since: "beginning" }) }, { queues: { default: 500 } });
    await world.until("all of them have run", () => world.runsOf("mail").length >= 2_500, "2m");
    await world.advance("5s");
    equal(numbersOf(world, "mail"), upTo(2_500), "what ran");
  }),
  law("G10", "history is not given again when the broker opens again", async (world) => {
    await world.process({}).broker.publish(happened.with({ key: "a", n: 0 }));
    const audits = when(happened, mail, { since: "beginning" });
    const first = await world.worker({ audits });
    await world.advance("3s");
    await world.stop(first);
    await world.worker({ audits });
    await world.advance("5s");
    equal(numbersOf(world, "mail"), [0], "what ran");
  }),
  law("G10", "unsubscribe retires a subscription; what it had got still runs", async (world) => {
    const { broker } = world.process({ mails, bills });
    await broker.publish(happened.with({ key: "a", n: 1 }));
    equal(
      [await broker.unsubscribe("happened/mail"), await broker.unsubscribe("happened/mail"), await broker.unsubscribe("nobody")],
      [true, false, false],
      "the answers",
    );
    await broker.publish(happened.with({ key: "a", n: 2 }));
    equal(
      [(await world.observer.count({ task: "mail" })).ready, (await world.observer.count({ task: "bill" })).ready],
      [1, 2],
      "jobs of the retired one and of the other",
    );
  }),
  law("G10", "a mapped job of a retired subscription that no worker has is skipped, with the reason", async (world) => {
    const letter = task<{ to: string }>("letter", () => undefined);
    const mapped = when(happened, letter, { with: ({ key }) => ({ to: key }) });
    const { broker } = world.process({ mapped });
    await broker.publish(happened.with({ key: "a", n: 1 }));
    await world.worker({ letter });
    await world.advance("5s");
    equal((await world.observer.count({ task: "letter" })).scheduled, 1, "jobs deferred while it is subscribed");
    await broker.unsubscribe("happened/letter");
    await world.advance("1m");
    const { jobs } = await world.observer.list({ task: "letter" });
    equal(
      jobs.map(({ state, reason }) => [state, reason]),
      [["skipped", "its subscription happened/letter was retired"]],
      "the job",
    );
  }),
  law("G10", "a job of an event is made under an id of its own, the same whoever publishes", async (world) => {
    const { broker } = world.process({ mails });
    await broker.publish([1, 2].map((n) => happened.with({ key: "a", n }, { id: `fact-${n}` })));
    const { jobs } = await world.observer.list({ task: "mail" });
    equal(new Set(jobs.map(({ id }) => id)).size, 2, "different ids");
    holds(present(jobs[0], "a job").id !== "fact-1", "the job's id is not the event's");
  }),
];

export const fanOutLaws: readonly Law[] = [...each, ...mapped, ...history];
