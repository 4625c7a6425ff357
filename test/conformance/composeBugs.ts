/** Planted bugs of batches, chains, results and premises, and the laws that must go red for them. */
import type { Atom, Engine, JobRow, NewJob, NewJoin, NewWork } from "../../src/core/engine.ts";
import type { Bug } from "./bugs.ts";
import * as plant from "./planted.ts";
import type { Distortion } from "./planted.ts";

const joins = (change: (join: NewJoin) => NewJoin): Distortion => plant.works((work) => (work.kind === "join" ? change(work) : work));
const belonging = (change: (work: NewJob | NewJoin) => NewWork): Distortion => plant.works((work) => (work.kind === "event" ? work : change(work)));

const groupOf = (id: string): NewJoin => ({ kind: "join", id: "group", content: id, rememberMs: 0, name: "batch", isSealed: true });

/** Rows of jobs or joins, on their way out. */
const rows =
  (of: "jobs" | "joins", change: (row: never) => unknown): Distortion =>
  (inner) => ({
    find: async (query, at) => {
      const page = await inner.find(query, at);
      return query.of === of ? { ...page, rows: page.rows.map((row) => change(row as never)) as never } : page;
    },
  });

/** Each call's ids are its own, as if nothing had been stored before. */
const madeAnew: Distortion = (inner) => {
  let calls = 0;
  const renamed = (atom: Atom, call: number): Atom => {
    const own = new Set(atom.works.map(({ id }) => id));
    const name = (id: string): string => (call > 1 && own.has(id) ? `${id}.${call}` : id);
    return {
      ...atom,
      works: atom.works.map((work) => {
        if (work.kind === "event") return work;
        const { join, after } = work;
        return {
          ...work,
          id: name(work.id),
          ...(join !== undefined && { join: name(join) }),
          ...(after && { after: after.map((each) => ({ ...each, id: name(each.id) })) }),
        };
      }),
    };
  };
  const isBatch = (atom: Atom): boolean => atom.works.some((work) => work.kind === "join");
  return {
    enqueue: (atoms, at) =>
      inner.enqueue(
        atoms.map((atom) => (isBatch(atom) ? renamed(atom, ++calls) : atom)),
        at,
      ),
  };
};

/** Delays of what comes after something count from its enqueue. */
const delaysFromEnqueue: Distortion = (inner) => ({
  enqueue: (atoms, at) => {
    const dated = (work: NewWork): NewWork =>
      work.kind === "job" && work.after !== undefined && work.delayMs !== undefined
        ? { ...plant.without(work, "delayMs"), dueAt: (at.now ?? 0) + work.delayMs }
        : work;
    return inner.enqueue(
      atoms.map((atom) => ({ ...atom, works: atom.works.map(dated) })),
      at,
    );
  },
});

/** A join that is sealed before it has members does not end. */
const emptyOnesStay: Distortion = (inner) => ({
  enqueue: (atoms, at) =>
    inner.enqueue(
      atoms.map((atom) => ({
        ...atom,
        works: atom.works.map((work) =>
          work.kind === "join" && !atom.works.some((other) => other.kind !== "event" && other.join === work.id) ? { ...work, isSealed: false } : work,
        ),
      })),
      at,
    ),
});

/** Cancelling by join reaches what waits, one by one, and leaves the join as it was. */
const cancelsMembersOnly: Distortion = (inner) => ({
  change: async (which, change, limit, at) => {
    if (!("join" in which)) return inner.change(which, change, limit, at);
    const { rows: members } = await inner.find(
      { of: "jobs", where: { join: which.join, states: ["ready", "scheduled", "blocked"] }, limit: 1_000 },
      plant.now(at),
    );
    return inner.change({ ids: members.map(({ id }) => id) }, change, limit, at);
  },
});

const cancelsNothing: Distortion = (inner) => ({
  change: (which, change, limit, at) => ("join" in which ? { jobs: [], hasMore: false } : inner.change(which, change, limit, at)),
});

