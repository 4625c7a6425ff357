/** Scopes about what people do to stored jobs while others claim and settle them: cancelling, redriving, pausing, and what comes after something else. */
import type * as port from "../../src/core/engine.ts";
import { pausedQueue } from "../../src/core/notes.ts";
import { pauseValue } from "../../src/core/pauseNote.ts";
import { changing, enqueuing, Hand, housekeeping, job, queue, stored, working } from "./hand.ts";
import type { Scope, Steps } from "./play.ts";
import type { Watch } from "./watch.ts";

const cancel: port.Change = { do: "cancel", reason: "not wanted" };

export const cancelling: Scope = {
  name: "cancel against claim",
  holds: "what was cancelled while it waited never starts; what was cancelled while it ran is told so and never ends completed",
  cast: (watch) => {
    const [one, two] = [new Hand("one"), new Hand("two")];
    let is: string | undefined;
    watch.lookers.push(({ verb, args, answer }) => {
      if (verb !== "beat") return;
      const seen = watch.jobs.get("a");
      const isMine = seen?.held !== undefined && seen.held.process === args[0] && watch.isRunning(seen);
      const { cancelled } = answer as port.Heard;
      watch.holds(
        cancelled.includes("a") === (isMine && seen.isCancelling),
        `G4 the beat of ${String(args[0])} ${cancelled.includes("a") ? "tells" : "does not tell"} that a is cancelled`,
      );
    });
    function* beating(): Steps {
      for (const held of yield* one.claim()) {
        yield* one.settle(held, "saved", { checkpoint: "1" });
        yield* one.beat();
        yield* one.settle(held, "completed");
      }
    }
    function* twice(): Steps {
      yield* changing({ ids: ["a"] }, cancel, (told) => (is = told));
      yield* changing({ ids: ["a"] }, cancel, (told) => (is = is === undefined || is === "ended" ? told : is));
    }
    return {
      before: stored(job("a")),
      actors: [
        { name: "one", steps: beating(), may: ["lose", "die"] },
        { name: "two", steps: working(two, 1, ["retry"]), may: ["lose", "die"] },
        { name: "canceller", steps: twice(), may: ["lose"] },
        { name: "house", steps: housekeeping(1) },
      ],
      check: ({ row }) => [
        ...(is === "cancelled" || is === "cancelling" ? (row("a")?.state === "cancelled" ? [] : [`G4 a was told to be ${is}, and is ${row("a")?.state}`]) : []),
        ...(is === "ended" && row("a")?.state !== "completed" && row("a")?.state !== "cancelled"
          ? [`G4 a was told to have ended, and is ${row("a")?.state}`]
          : []),
      ],
    };
  },
};

export const redriving: Scope = {
  name: "redrive against delete and death",
  holds: "a dead job lives again or is deleted, never both, and runs for each time it was redriven",
  cast: (watch) => {
    const one = new Hand("one");
    let deletions = 0;
    watch.lookers.push(({ verb, args, answer }) => {
      if (verb !== "change") return;
      const [{ id, is } = { id: "", is: "unknown" }] = (answer as port.Changed).jobs;
      const wasGone = deletions > 0;
      if (is === "deleted") deletions++;
      watch.holds(!wasGone || is === "unknown", `G2 ${id} was ${is} by ${(args[1] as port.Change).do} after it was deleted`);
      const seen = watch.jobs.get("a");
      if ((args[1] as port.Change).do === "delete" && is === "live")
        watch.holds(seen?.ended === undefined, "G2 a was not deleted for it lives, and it has ended");
    });
    const which = { ids: ["a"] };
    return {
      before: stored(job("a")),
      actors: [
        { name: "one", steps: working(one, 2, ["dead", "completed"]), may: ["lose", "die"] },
        { name: "redriver", steps: both(changing(which, { do: "retry" }), changing(which, { do: "retry" })), may: ["lose"] },
        { name: "deleter", steps: both(changing(which, { do: "delete" }), changing(which, { do: "delete" })), may: ["lose"] },
        { name: "house", steps: housekeeping(1) },
      ],
      check: ({ rows }) => (rows.length === (deletions > 0 ? 0 : 1) ? [] : [`G2 ${rows.length} jobs are left, after ${deletions} deletions`]),
    };
  },
};

