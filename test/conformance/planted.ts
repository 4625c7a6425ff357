/** Engines with a planted bug: a right one, distorted at the port. What laws are worth is seen by which of these they catch. */
import type { EngineMaker } from "../../src/conformance/index.ts";
import type { Atom, At, Change, ClaimedJob, Engine, Keep, NewJob, NewWork, NoteWrite, Outcome } from "../../src/core/engine.ts";
import { jobFor } from "../../src/core/fanOut.ts";
import { jobDiedName, subscriptionPrefix, type StoredSubscription } from "../../src/core/notes.ts";
import type { JobState } from "../../src/core/states.ts";
import type { Runtime } from "../../src/core/runtime.ts";

/** The verbs that go wrong. */
export type Distortion = (inner: Engine) => Partial<Engine>;

/** The same maker, with that bug in each engine it makes. */
export function planted(maker: EngineMaker, distortion: Distortion): EngineMaker {
  return {
    name: maker.name,
    open: async () => {
      const store = await maker.open();
      return {
        engine: () => distorted(store.engine(), distortion),
        wipe: () => store.wipe?.(),
        dispose: () => store.dispose(),
        ...(store.app && { app: store.app }),
      };
    },
  };
}

export function distorted(inner: Engine, distortion: Distortion): Engine {
  const wrong: Partial<Engine> = distortion(inner);
  return new Proxy(inner, {
    get: (target, name) => {
      const verb: unknown = Reflect.get(wrong, name) ?? Reflect.get(target, name, target);
      return typeof verb === "function" ? (verb.bind(name in wrong ? wrong : target) as unknown) : verb;
    },
  });
}

/** Every job on its way into the store, whatever verb carries it. */
export function jobs(change: (job: NewJob) => NewJob): Distortion {
  return works((work) => (work.kind === "job" ? change(work) : work));
}

export function payloads(change: (payload: string) => string): Distortion {
  return works((work) => (work.kind === "join" ? work : { ...work, payload: change(work.payload) }));
}

export function works(change: (work: NewWork) => NewWork): Distortion {
  return (inner) => ({
    enqueue: (atoms, at) =>
      inner.enqueue(
        atoms.map((atom) => ({ ...atom, works: atom.works.map(change) })),
        at,
      ),
    ...outcomes((outcome) => ({ ...outcome, ...(outcome.follow && { follow: outcome.follow.map(change) }) }))(inner),
  });
}

export function outcomes(change: (outcome: Outcome) => Outcome): Distortion {
  return (inner) => ({
    settle: (list, at) => inner.settle(list.map(change), at),
    claim: (wanted, at) => inner.claim({ ...wanted, settling: wanted.settling.map(change) }, at),
  });
}

/** Undefined: the write is lost. */
export function notes(change: (note: NoteWrite) => NoteWrite | undefined): Distortion {
  return (inner) => ({
    enqueue: (atoms, at) =>
      inner.enqueue(
        atoms.map((atom) => ({ ...atom, notes: (atom.notes ?? []).flatMap((note) => change(note) ?? []) })),
        at,
      ),
  });
}

export function subscriptions(change: (subscription: StoredSubscription) => StoredSubscription | undefined): Distortion {
  return notes((note) => {
    if (!note.key.startsWith(subscriptionPrefix) || note.value === undefined) return note;
    const changed = change(JSON.parse(note.value) as StoredSubscription);
    return changed && { ...note, value: JSON.stringify(changed) };
  });
}

export function without<T extends object>(from: T, ...names: readonly (keyof T)[]): T {
  return Object.fromEntries(Object.entries(from).filter(([name]) => !names.includes(name as keyof T))) as T;
}

export function keeping(ms: number): (keep: Keep) => Keep {
  return () => ({ completed: ms, skipped: ms, cancelled: ms, dead: ms });
}

