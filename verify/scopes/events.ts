/** Scopes about events: who subscribes while others publish, from when on, with history or without. */
import type * as port from "../../src/core/engine.ts";
import { subscriptionKey, replayKey, type StoredSubscription } from "../../src/core/notes.ts";
import { both } from "./changes.ts";
import { enqueuing, Hand, job, queue, tidying, working } from "./hand.ts";
import type { Scope, Steps } from "./play.ts";

const event = (id: string): port.NewEvent => ({ kind: "event", id, content: "", rememberMs: 60_000, name: "placed", payload: `"${id}"` });
const subscription = (name: string, since: StoredSubscription["since"]): StoredSubscription => ({
  name,
  event: "placed",
  since,
  task: "t",
  queue,
  headStartMs: 0,
  delayMs: 0,
  isMapped: false,
  keep: job("none").keep,
});
const publishing = (id: string): Steps => enqueuing([{ works: [event(id)] }]);
const subscribing = (one: StoredSubscription): Steps => enqueuing([{ works: [], notes: [{ key: subscriptionKey(one.name), value: JSON.stringify(one) }] }]);
const unsubscribing = (name: string): Steps =>
  enqueuing([
    {
      works: [],
      notes: [
        { key: subscriptionKey(name), value: undefined },
        { key: replayKey(name), value: undefined },
      ],
    },
  ]);

/** By the order of the calls at the store: of which event each subscription is owed a job. */
function fanOut(since: StoredSubscription["since"], isRetired: boolean, holds: string): Scope {
  return {
    name: `subscribe against publish: ${since === "now" ? "from now on" : "from the beginning"}${isRetired ? ", and unsubscribe" : ""}`,
    holds,
    cast: (watch) => {
      const published = new Set<string>();
      const owed = new Set<string>();
      const allowed = new Set<string>();
      let isSubscribed = false;
      watch.lookers.push(({ verb, args }) => {
        if (verb !== "enqueue") return;
        const [atom] = args[0] as readonly port.Atom[];
        const note = atom?.notes?.[0];
        if (note !== undefined) {
          const isNew = note.value !== undefined && !isSubscribed;
          isSubscribed = note.value !== undefined;
          if (isNew && since === "beginning") for (const id of published) (isRetired ? allowed : owed).add(id);
        }
        for (const { id } of atom?.works ?? []) {
          if (published.has(id)) continue;
          published.add(id);
          if (isSubscribed) owed.add(id);
        }
      });
      return {
        before: publishing("first"),
        actors: [
          { name: "publisher", steps: both(publishing("second"), publishing("third")), may: ["lose"] },
          {
            name: "subscriber",
            steps: isRetired ? both(subscribing(subscription("s", since)), unsubscribing("s")) : subscribing(subscription("s", since)),
            may: ["lose"],
          },
          { name: "worker", steps: working(new Hand("worker"), 2), may: ["lose", "die"] },
          { name: "house", steps: both(tidying(), tidying()) },
        ],
        check: ({ rows }) => {
          const made = rows.map(({ from }) => from?.eventId ?? "");
          return [
            ...[...owed]
              .filter((id) => made.filter((one) => one === id).length !== 1)
              .map((id) => `G10 ${id} has ${made.filter((one) => one === id).length} jobs of a subscription that was there`),
            ...made.filter((id, nth) => made.indexOf(id) !== nth).map((id) => `G10 ${id} has more than one job`),
            ...made.filter((id) => !owed.has(id) && !allowed.has(id)).map((id) => `G10 ${id} has a job of a subscription that was not there`),
            ...rows.filter(({ state }) => state !== "completed").map(({ id, state }) => `G2 ${id} is ${state} at the end`),
          ];
        },
      };
    },
  };
}

export const joined: Scope = {
  name: "two subscriptions, one unique key, and the end of a job",
  holds: "each event makes a job for each subscription, or joins the live one of its key",
  cast: (watch) => {
    const unique: StoredSubscription = { ...subscription("u", "now"), uniqueBy: ["key"], task: "then" };
    const keyed = (id: string): port.NewEvent => ({ ...event(id), payload: '{"key":1}' });
    let live: string | undefined;
    let expected = 0;
    watch.lookers.push(({ verb, args, answer }) => {
      if (verb === "enqueue") {
        const isNew = (answer as (port.Enqueued[] | Error)[]).some((told) => Array.isArray(told) && told[0]?.isDuplicate === false);
        const isEvent = (args[0] as readonly port.Atom[])[0]?.works[0]?.kind === "event";
        if (isEvent && isNew && live === undefined) [live, expected] = ["", expected + 1];
      }
      if (verb === "claim") for (const { id, task } of (answer as port.Claimed).jobs) if (task === "then") live = id;
      if (verb === "settle" && (answer as readonly port.Settled[]).some(({ id, is }) => id === live && is === "settled")) live = undefined;
    });
    const subscribed = both(subscribing(unique), subscribing(subscription("s", "now")));
    const hand = (name: string): Hand => new Hand(name, ["t", "then"]);
    const all = [enqueuing([{ works: [keyed("1")] }]), enqueuing([{ works: [keyed("2")] }]), enqueuing([{ works: [keyed("3")] }])] as const;
    return {
      before: subscribed,
      actors: [
        { name: "publisher", steps: both(all[0], all[1]), may: ["lose"] },
        { name: "other", steps: all[2], may: ["lose"] },
        { name: "worker", steps: working(hand("worker"), 2), may: ["lose", "die"] },
        { name: "second", steps: working(hand("second"), 1), may: ["lose", "die"] },
      ],
      check: ({ rows }) => {
        const plain = rows.filter(({ task }) => task === "t").length;
        const own = rows.filter(({ task }) => task === "then").length;
        return [
          ...(plain === 3 ? [] : [`G10 three events made ${plain} jobs of a subscription`]),
          ...(own === expected ? [] : [`G10 ${own} jobs of a unique key, where ${expected} came when none lived`]),
        ];
      },
    };
  },
};

export const all: readonly Scope[] = [
  fanOut("now", false, "an event that is published after a subscription was acknowledged has one job of it, one before has none"),
  fanOut("beginning", false, "history meets what is published meanwhile without a gap or a double"),
  fanOut("now", true, "who has unsubscribed gets nothing of what is published then, and keeps what was there"),
  fanOut("beginning", true, "history that is retired meanwhile makes no double either"),
  joined,
];