const readsOnePage: Distortion = (inner) => ({
  find: async (query, at) => {
    const page = await inner.find(query, at);
    return query.of === "jobs" && "where" in query && query.where.before !== undefined ? plant.without(page, "next") : page;
  },
});

const beginsAgain: Distortion = (inner) => ({
  find: (query, at) =>
    inner.find(
      "after" in query && (query.of === "joins" || ("where" in query && query.where.join !== undefined)) ? plant.without(query, "after" as never) : query,
      at,
    ),
});

const claimed =
  (change: (job: Awaited<ReturnType<Engine["claim"]>>["jobs"][number]) => typeof job): Distortion =>
  (inner) => ({
    claim: async (wanted, at) => {
      const answer = await inner.claim(wanted, at);
      return { ...answer, jobs: answer.jobs.map(change) };
    },
  });

export const composeBugs: readonly Bug[] = [
  {
    name: "nothing waits for what it comes after",
    distortion: belonging((work) => plant.without(work, "after")),
    caughtBy: [
      "of a batch of which one member completes and the others complete, all-ended and all-succeeded run once, the other callback never",
      "a callback that is a batch runs as one, with callbacks of its own",
      "a batch as a step: all its members run side by side, after the step before and before the next",
      "in a graph each job starts when all that it comes after have ended well",
    ],
  },
  {
    name: "what comes after something runs however that ended",
    distortion: belonging((work) => (work.after ? { ...work, after: work.after.map(({ id }) => ({ id, when: "ended" })) } : work)),
    caughtBy: [
      "a job comes after one that is stored, whatever became of it meanwhile",
      "a run whose result is no JSON has failed with result-invalid, and what came after it is told",
      "a run whose result is above 4 KiB has failed with result-too-large, and what came after it is told",
    ],
  },
  {
    name: "what comes after a batch waits for its success",
    distortion: belonging((work) => (work.after ? { ...work, after: work.after.map(({ id }) => ({ id, when: "well" })) } : work)),
    caughtBy: [
      "a failure deep within fails every batch around it",
      "what a failing member added is not there",
      "a job may enqueue a batch with its completion",
      "when a member of a batch in a chain dies, its batch is ended first, then what is behind it is cancelled",
    ],
  },
  {
    name: "what comes after something waits for its failure",
    distortion: belonging((work) => (work.after ? { ...work, after: work.after.map(({ id }) => ({ id, when: "badly" })) } : work)),
    caughtBy: ["when a step of a chain completes, those behind it go on"],
  },
  {
    name: "every job is in some batch",
    distortion: claimed((job) => ({ join: "some", ...job })),
    caughtBy: ["a job that is in no batch cannot add to one"],
  },
  {
    name: "a skip is a failure",
    distortion: plant.outcomes((outcome) => (outcome.is === "skipped" ? { ...outcome, is: "dead" } : outcome)),
    caughtBy: [
      "when a step of a chain is skipped, those behind it go on",
      'a premise that has changed: skipped, "expected version 7, found 9"',
      'a premise that has changed in two fields: skipped, "expected version 7, found 9; expected status "open", found "void""',
      'a premise that is gone: skipped, "expected version 7, found nothing"',
    ],
  },
  {
    name: "nobody is a member",
    distortion: belonging((work) => plant.without(work, "join")),
    caughtBy: [
      "of a batch of which one member completes and the others complete, all-ended and all-succeeded run once, the other callback never",
      "of a batch of which one member is skipped and the others complete, all-ended and all-succeeded run once, the other callback never",
    ],
  },
  {
    name: "the batches that a run hands in are forgotten",
    distortion: plant.outcomes((outcome) => plant.without(outcome, "follow")),
    caughtBy: [
      "a batch and a chain that a run handed in are there when it completes",
      "a batch and a chain that a run handed in are there when it skips",
      "a run hands in 500 jobs at most, members of batches and batches counted: the error stands in the run",
      "what a run hands in may come after the run's own job",
    ],
  },
  {
    name: "a failure is no ending of its own",
    distortion: plant.outcomes((outcome) => (outcome.is === "dead" ? { ...outcome, is: "completed", follow: [groupOf(outcome.id)] } : outcome)),
    caughtBy: [
      "a batch and a chain that a run handed in are not there when it fails",
      "a batch and a chain that a run handed in are not there when it gives up",
    ],
  },
  {
    name: "what is added is no member",
    distortion: plant.outcomes((outcome) =>
      outcome.follow ? { ...outcome, follow: outcome.follow.map((work) => (work.kind === "event" ? work : plant.without(work as NewJob, "join"))) } : outcome,
    ),
    caughtBy: ["a member adds members to its own batch, which ends when they have ended too"],
  },
  {
    name: "who lost a unique key leaves the batch",
    distortion: plant.jobs((job) => (job.unique ? plant.without(job, "join") : job)),
    caughtBy: ["a member that lost its unique key makes its batch wait for the job that has it"],
  },
  {
    name: "batches are sealed at once",
    distortion: joins((join) => ({ ...plant.without(join, "size"), isSealed: true })),
    caughtBy: [
      "a large batch whose storing breaks off runs nothing; again() stores all of it, once",
      "what was stored of a large batch that was given up is gone after an hour, and never ran",
    ],
  },
  {
    name: "an empty batch never ends",
    distortion: emptyOnesStay,
    caughtBy: ["an empty batch has succeeded: its callbacks run", "a batch of 1,700 runs each member once, and its callback once, after all"],
  },
  {
    name: "a batch's id is not compared with those stored",
    distortion: madeAnew,
    caughtBy: ["the same id with the same members is the same batch, also after it has ended"],
  },
  {
    name: "a batch's content is not compared",
    distortion: plant.works((work) => ({ ...work, content: "" })),
    caughtBy: ["the same id with other members is refused, and changes nothing", "a batch of which one member is refused stores nothing"],
  },
  {
    name: "an atom falls apart",
    distortion: plant.atomsFallApart,
    caughtBy: ["a batch of which one member is refused stores nothing", "a job after what nobody stored is refused, and nothing of its call is stored"],
  },
  {
    name: "cancelling a batch does nothing",
    distortion: cancelsNothing,
    caughtBy: [
      "cancelling a batch: what waits never starts, what runs is signalled, the batch has failed",
      "cancelling a batch of which nothing runs answers cancelled; one that is not there, unknown",
      "a member cannot be added to a batch that was cancelled",
      "cancelling a chain: the step that runs is signalled, no other starts",
    ],
  },
  {
    name: "cancelling a batch reaches what waits in it, and not the batch",
    distortion: cancelsMembersOnly,
    caughtBy: [
      "cancelling a batch: what waits never starts, what runs is signalled, the batch has failed",
      "cancelling a batch of which nothing runs answers cancelled; one that is not there, unknown",
    ],
  },
  {
    name: "a cancelled job is said to have been skipped",
    distortion: plant.changesIgnored("cancel", "cancelled"),
    caughtBy: [
      "a member that was cancelled counts as failed, and the batch does not wait for it",
      "what did not come to run says why: a callback that was not needed is skipped, one whose batch failed is cancelled",
    ],
  },
  {
    name: "dead workers' jobs are never taken back",
    distortion: (inner) => ({ tidy: (pass, at) => inner.tidy({ ...pass, mayExpire: false }, at) }),
    caughtBy: [
      "each callback runs once though the worker dies in every member",
      "the callback runs once where the answer to the last member's settle was lost, and its worker died then",
      "each step starts when the one before has ended, through retries and restarts",
    ],
  },
  {
    name: "a job is handed out twice",
    distortion: plant.handsOutTwice,
    caughtBy: ["300 members, five workers: each member runs once, and so does each callback"],
  },
  {
    name: "delays of callbacks count from enqueue",
    distortion: delaysFromEnqueue,
    caughtBy: ["a callback's delay counts from the end of its batch"],
  },
  {
    name: "what a job comes after may be unknown",
    distortion: belonging((work) => (work.after ? { ...work, after: work.after.filter(({ id }) => id !== "nobody") } : work)),
    caughtBy: ["a job after what nobody stored is refused, and nothing of its call is stored"],
  },
  {
    name: "results are forgotten",
    distortion: plant.outcomes((outcome) => plant.without(outcome, "result")),
    caughtBy: ["each step reads what the one before returned"],
  },
  {
    name: "all that a run returns is stored",
    distortion: plant.outcomes((outcome) => (outcome.is === "completed" ? { result: '{"secret":"s"}', ...outcome } : outcome)),
    caughtBy: ["without a declared result nothing of what a run returns is stored"],
  },
  {
    name: "a page is all there is to read",
    distortion: readsOnePage,
    caughtBy: ["a callback reads the results of all members, 250 of them, and why others have none"],
  },
  {
    name: "why a member was skipped is forgotten",
    distortion: rows("jobs", (row: JobRow) => plant.without(row, "reason")),
    caughtBy: [
      "when a step of a chain dies, those behind it end cancelled, and the chain has failed",
      "when a step of a chain is parked, those behind it end cancelled, and the chain has failed",
      "what comes after a failure ends cancelled, all the way; its siblings go on",
      "a run whose result does not fit its schema has failed with result-invalid, and what came after it is told",
      "unless comes first, and spares the look at the record",
    ],
  },
  {
    name: "a batch's parent is forgotten",
    distortion: rows("joins", (row: { readonly join?: string }) => plant.without(row, "join")),
    caughtBy: ["a batch in a batch counts as one member, and its callback is a member of the outer one"],
  },
  {
    name: "what a batch comes after is forgotten",
    distortion: rows("joins", (row: { readonly after?: unknown }) => plant.without(row, "after")),
    caughtBy: ["a member of a batch reads what the step before its batch returned; a job that came after nothing reads nothing"],
  },
  {
    name: "a batch's members are miscounted",
    distortion: rows("joins", (row: { readonly members: number }) => ({ ...row, members: row.members + 1 })),
    caughtBy: [
      "of a batch of which one member completes and the others complete, all-ended and all-succeeded run once, the other callback never",
      "of a batch of which one member is skipped and the others complete, all-ended and all-succeeded run once, the other callback never",
      "of a batch of which one member dies and the others complete, all-ended and any-failed run once, the other callback never",
      "of a batch of which one member is parked and the others complete, all-ended and any-failed run once, the other callback never",
    ],
  },
  {
    name: "a page of a batch begins again",
    distortion: beginsAgain,
    caughtBy: ["a batch tells how far it is, and what is in it, page by page"],
  },
  {
    name: "premises are forgotten",
    distortion: plant.jobs((job) => plant.without(job, "expecting")),
    caughtBy: [
      "where the premise is stale, a conflict that fails has failed the attempt",
      "a conflict may snooze, and the premise is checked again",
      "a conflict hands over work, which is stored with the outcome that it chose",
    ],
  },
  {
    name: "a worker is not told the premise",
    distortion: claimed((job) => plant.without(job, "expecting")),
    caughtBy: [
      "a premise that broke while the job waited skips it",
      'where the premise is stale, "skip" skips',
      "where the premise is stale, a conflict may skip",
      "where the premise is stale, a conflict may give up",
    ],
  },
  {
    name: "a worker is told another premise",
    distortion: claimed((job) => (job.expecting === undefined ? job : { ...job, expecting: '{"version":8}' })),
    caughtBy: [
      "a premise that holds: the job runs",
      "a premise is checked right before each run: one that breaks between two attempts skips the second",
      "a look that fails is a failed attempt, and is made again",
      "a job whose premise no worker here can check is left for one that can",
    ],
  },
];