/** A settle that was told `lease-lost` writes all the same. */
export const settlesWhatWasLost: Distortion = (inner) => {
  const force = async (list: readonly Outcome[], at: At<unknown>): Promise<Awaited<ReturnType<Engine["settle"]>>> => {
    const answers = await inner.settle(list, at);
    const forced = await Promise.all(
      answers.map(async (answer, index) => {
        const outcome = list[index];
        const [row] = (await inner.find({ of: "jobs", ids: [answer.id] }, now(at))).rows;
        if (answer.is !== "lease-lost" || row?.claim === undefined || outcome === undefined) return answer;
        return (await inner.settle([{ ...outcome, claim: row.claim.claim, fence: row.claim.fence }], at))[0] ?? answer;
      }),
    );
    return forced;
  };
  return {
    settle: force,
    claim: async (wanted, at) => ({ ...(await inner.claim({ ...wanted, settling: [] }, at)), settled: await force(wanted.settling, at) }),
  };
};

/** Every claim of the store's life is given the same fence. */
export const fencesStandStill: Distortion = (inner) => {
  const real = new Map<string, number>();
  const truth = (outcome: Outcome): Outcome => ({ ...outcome, fence: real.get(outcome.claim) ?? outcome.fence });
  return {
    settle: (list, at) => inner.settle(list.map(truth), at),
    claim: async (wanted, at) => {
      const claimed = await inner.claim({ ...wanted, settling: wanted.settling.map(truth) }, at);
      real.set(wanted.claim, claimed.fence);
      return { ...claimed, fence: 1 };
    },
    lock: async (request, at) => {
      const answer = await inner.lock(request, at);
      return answer.is === "granted" ? { ...answer, fence: 1 } : answer;
    },
  };
};

/** Follow-up work is stored by a call of its own, before the outcome. */
export const followsApart: Distortion = (inner) => {
  const apart = async (list: readonly Outcome[], at: At<unknown>): Promise<Outcome[]> => {
    for (const { follow } of list) if (follow !== undefined) await inner.enqueue([{ works: follow }], at);
    return list.map((outcome) => without(outcome, "follow"));
  };
  return {
    settle: async (list, at) => inner.settle(await apart(list, at), at),
    claim: async (wanted, at) => inner.claim({ ...wanted, settling: await apart(wanted.settling, at) }, at),
  };
};

/** The store believes the clock of whoever calls. */
export const believesTheCaller: Distortion = (inner) => {
  let runtime: Runtime | undefined;
  const theirs = <A extends At<unknown>>(at: A): A => ({ ...at, now: runtime?.now() ?? at.now });
  return {
    open: (host) => {
      runtime = host.runtime;
      return inner.open(host);
    },
    enqueue: (atoms, at) => inner.enqueue(atoms, theirs(at)),
    claim: (wanted, at) => inner.claim(wanted, theirs(at)),
    settle: (list, at) => inner.settle(list, theirs(at)),
    beat: (process, leaseMs, at) => inner.beat(process, leaseMs, theirs(at)),
    tidy: (pass, at) => inner.tidy(pass, theirs(at)),
  };
};

/** A new subscriber's history is also given to it under ids of its own. */
export const doublesHistory: Distortion = (inner) => ({
  enqueue: async (atoms, at) => {
    const answers = await inner.enqueue(atoms, at);
    for (const { value } of atoms.flatMap((atom) => atom.notes ?? []).filter(({ key }) => key.startsWith(subscriptionPrefix))) {
      const subscription = JSON.parse(value ?? "{}") as StoredSubscription;
      if (subscription.since !== "beginning") continue;
      const { rows } = await inner.find({ of: "events", name: subscription.event, limit: 1_000 }, now(at));
      await inner.enqueue([{ works: rows.slice(0, 400).map((event) => ({ ...jobFor(event, subscription), id: `again-${event.id}` })) }], at);
    }
    return answers;
  },
});

/** The death of a job that a death made is announced, too. */
export const alertsOfAlerts: Distortion = (inner) => {
  let count = 0;
  const announce = async (list: readonly Outcome[], at: At<unknown>): Promise<void> => {
    for (const { id, is } of list) {
      const [row] = (await inner.find({ of: "jobs", ids: [id] }, now(at))).rows;
      if (is !== "dead" || row?.from?.event !== jobDiedName || count > 50) continue;
      await inner.enqueue([{ works: [{ kind: "event", id: `alert-${count++}`, content: "", rememberMs: 0, name: jobDiedName, payload: row.payload }] }], at);
    }
  };
  return {
    settle: async (list, at) => {
      await announce(list, at);
      return inner.settle(list, at);
    },
    claim: async (wanted, at) => {
      await announce(wanted.settling, at);
      return inner.claim(wanted, at);
    },
  };
};

