/** Scopes about who owns a run: claims and settles, leases that run out, checkpoints, suspects, births under a lease, works that are handed in again. */
import { deathsAloneMax } from "../../src/core/defaults.ts";
import type * as port from "../../src/core/engine.ts";
import { atom, enqueuing, Hand, housekeeping, job, leaseMs, nothing, pastLease, stored, tidying, working, type Held } from "./hand.ts";
import { pass, type Scope, type Steps } from "./play.ts";

export const claimSettleExpire: Scope = {
  name: "claim, settle, expire",
  holds: "a job has one owner at a time and one end, whoever dies or comes too late",
  cast: () => {
    const [one, two] = [new Hand("one"), new Hand("two")];
    function* beating(): Steps {
      for (const held of yield* one.claim()) {
        yield* one.beat();
        yield* one.settle(held, "completed");
      }
    }
    return {
      before: stored(job("a")),
      actors: [
        { name: "one", steps: beating(), may: ["lose", "die"] },
        { name: "two", steps: working(two, 2), may: ["lose", "die"] },
        { name: "house", steps: housekeeping(2) },
      ],
      check: ({ row, watch }) => [
        ...(row("a")?.state === "completed" ? [] : [`G2 a is ${row("a")?.state} at the end`]),
        ...(row("a")?.starts === watch.starts.length ? [] : [`G13 a counts ${row("a")?.starts} starts, of ${watch.starts.length}`]),
      ],
    };
  },
};

export const handedBack: Scope = {
  name: "retry and release against expiry",
  holds: "what is handed back or tried again runs again, not before it is due, and is charged an attempt only for an outcome",
  cast: () => {
    const [one, two] = [new Hand("one"), new Hand("two")];
    let retries = 0;
    let releases = 0;
    function* failing(): Steps {
      for (const held of yield* one.claim()) if ((yield* one.settle(held, "retry", { delayMs: pastLease })) === "settled") retries++;
    }
    function* releasing(): Steps {
      for (const held of yield* two.claim()) if ((yield* two.settle(held, "released")) === "settled") releases++;
      yield* working(two, 1);
    }
    return {
      before: stored(job("a")),
      actors: [
        { name: "one", steps: failing(), may: ["lose", "die"] },
        { name: "two", steps: releasing(), may: ["lose", "die"] },
        { name: "house", steps: housekeeping(2) },
      ],
      check: ({ row, watch }) => {
        const { attempts = 0, starts = 0, state } = row("a") ?? {};
        const retried = Math.max(0, attempts - 1);
        return [
          ...(state === "completed" ? [] : [`G2 a is ${state} at the end`]),
          ...(retried >= retries && retried <= 1 ? [] : [`G13 a is charged ${attempts} attempts, with ${retries} retries that were answered`]),
          ...(starts <= watch.starts.length - releases
            ? []
            : [`G13 a counts ${starts} starts, of ${watch.starts.length}, ${releases} of which were handed back`]),
        ];
      },
    };
  },
};

export const checkpoints: Scope = {
  name: "checkpoint against zombie",
  holds: "whoever goes on finds the last checkpoint that was saved by the owner, and nobody else's",
  cast: (watch) => {
    const [one, two] = [new Hand("one"), new Hand("two")];
    function* saving(hand: Hand, saves: readonly string[]): Steps {
      for (const held of yield* hand.claim()) {
        for (const checkpoint of saves) yield* hand.settle(held, "saved", { checkpoint });
        yield* hand.settle(held, "completed");
      }
    }
    /** The last that was accepted, before each start. */
    let saved: string | undefined;
    watch.lookers.push(({ verb, args, answer }) => {
      if (verb === "claim")
        for (const { checkpoint } of (answer as port.Claimed).jobs)
          watch.holds(checkpoint === saved, `G2 a run goes on at ${checkpoint}, where ${saved} was saved`);
      if (verb !== "settle" || (answer as readonly port.Settled[])[0]?.is !== "settled") return;
      const { checkpoint } = (args[0] as readonly port.Outcome[])[0] ?? {};
      if (checkpoint !== undefined) saved = checkpoint;
    });
    return {
      before: stored(job("a")),
      actors: [
        { name: "one", steps: saving(one, ["1", "2"]), may: ["lose", "die"] },
        { name: "two", steps: saving(two, ["3"]), may: ["lose", "die"] },
        { name: "house", steps: housekeeping(2) },
      ],
      check: ({ row }) => (row("a")?.checkpoint === saved ? [] : [`G2 the job has checkpoint ${row("a")?.checkpoint}, where ${saved} was saved`]),
    };
  },
};

