/** Scopes about batches: the last members at once, members that end while a batch is sealed, members that add members, a batch that is cancelled meanwhile. */
import type * as port from "../../src/core/engine.ts";
import { followsRightly } from "./changes.ts";
import { atom, changing, enqueuing, Hand, housekeeping, job, stored, working } from "./hand.ts";
import type { End, Scope, Steps } from "./play.ts";
import type { Watch } from "./watch.ts";

const batch = (isSealed: boolean, size?: number): port.NewJoin => ({
  kind: "join",
  id: "batch",
  content: "",
  rememberMs: 0,
  name: "batch",
  isSealed,
  ...(size !== undefined && { size }),
});
const member = (id: string, more: Partial<port.NewJob> = {}): port.NewJob => job(id, { task: "member", join: "batch", ...more });
const callbacks: readonly port.NewJob[] = [
  job("then", { task: "then", after: [{ id: "batch", when: "ended" }] }),
  job("if-well", { task: "if-well", after: [{ id: "batch", when: "well" }] }),
  job("if-badly", { task: "if-badly", after: [{ id: "batch", when: "badly" }] }),
];
const tasks = ["t", "member", "then", "if-well", "if-badly"];

/** No callback starts while a member lives, and none starts twice but after its own lease. */
function waitsForAll(watch: Watch, members: readonly string[]): void {
  for (const id of members) followsRightly(watch, id, ["then", "if-well", "if-badly"]);
}

/** The fitting callbacks ran, the others did not. */
function calledBack({ row }: End, members: readonly string[]): string[] {
  const isWell = members.every((id) => row(id)?.state === "completed" || row(id)?.state === "skipped");
  const ran = (id: string): boolean => (row(id)?.starts ?? 0) > 0;
  const story = members.map((id) => `${id} ${row(id)?.state}`).join(", ");
  return [
    ...(ran("then") ? [] : [`G11 the callback of ${story} never ran`]),
    ...(ran("if-well") === isWell ? [] : [`G11 the callback of a good end ${isWell ? "never ran" : "ran"}, after ${story}`]),
    ...(ran("if-badly") !== isWell ? [] : [`G11 the callback of a bad end ${isWell ? "ran" : "never ran"}, after ${story}`]),
  ];
}

export const lastMembers: Scope = {
  name: "a batch's last members",
  holds: "whoever ends the last member, and whoever dies then: each fitting callback runs, once, after all",
  cast: (watch) => {
    const [one, two] = [new Hand("one", tasks), new Hand("two", tasks)];
    waitsForAll(watch, ["a", "b"]);
    return {
      before: stored(batch(true), member("a"), member("b"), ...callbacks),
      actors: [
        { name: "one", steps: working(one, 2, ["completed"]), may: ["lose", "die"] },
        { name: "two", steps: working(two, 1, ["dead"]), may: ["lose", "die"] },
        { name: "house", steps: housekeeping(2) },
      ],
      check: (end) => calledBack(end, ["a", "b"]),
    };
  },
};

export const sealing: Scope = {
  name: "a batch sealed against a member's end",
  holds: "a batch that is staged in pieces, one of them a job that runs already, closes when it is sealed and all have ended, never before",
  cast: (watch) => {
    const unique = { key: "k", mode: { is: "keep" as const } };
    const shared = job("b", { task: "member", unique });
    waitsForAll(watch, ["a"]);
    const members = new Set<string>();
    watch.lookers.push(({ verb, args, answer }) => {
      if (verb !== "enqueue") return;
      const [told] = answer as (port.Enqueued[] | Error)[];
      for (const [nth, work] of ((args[0] as readonly port.Atom[])[0]?.works ?? []).entries())
        if (work.kind === "job" && work.join !== undefined && Array.isArray(told)) members.add(told[nth]?.id ?? work.id);
    });
    const pieces: readonly Steps[] = [
      enqueuing([atom(batch(false), member("a"))]),
      enqueuing([atom(member("b2", { unique }))]),
      enqueuing([atom(batch(true, 2), ...callbacks)]),
    ];
    return {
      before: stored(shared),
      actors: [
        { name: "producer", steps: inTurn(pieces), may: ["lose"] },
        { name: "one", steps: working(new Hand("one", tasks), 2, ["dead", "completed"]), may: ["lose", "die"] },
        { name: "house", steps: housekeeping(1) },
        { name: "canceller", steps: changing({ ids: ["b"] }, { do: "cancel", reason: "not wanted" }), may: ["lose"] },
      ],
      check: (end) => {
        // Where an answer was lost, and the one that ran ended before the repeat, both are members.
        return calledBack(end, [...members]);
      },
    };
  },
};