/** A change is answered and not made, of all jobs or of those in one state. */
export function changesIgnored(what: Change["do"], answer: "cancelled" | "cancelling" | "prioritised" | "retried", state?: JobState): Distortion {
  return (inner) => ({
    change: async (which, change, limit, at) => {
      if (change.do !== what || !("ids" in which)) return inner.change(which, change, limit, at);
      const { rows } = await inner.find({ of: "jobs", ids: which.ids }, now(at));
      const ignored = rows.filter((row) => state === undefined || row.state === state).map((row) => row.id);
      const rest = await inner.change({ ids: which.ids.filter((id) => !ignored.includes(id)) }, change, limit, at);
      return { ...rest, jobs: [...rest.jobs, ...ignored.map((id) => ({ id, is: answer }))] };
    },
  });
}

/** Every tenth claim is given a job again that another claim was given. */
export const handsOutTwice: Distortion = (inner) => {
  let claims = 0;
  let last: ClaimedJob | undefined;
  return {
    claim: async (wanted, at) => {
      const claimed = await inner.claim(wanted, at);
      const again = ++claims % 10 === 0 && last !== undefined && wanted.alone === "no" ? [last] : [];
      last = claimed.jobs.at(-1) ?? last;
      return { ...claimed, jobs: [...claimed.jobs, ...again] };
    },
  };
};

/** An outcome that comes after its lease is refused, whether somebody took the job or not. */
export const refusesTheLate: Distortion = (inner) => {
  const isLate = async (outcome: Outcome, at: At<unknown>): Promise<boolean> => {
    const { rows, now: storeNow } = await inner.find({ of: "jobs", ids: [outcome.id] }, now(at));
    return (rows[0]?.claim?.leaseUntil ?? Infinity) < storeNow;
  };
  const inTime = async (list: readonly Outcome[], at: At<unknown>): Promise<Outcome[]> => {
    const late = await Promise.all(list.map((outcome) => isLate(outcome, at)));
    return list.map((outcome, index) => (late[index] ? { ...outcome, fence: -1 } : outcome));
  };
  return {
    settle: async (list, at) => inner.settle(await inTime(list, at), at),
    claim: async (wanted, at) => inner.claim({ ...wanted, settling: await inTime(wanted.settling, at) }, at),
  };
};

/** What waited for a day is taken for history. */
export const removesTheOld: Distortion = (inner) => ({
  tidy: async (pass, at) => {
    const { rows, now: storeNow } = await inner.find({ of: "jobs", where: { states: ["scheduled", "blocked", "ready", "parked"] }, limit: 100 }, now(at));
    const ids = rows.filter((row) => row.enqueuedAt < storeNow - 86_400_000).map((row) => row.id);
    await inner.change({ ids }, { do: "cancel", reason: "old" }, 100, at);
    await inner.change({ ids }, { do: "delete" }, 100, at);
    return inner.tidy(pass, at);
  },
});

/** Each item of an atom is stored on its own. */
export const atomsFallApart: Distortion = (inner) => ({
  enqueue: async (atoms, at) => {
    const apart = async (atom: Atom): Promise<Awaited<ReturnType<Engine["enqueue"]>>[number]> => {
      const pieces: Atom[] = [...atom.works.map((work) => ({ works: [work] })), ...(atom.notes ? [{ works: [], notes: atom.notes }] : [])];
      const answers = await inner.enqueue(pieces, at);
      return answers.find((answer) => answer instanceof Error) ?? (answers as Exclude<(typeof answers)[number], Error>[]).flat();
    };
    const answers = [];
    for (const atom of atoms) answers.push(await apart(atom));
    return answers;
  },
});

/** The time of a call, without its transaction. */
export function now(at: At<unknown>): At {
  return at.now === undefined ? {} : { now: at.now };
}