export const quarantine: Scope = {
  name: "quarantine against success",
  holds: "a job that is twice suspect runs alone, dies of nothing but its deaths alone, and takes no innocent with it",
  cast: (watch) => {
    const [one, two, other] = [new Hand("one"), new Hand("two"), new Hand("other", ["t", "then"])];
    let deathsAlone = 0;
    const alone = new Map<string, string>();
    watch.lookers.push(({ verb, args, answer }) => {
      if (verb === "claim" && (args[0] as port.Claim).alone === "only")
        for (const { id } of (answer as port.Claimed).jobs) alone.set(id, (args[0] as port.Claim).process);
      if (verb === "claim" && (args[0] as port.Claim).alone === "no")
        for (const { id, suspects } of (answer as port.Claimed).jobs)
          watch.holds(suspects < 2, `G13 ${id} is ${suspects} times suspect, and does not run alone`);
      if (verb === "tidy") deathsAlone += (answer as port.Tidied).takenBack > 0 && watch.isTakenBack(alone.get("a") ?? "") ? 1 : 0;
      if (verb === "tidy" && watch.isTakenBack(alone.get("a") ?? "")) alone.delete("a");
    });
    function* twiceSuspect(): Steps {
      yield* stored(job("a"));
      for (const name of ["first", "second"]) {
        yield* new Hand(name).claim();
        yield* pass(pastLease);
        yield* tidying();
      }
      yield* stored(job("b", { task: "then" }));
    }
    function* runningAlone(hand: Hand, is: port.Outcome["is"]): Steps {
      for (const held of yield* hand.claim({ alone: "only" })) yield* hand.settle(held, is, { delayMs: 0 });
    }
    return {
      before: twiceSuspect(),
      actors: [
        { name: "one", steps: runningAlone(one, "retry"), may: ["lose", "die"] },
        { name: "two", steps: runningAlone(two, "completed"), may: ["lose", "die"] },
        { name: "other", steps: working(other, 1), may: ["lose", "die"] },
        { name: "house", steps: housekeeping(2) },
      ],
      check: ({ row }) => [
        ...(row("b")?.state === "completed" ? [] : [`G13 the innocent is ${row("b")?.state}`]),
        ...(row("a")?.state === "dead" && deathsAlone < deathsAloneMax ? [`G13 a was quarantined after ${deathsAlone} deaths alone`] : []),
        ...(deathsAlone >= deathsAloneMax && row("a")?.isPoison !== true ? [`G13 a died alone ${deathsAlone} times, and is ${row("a")?.state}`] : []),
      ],
    };
  },
};

export const bornLeased: Scope = {
  name: "born leased against claim and expiry",
  holds: "a job that is born running is its maker's, until that lets it go",
  cast: () => {
    const [one, two] = [new Hand("one"), new Hand("two")];
    const born = atom(job("a", { lease: { process: "one", leaseMs, claim: "birth", lastFence: 0 } }));
    function* making(): Steps {
      let held: Held | undefined;
      yield* enqueuing([born], ([answer]) => {
        const leased = Array.isArray(answer) ? (answer[0] as port.Enqueued | undefined)?.leased : undefined;
        if (leased !== undefined) held = { id: "a", claim: "birth", fence: leased.fence, checkpoint: undefined };
      });
      if (held === undefined) return;
      yield* one.beat();
      yield* one.settle(held, "completed");
    }
    return {
      before: nothing(),
      actors: [
        { name: "one", steps: making(), may: ["lose", "die"] },
        { name: "two", steps: working(two, 2), may: ["lose", "die"] },
        { name: "house", steps: housekeeping(2) },
      ],
      check: ({ row }) => (row("a")?.state === "completed" ? [] : [`G2 a is ${row("a")?.state} at the end`]),
    };
  },
};

