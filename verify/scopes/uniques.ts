/** Scopes about unique keys: newcomers against the claim and the end of whoever holds the key, in each mode. */
import type * as port from "../../src/core/engine.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { atom, enqueuing, Hand, housekeeping, job, nothing, working } from "./hand.ts";
import { both } from "./changes.ts";
import type { Scope } from "./play.ts";
import type { Seen, Watch } from "./watch.ts";

type Mode = port.Uniqueness["mode"];
const key = "k";
const windowMs = 12_000;
const quietMs = 5_000;
const atMostMs = 8_000;

/** What a key's rule says, from who is there: the one that a newcomer loses to. */
interface Known {
  readonly seen: Seen;
  readonly enqueuedAt: Instant;
  payload: string;
  dueAt: Instant;
}

function winnerOf(mode: Mode, known: readonly Known[], watch: Watch, now: Instant): Known | undefined {
  const live = known.filter(({ seen }) => seen.ended === undefined);
  switch (mode.is) {
    case "one-more":
      return live.find(({ seen }) => !watch.isRunning(seen));
    case "throttle":
      return live[0] ?? known.findLast(({ enqueuedAt }) => enqueuedAt + mode.windowMs > now);
    case "gather":
      return live.find((one) => !watch.isRunning(one.seen) && (JSON.parse(one.payload) as unknown[]).length < mode.most);
    default:
      return live[0];
  }
}

function scopeOf(mode: Mode, holds: string): Scope {
  return {
    name: `unique against completion: ${mode.is}`,
    holds,
    cast: (watch) => {
      const known: Known[] = [];
      const works: port.NewJob[] = ["1", "2", "3"].map((n) =>
        job(`u${n}`, {
          unique: { key, mode },
          payload: mode.is === "gather" ? `[${n}]` : n,
          ...(mode.is === "one-more" && { lane: { key, width: 1, ifDead: "continue" as const } }),
        }),
      );
      watch.lookers.push(({ verb, args, answer, now }) => {
        if (verb === "enqueue") told(args[0] as readonly port.Atom[], answer as (port.Enqueued[] | Error)[], now);
        if (verb === "claim")
          for (const { id, payload } of (answer as port.Claimed).jobs) {
            const one = known.find(({ seen }) => seen.id === id);
            watch.holds(one?.payload === payload, `G6 ${id} runs with ${payload}, where ${one?.payload} was handed in last`);
            watch.holds((one?.dueAt ?? 0) <= now, `G5 ${id} runs ${(one?.dueAt ?? 0) - now} ms before it is due`);
          }
      });
      const told = (atoms: readonly port.Atom[], [stored]: (port.Enqueued[] | Error)[], now: Instant): void => {
        const work = atoms[0]?.works[0] as port.NewJob | undefined;
        const answer = Array.isArray(stored) ? stored[0] : undefined;
        if (work === undefined || answer === undefined) return;
        const repeated = known.find(({ seen }) => seen.id === work.id);
        if (repeated !== undefined)
          return watch.holds(answer.isDuplicate && answer.id === work.id, `G1 ${work.id} was handed in again, and told to be ${answer.id}`);
        const winner = winnerOf(mode, known, watch, now);
        watch.holds(
          answer.isDuplicate === (winner !== undefined),
          `G6 ${work.id} was ${answer.isDuplicate ? "refused for" : "stored beside"} ${winner?.seen.id ?? "nobody"}`,
        );
        watch.holds(winner === undefined || answer.id === winner.seen.id, `G6 ${work.id} was told that ${answer.id} stands, where ${winner?.seen.id} does`);
        if (winner === undefined) {
          const quiet = mode.is === "debounce" || mode.is === "gather" ? quietMs : 0;
          known.push({ seen: watch.seen(work.id), enqueuedAt: now, payload: work.payload, dueAt: now + quiet });
        } else if (!watch.isRunning(winner.seen)) joined(winner, work.payload, now);
      };
      const joined = (winner: Known, payload: string, now: Instant): void => {
        if (mode.is === "replace" || mode.is === "debounce") winner.payload = payload;
        if (mode.is === "gather") winner.payload = JSON.stringify([...(JSON.parse(winner.payload) as unknown[]), ...(JSON.parse(payload) as unknown[])]);
        if (mode.is === "debounce" || mode.is === "gather") winner.dueAt = Math.min(now + quietMs, winner.enqueuedAt + atMostMs);
        if (mode.is === "gather" && (JSON.parse(winner.payload) as unknown[]).length >= mode.most) winner.dueAt = now;
        if (mode.is === "replace") winner.dueAt = now;
      };
      const [first, second, third] = works.map((work) => enqueuing([atom(work)]));
      return {
        before: nothing(),
        actors: [
          { name: "producer", steps: both(first ?? nothing(), second ?? nothing()), may: ["lose"] },
          { name: "other", steps: third ?? nothing(), may: ["lose"] },
          { name: "worker", steps: working(new Hand("worker"), 2), may: ["lose", "die"] },
          { name: "house", steps: housekeeping(2) },
        ],
        check: ({ rows }) => {
          const lost = rows.filter(({ state }) => state !== "completed");
          return [
            ...lost.map(({ id, state }) => `G2 ${id} is ${state} at the end`),
            ...(rows.length === known.length ? [] : [`G6 ${rows.length} jobs are there, of ${known.length}`]),
          ];
        },
      };
    },
  };
}

export const all: readonly Scope[] = [
  scopeOf({ is: "keep" }, "one live job for a key; who comes while it lives is told its id, who comes after its end is stored"),
  scopeOf({ is: "replace" }, "who comes while it waits replaces what it runs with; who comes while it runs changes nothing"),
  scopeOf({ is: "throttle", windowMs }, "the key outlives its job until its window has ended"),
  scopeOf({ is: "one-more" }, "one runs and one waits, never more, and whoever waits runs"),
  scopeOf({ is: "debounce", quietMs, atMostMs }, "each newcomer moves the due time on, up to its deadline, and the last payload counts"),
  scopeOf({ is: "gather", quietMs, atMostMs, most: 2 }, "what was handed in is gathered while it waits; one that is full, or runs, takes no more"),
];
