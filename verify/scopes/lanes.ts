/** Scopes about order by key and about limits: who comes next, whoever ends, dies or is redriven; how many run and start. */
import type * as port from "../../src/core/engine.ts";
import { limitKey } from "../../src/core/notes.ts";
import type { Instant, Ms } from "../../src/core/runtime.ts";
import { both } from "./changes.ts";
import { atom, changing, enqueuing, Hand, housekeeping, job, stored, working } from "./hand.ts";
import type { Scope, Steps } from "./play.ts";
import type { Seen, Watch } from "./watch.ts";

/** In the order of enqueue; the last comes while others run. */
const members = ["a", "b", "c"];

/** Of a lane of width 1: one at a time, each after all before it have ended, none while it is parked or closed. */
function inOrder(watch: Watch, ifDead: port.LaneMembership["ifDead"]): void {
  const seen = (id: string): Seen | undefined => watch.jobs.get(id);
  watch.lookers.push(({ verb, args, answer }) => {
    if (verb !== "claim") return;
    const { jobs } = answer as port.Claimed;
    const own = jobs.map(({ id }) => id);
    for (const [nth, { id }] of jobs.entries()) {
      for (const other of members) {
        if (other === id) continue;
        const before = seen(other);
        if (before === undefined) continue;
        const isOwn = own.indexOf(other) >= 0 && own.indexOf(other) < nth;
        watch.holds(isOwn || !own.includes(other) || own.indexOf(other) > nth, `G7 ${id} and ${other} were handed out in the wrong order`);
        watch.holds(
          isOwn || own.includes(other) || !watch.isRunning(before),
          `G7 ${id} was handed to ${(args[0] as port.Claim).process} while ${other} of its key runs`,
        );
        const isEarlier = members.indexOf(other) < members.indexOf(id);
        watch.holds(!isEarlier || isOwn || before.ended !== undefined || ifDead === "park", `G7 ${id} started before ${other}, which came first, has ended`);
        watch.holds(!before.isParked || ifDead !== "block", `G7 ${id} started while ${other} of its key is parked`);
      }
    }
  });
}

/** In a closed lane nobody starts until one is redriven. */
function staysClosed(watch: Watch): void {
  let isClosed = false;
  watch.lookers.push(({ verb, answer }) => {
    if (verb === "settle" && (answer as readonly port.Settled[]).some(({ is, state }) => is === "settled" && state === "parked")) isClosed = true;
    if (verb === "change" && (answer as port.Changed).jobs.some(({ is }) => is === "retried")) isClosed = false;
    if (verb === "claim") for (const { id } of (answer as port.Claimed).jobs) watch.holds(!isClosed, `G7 ${id} started while its key is closed by a death`);
  });
}

function handOver(ifDead: port.LaneMembership["ifDead"], holds: string): Scope {
  return {
    name: `per-key hand-over: ${ifDead}`,
    holds,
    cast: (watch) => {
      const [one, two] = [new Hand("one"), new Hand("two")];
      const lane = { key: "lane", width: 1, ifDead };
      inOrder(watch, ifDead);
      if (ifDead === "park") staysClosed(watch);
      return {
        before: stored(job("a", { lane }), job("b", { lane })),
        actors: [
          { name: "one", steps: working(one, 2, ["dead", "completed"]), may: ["lose", "die"] },
          { name: "two", steps: working(two, 1), may: ["lose", "die"] },
          { name: "producer", steps: enqueuing([atom(job("c", { lane }))]), may: ["lose"] },
          ifDead === "continue"
            ? { name: "canceller", steps: changing({ ids: ["b"] }, { do: "cancel", reason: "" }), may: ["lose"] }
            : { name: "redriver", steps: changing({ ids: ["a"] }, { do: "retry" }), may: ["lose"] },
          { name: "house", steps: housekeeping(1) },
        ],
        mayStay: (row) => row.state === "parked" || (ifDead === "block" && row.state === "blocked" && row.waits?.reason === "key"),
        check: ({ rows }) => {
          const isHeld = rows.some(({ state }) => state === "parked");
          return rows.flatMap(({ id, state }) => (state === "blocked" && !isHeld ? [`G7 ${id} waits behind nobody`] : []));
        },
      };
    },
  };
}

export const inARow: Scope = {
  name: "per-key hand-over: several in a row",
  holds: "of several that one worker was handed in a row, those that it did not start run after those before them, whoever takes them",
  cast: (watch) => {
    const [one, two] = [new Hand("one"), new Hand("two")];
    const lane = { key: "lane", width: 1, ifDead: "continue" as const };
    inOrder(watch, "continue");
    function* some(hand: Hand): Steps {
      const held = yield* hand.claim({ inRow: 3 });
      const [first, ...rest] = held;
      if (first !== undefined) yield* hand.settle(first, "completed");
      for (const one of rest.toReversed()) yield* hand.settle(one, "released");
    }
    return {
      before: stored(job("a", { lane }), job("b", { lane }), job("c", { lane })),
      actors: [
        { name: "one", steps: some(one), may: ["lose", "die"] },
        { name: "two", steps: working(two, 2), may: ["lose", "die"] },
        { name: "house", steps: housekeeping(1) },
      ],
      check: ({ rows }) => rows.flatMap(({ id, state }) => (state === "completed" ? [] : [`G7 ${id} is ${state} at the end`])),
    };
  },
};