export const knownIds: Scope = {
  name: "the same id again, against its end",
  holds: "one id is one job for as long as it is remembered, also when the job has ended meanwhile",
  cast: (watch) => {
    const rememberMs = 5_000;
    const keep = { completed: 0, skipped: 0, cancelled: 0, dead: 0 };
    const own = atom(job("a", { rememberMs, keep }));
    const others = atom(job("a", { rememberMs, keep, payload: '"other"' }));
    let stands: { readonly at: number; readonly isOther: boolean } | undefined;
    watch.lookers.push(({ verb, args, answer, now }) => {
      if (verb !== "enqueue") return;
      const [told] = answer as (port.Enqueued[] | Error)[];
      const isOther = (args[0] as readonly port.Atom[])[0] === others;
      const isKnown = stands !== undefined && now < stands.at + rememberMs;
      const isSame = stands?.isOther === isOther;
      // Retention may come later.
      if (!Array.isArray(told)) return watch.holds(stands !== undefined && !isSame, `G1 a was refused with ${(told as { code?: string } | undefined)?.code}`);
      const isRepeat = told[0]?.isDuplicate === true;
      watch.holds(!isRepeat || isSame, "G1 other content under the same id was taken for a repeat");
      watch.holds(isRepeat || !isKnown, "G1 a was stored a second time while it is remembered");
      if (!isRepeat) stands = { at: now, isOther };
    });
    return {
      before: nothing(),
      actors: [
        { name: "producer", steps: twice(own), may: ["lose"] },
        { name: "other", steps: enqueuing([others]), may: ["lose"] },
        { name: "worker", steps: working(new Hand("worker"), 2), may: ["lose", "die"] },
        { name: "house", steps: housekeeping(2, rememberMs + 1) },
      ],
      check: ({ rows }) => (rows.length <= 1 ? [] : [`G1 ${rows.length} jobs have one id`]),
    };
  },
};

function* twice(own: port.Atom): Steps {
  yield* enqueuing([own]);
  yield* enqueuing([own]);
}

export const neverEarly: Scope = {
  name: "due times against claims and clocks",
  holds: "nothing runs before it is due, and a deadline that has passed is a skip",
  cast: (watch) => {
    const [one, two] = [new Hand("one"), new Hand("two")];
    const lateMs = 15_000;
    let storedAt = 0;
    watch.lookers.push(({ verb, answer, now }) => {
      if (verb === "enqueue") storedAt = now;
      if (verb !== "claim") return;
      for (const { id, starts } of (answer as port.Claimed).jobs)
        watch.holds(id !== "late" || starts > 1 || now <= storedAt + lateMs, "G5 late started when its deadline had passed");
    });
    function* snoozing(): Steps {
      for (const held of yield* one.claim()) yield* one.settle(held, "snoozed", { delayMs: pastLease + 1 });
      yield* working(one, 1);
    }
    return {
      before: stored(job("soon", { delayMs: pastLease }), job("late", { delayMs: pastLease, startWithinMs: lateMs })),
      actors: [
        { name: "one", steps: snoozing(), may: ["lose", "die"] },
        { name: "two", steps: working(two, 1), may: ["lose"] },
        { name: "house", steps: housekeeping(2) },
      ],
      check: ({ row, watch: { starts } }) => {
        const hasRun = starts.some(({ id }) => id === "late");
        return row("late")?.state === "skipped" && hasRun ? ["G5 late was skipped after it had started"] : [];
      },
    };
  },
};

export const settledWithClaim: Scope = {
  name: "settled in the next claim",
  holds: "outcomes that are written with a claim stand or fall as if they were written alone, with what they hand in",
  cast: () => {
    const [one, two] = [new Hand("one", ["t", "then"]), new Hand("two", ["t", "then"])];
    function* chaining(hand: Hand): Steps {
      let outcome: port.Outcome[] = [];
      for (let times = 0; times < 3; times++) {
        const { jobs, settled } = yield* hand.claimAnd({ settling: outcome });
        if (settled === undefined) continue; // told again with the next
        outcome = jobs.map(({ id, claim, fence }) => ({
          id,
          claim,
          fence,
          is: "completed",
          ranMs: 1,
          ...(id === "a" && { follow: [job("b", { task: "then" })] }),
        }));
      }
    }
    return {
      before: stored(job("a")),
      actors: [
        { name: "one", steps: chaining(one), may: ["lose", "die"] },
        { name: "two", steps: chaining(two), may: ["lose", "die"] },
        { name: "house", steps: housekeeping(1) },
      ],
      check: ({ row, watch }) => {
        const byFollow = watch.jobs.get("a")?.accepted === 1 && row("b") !== undefined;
        return row("a")?.state === "completed" && (byFollow || watch.starts.at(-1)?.process === "the last") ? [] : ["G2 what a handed in is not there"];
      },
    };
  },
};

export const all: readonly Scope[] = [claimSettleExpire, handedBack, checkpoints, quarantine, bornLeased, knownIds, neverEarly, settledWithClaim];