export const pausing: Scope = {
  name: "pause against claim",
  holds: "after a pause was acknowledged nothing of the queue starts until it is resumed; what runs goes on",
  cast: (watch) => {
    const [one, two] = [new Hand("one"), new Hand("two")];
    let isPaused = false;
    watch.lookers.push(({ verb, args, answer }) => {
      if (verb === "enqueue") {
        const note = (args[0] as readonly port.Atom[])[0]?.notes?.[0];
        if (note !== undefined) isPaused = note.value !== undefined;
      }
      if (verb === "claim") watch.holds(!isPaused || (answer as port.Claimed).jobs.length === 0, "G9 a job of a paused queue was handed out");
      if (verb === "claim" && !isPaused && (args[0] as port.Claim).process !== "the last") {
        const waiting = [...watch.jobs.values()].filter(({ ended, held }) => ended === undefined && held === undefined);
        watch.holds(
          waiting.length === 0 || (answer as port.Claimed).jobs.length > 0 || watch.isTakenBack((args[0] as port.Claim).process),
          "G8 a claim found nothing, where jobs are ready",
        );
      }
    });
    const key = pausedQueue(queue);
    const write = (value: string | undefined): Steps => enqueuing([{ works: [], notes: [{ key, value }] }]);
    return {
      before: stored(job("a"), job("b")),
      actors: [
        { name: "one", steps: working(one, 2), may: ["lose", "die"] },
        { name: "two", steps: working(two, 1), may: ["lose", "die"] },
        { name: "pauser", steps: both(write(pauseValue("")), write(undefined)), may: ["lose"] },
        { name: "house", steps: housekeeping(1) },
      ],
      check: () => [],
    };
  },
};

/** Its successors, by when they are to run. */
const successors = [
  job("well", { task: "if-well", after: [{ id: "a", when: "well" }] }),
  job("badly", { task: "if-badly", after: [{ id: "a", when: "badly" }] }),
];

export const following: Scope = {
  name: "what comes after, against the end and the cancel of what is before",
  holds: "of two that come after a job, the one that fits its end runs, once, after it; the other ends without a run",
  cast: (watch) => {
    const one = new Hand("one", ["t", "if-well", "if-badly"]);
    followsRightly(watch, "a", ["well", "badly"]);
    return {
      before: stored(job("a")),
      actors: [
        { name: "one", steps: working(one, 2, ["dead", "completed"]), may: ["lose", "die"] },
        { name: "two", steps: working(new Hand("two"), 1), may: ["die"] },
        { name: "producer", steps: enqueuing([{ works: successors }]), may: ["lose"] },
        { name: "canceller", steps: changing({ ids: ["a"] }, cancel), may: ["lose"] },
        { name: "house", steps: housekeeping(1) },
      ],
      check: ({ row }) => {
        const isWell = row("a")?.state === "completed";
        const [fitting, other] = isWell ? [row("well"), row("badly")] : [row("badly"), row("well")];
        return [
          ...((fitting?.starts ?? 0) > 0 ? [] : [`G11 a is ${row("a")?.state}, and what fits that is ${fitting?.state}`]),
          ...(other?.state === (isWell ? "skipped" : "cancelled") && other.starts === 0
            ? []
            : [`G11 a is ${row("a")?.state}, and what does not fit that is ${other?.state}`]),
        ];
      },
    };
  },
};

/** None of these is handed out before that has ended. */
export function followsRightly(watch: Watch, id: string, followers: readonly string[]): void {
  watch.lookers.push(({ verb, answer }) => {
    if (verb !== "claim") return;
    for (const job of (answer as port.Claimed).jobs)
      watch.holds(!followers.includes(job.id) || watch.jobs.get(id)?.ended !== undefined, `G11 ${job.id} started before ${id} has ended`);
  });
}

export function* both(one: Steps, other: Steps): Steps {
  yield* one;
  yield* other;
}

export const all: readonly Scope[] = [cancelling, redriving, pausing, following];