const everyMs: Ms = 8_000;

/** Never more of a key at once, or within the time. */
function withinLimit(watch: Watch, ids: readonly string[], most: { readonly running?: number; readonly starts?: number }): void {
  const starts: { readonly id: string; readonly now: Instant }[] = [];
  watch.lookers.push(({ verb, args, answer, now }) => {
    if (verb === "settle")
      for (const [nth, { id, is }] of (answer as readonly port.Settled[]).entries()) {
        if (is !== "settled" || (args[0] as readonly port.Outcome[])[nth]?.is !== "released") continue;
        const last = starts.findLastIndex((start) => start.id === id);
        if (last >= 0) starts.splice(last, 1);
      }
    if (verb !== "claim") return;
    for (const { id } of (answer as port.Claimed).jobs) if (ids.includes(id)) starts.push({ id, now });
    if ((answer as port.Claimed).jobs.length === 0) return;
    const running = ids.filter((id) => watch.jobs.has(id) && watch.isRunning(watch.seen(id)));
    watch.holds(running.length <= (most.running ?? Infinity), `G9 ${running.join(" and ")} of one key run at once`);
    const lately = starts.filter((start) => start.now + everyMs > now);
    watch.holds(lately.length <= (most.starts ?? Infinity), `G9 ${lately.map(({ id }) => id).join(" and ")} of one key started within ${everyMs} ms`);
  });
}

export const keyLimit: Scope = {
  name: "a key's limit of running jobs",
  holds: "so many of a key run at once, crashes included, and whoever ends lets the next one in",
  cast: (watch) => {
    withinLimit(watch, ["a", "b", "c"], { running: 1 });
    const limited = (id: string): port.NewJob => job(id, { keyLimits: [{ key: "run", is: { running: 1 } }] });
    return {
      before: stored(limited("a"), limited("b")),
      actors: [
        { name: "one", steps: working(new Hand("one"), 2, ["retry", "completed"]), may: ["lose", "die"] },
        { name: "two", steps: working(new Hand("two"), 1), may: ["lose", "die"] },
        { name: "producer", steps: enqueuing([atom(limited("c"))]), may: ["lose"] },
        { name: "canceller", steps: changing({ ids: ["a"] }, { do: "cancel", reason: "" }), may: ["lose"] },
        { name: "house", steps: housekeeping(1) },
      ],
      check: () => [],
    };
  },
};

export const refill: Scope = {
  name: "a key's limit of starts is refilled",
  holds: "so many of a key start within a time, whoever ended, died or handed back, and the next starts when the time has passed",
  cast: (watch) => {
    withinLimit(watch, ["a", "b"], { starts: 1 });
    const limited = (id: string): port.NewJob => job(id, { keyLimits: [{ key: "rate", is: { starts: 1, everyMs } }] });
    return {
      before: stored(limited("a"), limited("b")),
      actors: [
        { name: "one", steps: working(new Hand("one"), 2, ["released", "completed"]), may: ["lose", "die"] },
        { name: "two", steps: working(new Hand("two"), 1), may: ["lose", "die"] },
        { name: "house", steps: housekeeping(2, everyMs / 2 + 1_000) },
      ],
      check: () => [],
    };
  },
};

export const gates: Scope = {
  name: "a limit of all is changed against claims",
  holds: "a claim hands out no more than the number that stood then leaves room for",
  cast: (watch) => {
    const key = limitKey("gate");
    let most = 1;
    const ids = ["a", "b", "c"];
    watch.lookers.push(({ verb, args, answer }) => {
      if (verb === "enqueue") most = (JSON.parse((args[0] as readonly port.Atom[])[0]?.notes?.[0]?.value ?? "{}") as { running?: number }).running ?? most;
      if (verb !== "claim" || (answer as port.Claimed).jobs.length === 0) return;
      const running = ids.filter((id) => watch.jobs.has(id) && watch.isRunning(watch.seen(id)));
      watch.holds(running.length <= most, `G9 ${running.join(" and ")} run at once, where ${most} may`);
    });
    const terms = { t: { gates: ["gate"] } };
    function* gated(hand: Hand, times: number): Steps {
      for (let time = 0; time < times; time++) for (const held of yield* hand.claim({ terms, slots: 2 })) yield* hand.settle(held, "completed");
    }
    const write = (running: number): Steps => enqueuing([{ works: [], notes: [{ key, value: JSON.stringify({ running }) }] }]);
    return {
      before: both(stored(...ids.map((id) => job(id))), write(1)),
      actors: [
        { name: "one", steps: gated(new Hand("one"), 2), may: ["lose", "die"] },
        { name: "two", steps: gated(new Hand("two"), 1), may: ["lose", "die"] },
        { name: "editor", steps: both(write(2), write(3)), may: ["lose"] },
        { name: "house", steps: housekeeping(1) },
      ],
      check: () => [],
    };
  },
};

export const all: readonly Scope[] = [
  handOver("continue", "the next of a key starts when the one before has ended, however it ended"),
  handOver("block", "those behind a dead one wait for it, and it goes first when it is redriven"),
  handOver("park", "a death closes its key for all behind it and all that come, until one is redriven"),
  inARow,
  keyLimit,
  refill,
  gates,
];