export const growing: Scope = {
  name: "a member adds a member",
  holds: "what a member's end adds to its open batch counts before that end, so that the batch does not close between the two",
  cast: (watch) => {
    const [one, two] = [new Hand("one", tasks), new Hand("two", tasks)];
    waitsForAll(watch, ["a", "b"]);
    let isAdded = false;
    watch.lookers.push(({ verb, args, answer }) => {
      if (verb === "settle" && (args[0] as readonly port.Outcome[])[0]?.follow !== undefined)
        isAdded ||= (answer as readonly port.Settled[])[0]?.is === "settled";
      if (verb !== "claim") return;
      for (const { id } of (answer as port.Claimed).jobs)
        watch.holds(id !== "then" || !isAdded || watch.jobs.get("more")?.ended !== undefined, "G11 the callback started before the member that a member added");
    });
    function* adding(hand: Hand, times: number): Steps {
      for (let time = 0; time < times; time++)
        for (const held of yield* hand.claim()) yield* hand.settle(held, "completed", held.id === "a" ? { follow: [member("more")] } : {});
    }
    return {
      before: stored(batch(true), member("a"), member("b"), ...callbacks),
      actors: [
        { name: "one", steps: adding(one, 2), may: ["lose", "die"] },
        { name: "two", steps: adding(two, 1), may: ["lose", "die"] },
        { name: "house", steps: housekeeping(1) },
      ],
      check: (end) => [
        ...calledBack(end, end.row("more") === undefined ? ["a", "b"] : ["a", "b", "more"]),
        ...(isAdded === (end.row("more") !== undefined)
          ? []
          : [`G11 what a member added ${isAdded ? "is not there" : "is there, though its end was not accepted"}`]),
      ],
    };
  },
};

export const cancelled: Scope = {
  name: "a batch cancelled against its members",
  holds: "a cancelled batch ends badly, once, when its last running member has let go, and takes no member any more",
  cast: (watch) => {
    waitsForAll(watch, ["a", "b"]);
    let wasCancelled = false;
    watch.lookers.push(({ verb, args, answer }) => {
      if (verb === "change" && "join" in (args[0] as port.Selection)) wasCancelled = true;
      if (verb !== "enqueue") return;
      const [told] = answer as (port.Enqueued[] | Error)[];
      if ((args[0] as readonly port.Atom[])[0]?.works[0]?.id !== "c" || !Array.isArray(told)) return;
      watch.holds(!wasCancelled || told[0]?.isDuplicate === true, "G11 a cancelled batch took a member");
    });
    return {
      before: stored(batch(true), member("a"), member("b"), ...callbacks),
      actors: [
        { name: "one", steps: working(new Hand("one", tasks), 2), may: ["lose", "die"] },
        { name: "canceller", steps: changing({ join: "batch" }, { do: "cancel", reason: "not wanted" }), may: ["lose"] },
        { name: "producer", steps: enqueuing([atom(member("c"))]), may: ["lose"] },
        { name: "house", steps: housekeeping(1) },
      ],
      check: (end) => {
        const members = end.row("c") === undefined ? ["a", "b"] : ["a", "b", "c"];
        return calledBack(end, members);
      },
    };
  },
};

function* inTurn(all: readonly Steps[]): Steps {
  for (const steps of all) yield* steps;
}

export const all: readonly Scope[] = [lastMembers, sealing, growing, cancelled];
