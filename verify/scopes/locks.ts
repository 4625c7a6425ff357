/** Scopes about locks: readers who want to write, permits, leaders whose lease runs out while they write. */
import type * as port from "../../src/core/engine.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { housekeeping, leaseMs, nothing } from "./hand.ts";
import { act, ask, isLost, type Scope, type Steps } from "./play.ts";
import type { Made, Watch } from "./watch.ts";

const name = "lock";

interface Ticket {
  readonly ticket: string;
  readonly process: string;
  readonly mode: "read" | "write";
  fence: number | undefined;
}

/** The line of one lock, by the port's words: in order, readers share, none passes a writer who came before, a fence for each grant that is above all before. */
export class Line {
  #tickets: Ticket[] = [];
  readonly #watch: Watch;
  readonly #permits: number;
  readonly #leases = new Map<string, Instant>();
  #fence = 0;

  constructor(watch: Watch, permits = 1) {
    this.#watch = watch;
    this.#permits = permits;
    watch.lookers.push((made) => this.#saw(made));
  }

  #saw({ verb, args, answer, now }: Made): void {
    if (verb === "lock") this.#asked(args[0] as port.LockRequest, answer as port.Grant | port.Waiting, now);
    else if (verb === "unlock") this.#returned((args[0] as { readonly ticket: string }).ticket, answer as boolean);
    else if (verb === "beat" && !(answer as port.Heard).isLost && this.#leases.has(args[0] as string))
      this.#leases.set(args[0] as string, now + (args[1] as number));
    else if (verb === "tidy") this.#tickets = this.#tickets.filter(({ process }) => (this.#leases.get(process) ?? 0) > now);
  }

  #asked({ ticket, process, mode, leaseMs: termMs }: port.LockRequest, answer: port.Grant | port.Waiting, now: Instant): void {
    this.#leases.set(process, Math.max(this.#leases.get(process) ?? 0, now + termMs));
    let own = this.#tickets.find((each) => each.ticket === ticket);
    if (own === undefined) this.#tickets.push((own = { ticket, process, mode, fence: undefined }));
    const before = this.#tickets.slice(0, this.#tickets.indexOf(own));
    const writers = before.filter((each) => each.mode === "write").length;
    const mayHave = mode === "read" ? writers === 0 : before.length === writers && writers < this.#permits;
    const hold = (does: boolean, otherwise: string): void => this.#watch.holds(does, `G17 ${ticket} ${otherwise}`);
    if (answer.is === "waiting") return hold(!mayHave, "waits, and nobody is ahead of it");
    hold(mayHave || own.fence !== undefined, `was granted before ${before.map((each) => each.ticket).join(", ")}`);
    if (own.fence !== undefined) return hold(answer.fence === own.fence, "holds it under one fence, and was told another");
    hold(answer.fence > this.#fence, "was granted under a fence that does not grow");
    this.#fence = own.fence = answer.fence;
  }

  #returned(ticket: string, isBack: boolean): void {
    const there = this.#tickets.some((each) => each.ticket === ticket);
    this.#watch.holds(isBack === there, `G17 ${ticket} was given back, and the answer is ${isBack}`);
    this.#tickets = this.#tickets.filter((each) => each.ticket !== ticket);
  }
}

/** Asks so often, and gives its ticket back when it was not granted. Answers the fence. */
function* asking(process: string, mode: "read" | "write", ticket: string, times: number, permits?: number): Steps<number | undefined> {
  for (let time = 0; time < times; time++) {
    try {
      const answer = yield* ask("lock", { name, mode, process, ticket, leaseMs, lastFence: 0, ...(permits !== undefined && { permits }) });
      if (answer.is === "granted") return answer.fence;
    } catch (error) {
      // Its process was lost meanwhile, else nobody knows.
      if (!isLost(error)) return undefined;
    }
  }
  yield* giving(ticket);
  return undefined;
}

function* giving(ticket: string): Steps {
  try {
    yield* ask("unlock", { name, ticket });
  } catch (error) {
    if (!isLost(error)) throw error;
  }
}

export const upgrade: Scope = {
  name: "a read lock becomes a write lock",
  holds: "readers share, a writer is alone, and nobody passes a writer that came before, also where readers come back to write",
  cast: (watch) => {
    void new Line(watch);
    function* upgrading(process: string): Steps {
      if ((yield* asking(process, "read", `${process} reads`, 1)) === undefined) return;
      yield* giving(`${process} reads`);
      if ((yield* asking(process, "write", `${process} writes`, 1)) !== undefined) yield* giving(`${process} writes`);
    }
    return {
      before: nothing(),
      actors: [
        { name: "one", steps: upgrading("one"), may: ["lose", "die"] },
        { name: "two", steps: upgrading("two"), may: ["lose", "die"] },
        { name: "house", steps: housekeeping(1) },
      ],
      check: () => [],
    };
  },
};

export const permits: Scope = {
  name: "a lock with two permits",
  holds: "two writers hold it at once and never a third, whoever dies",
  cast: (watch) => {
    void new Line(watch, 2);
    function* taking(process: string): Steps {
      if ((yield* asking(process, "write", `${process} writes`, 2, 2)) !== undefined) yield* giving(`${process} writes`);
    }
    return {
      before: nothing(),
      actors: ["one", "two", "three"]
        .map((process) => ({ name: process, steps: taking(process), may: ["lose", "die"] as const }))
        .concat([{ name: "house", steps: housekeeping(1), may: [] as unknown as readonly ["lose", "die"] }]),
      check: () => [],
    };
  },
};

/** What looks at a fence takes no write from whoever lost the lead. */
export const leaders: Scope = {
  name: "leader change",
  holds: "fences grow from leader to leader, so that what looks at them takes no write from one who was replaced",
  cast: (watch) => {
    void new Line(watch);
    const guarded: { readonly by: string; readonly fence: number }[] = [];
    let fence = 0;
    const write =
      (by: string, own: number): (() => string) =>
      () => {
        if (own < fence) return "refused";
        fence = own;
        guarded.push({ by, fence: own });
        return "written";
      };
    function* leading(process: string): Steps {
      const own = yield* asking(process, "write", `${process} leads`, 2);
      if (own === undefined) return;
      yield* act("writes", write(process, own));
      try {
        if ((yield* ask("beat", process, leaseMs)).isLost) return;
      } catch (error) {
        if (!isLost(error)) throw error;
      }
      yield* act("writes", write(process, own));
      yield* giving(`${process} leads`);
    }
    return {
      before: nothing(),
      actors: [
        { name: "one", steps: leading("one"), may: ["lose", "die"] },
        { name: "two", steps: leading("two"), may: ["lose", "die"] },
        { name: "house", steps: housekeeping(1) },
      ],
      check: () => {
        const byFence = new Map<number, string>();
        return guarded.flatMap(({ by, fence: own }, nth) => {
          const other = byFence.get(own);
          byFence.set(own, by);
          const isTorn = guarded.slice(nth + 1).some((later) => later.fence < own) || (other !== undefined && other !== by);
          return isTorn ? [`G17 ${by} wrote under fence ${own} among the writes of another`] : [];
        });
      },
    };
  },
};

export const all: readonly Scope[] = [upgrade, permits, leaders];
