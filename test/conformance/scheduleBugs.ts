/** Planted bugs of schedules and reconciliations, and the laws that must go red for them. */
import type { Atom, Engine, NewJob, NewWork, NoteWrite } from "../../src/core/engine.ts";
import { pausedSchedulePrefix, reconciliationPrefix, schedulePrefix } from "../../src/core/notes.ts";
import { reconcilePrefix } from "../../src/core/reconcile/reconcile.ts";
import { reconciled } from "../../src/core/reconcile/reconciled.ts";
import type { StoredSchedule } from "../../src/core/schedule/rule.ts";
import type { Bug } from "./bugs.ts";
import * as plant from "./planted.ts";
import type { Distortion } from "./planted.ts";

const isOfSlot = (job: NewJob): boolean => job.slot !== undefined && !job.task.startsWith(reconcilePrefix);
const ofSlots = (change: (job: NewJob) => NewJob): Distortion => plant.jobs((job) => (isOfSlot(job) ? change(job) : job));
let others = 0;

/** A schedule's note on its way into the store. Undefined: the write is lost. */
const schedules = (change: (stored: StoredSchedule, note: NoteWrite) => StoredSchedule | undefined): Distortion =>
  plant.notes((note) => {
    if (!note.key.startsWith(schedulePrefix) || note.value === undefined) return note;
    const changed = change(JSON.parse(note.value) as StoredSchedule, note);
    return changed && { ...note, value: JSON.stringify(changed) };
  });

/** Notes are written whatever version their writer believes in, and ids of slots are made anew, unique to nothing. */
const raced: Distortion = (inner) => ({
  enqueue: (atoms, at) =>
    inner.enqueue(
      atoms.map((atom) => ({
        works: atom.works.map((work) =>
          work.kind === "job" && work.slot !== undefined ? { ...plant.without(work, "unique"), id: `${work.id}.${++others}` } : work,
        ),
        notes: (atom.notes ?? []).map((note) => (note.key.startsWith(schedulePrefix) && (note.ifVersion ?? 0) > 0 ? plant.without(note, "ifVersion") : note)),
      })),
      at,
    ),
});

/** The cursor is stored first, the jobs in a call of their own, which is lost in every third case. */
const apart: Distortion = (inner) => {
  let calls = 0;
  const isTick = ({ works, notes = [] }: Atom): boolean => works.length > 0 && notes.some((note) => note.key.startsWith(schedulePrefix));
  return {
    enqueue: async (atoms, at) => {
      const answers: Awaited<ReturnType<Engine["enqueue"]>> = [];
      for (const atom of atoms) {
        const isLost = isTick(atom) && ++calls % 3 === 0;
        answers.push(...(await inner.enqueue([isLost ? { works: [], notes: atom.notes ?? [] } : atom], at)));
      }
      return answers;
    },
  };
};

/** Slots are enqueued, under ids made anew, and the cursor stays where it was. */
const standing: Distortion = (inner) => ({
  enqueue: (atoms, at) =>
    inner.enqueue(
      atoms.map(({ works, notes = [] }) => ({
        works: works.map((work) => (work.kind === "job" && isOfSlot(work) ? { ...work, id: `${work.id}.${++others}` } : work)),
        notes: works.length === 0 ? notes : notes.filter((note) => !note.key.startsWith(schedulePrefix)),
      })),
      at,
    ),
});

export const scheduleBugs: readonly Bug[] = [
  {
    name: "a cursor stands still",
    distortion: standing,
    caughtBy: [
      "a tick whose answer is lost is not made twice",
      "a storm of starts, stops, kills, pauses and lost answers (2): each slot has exactly one job",
      "a storm of starts, stops, kills, pauses and lost answers (3): each slot has exactly one job",
    ],
  },
  {
    name: "whoever ticks writes, however many do",
    distortion: raced,
    caughtBy: [
      "each slot is enqueued once and starts at its instant, whichever of five workers see it, however wrong their clocks",
      "it is looked once in the fleet at each slot, whichever of three workers see it",
      "a storm of starts, stops, kills, pauses and lost answers (1): each slot has exactly one job",
    ],
  },
  {
    name: "a cursor is stored without its jobs",
    distortion: apart,
    caughtBy: [
      "a storm of starts, stops, kills, pauses and lost answers (1): each slot has exactly one job",
      "each slot is enqueued once and starts at its instant, whichever of five workers see it, however wrong their clocks",
    ],
  },
  {
    name: "a job's slot is forgotten",
    distortion: plant.jobs((job) => plant.without(job, "slot")),
    caughtBy: [
      "a slot's job knows its instant, also when its first run died with its worker",
      "a backfill enqueues what is not there, once, and what is there stays",
    ],
  },
  {
    name: "slots are due a second later",
    distortion: ofSlots((job) => ({ ...job, delayMs: 1_000 })),
    caughtBy: ["each slot is enqueued once and starts at its instant, whichever of five workers see it, however wrong their clocks"],
  },
  {
    name: "jobs of slots are unique to nothing",
    distortion: ofSlots((job) => plant.without(job, "unique")),
    caughtBy: ["every 10 s a run of 25 s, overlap skip: runs start at 10, 40 s"],
  },
  {
    name: "jobs of slots wait for nothing",
    distortion: ofSlots((job) => plant.without(job, "lane")),
    caughtBy: ["every 10 s a run of 25 s, overlap wait: runs start at 10, 35 s"],
  },
  {
    name: "jobs of slots are always one after the other",
    distortion: ofSlots((job) => ({ ...job, lane: { key: "all", width: 1, ifDead: "continue" } })),
    caughtBy: ["every 10 s a run of 25 s, overlap allow: runs start at 10, 20, 30, 40 s"],
  },
  {
    name: "what was missed is always run",
    distortion: schedules((stored) => ({ ...stored, defined: { ...stored.defined, missed: "run-all" } })),
    caughtBy: [
      "slots that came while no worker ran: drop runs those of minutes 1, 6",
      "slots that came while no worker ran: run-once runs those of minutes 1, 5, 6",
    ],
  },
  {
    name: "what was missed is never run",
    distortion: schedules((stored) => ({ ...stored, defined: { ...stored.defined, missed: "drop" } })),
    caughtBy: ["slots that came while no worker ran: run-all runs those of minutes 1, 2, 3, 4, 5, 6"],
  },
  {
    name: "edits are forgotten",
    distortion: schedules((stored) => ({ ...stored, edited: {} })),
    caughtBy: ["an edit by another process holds within a heartbeat, and brings no instant back", "a boot does not undo what people changed, nor begin anew"],
  },
  {
    name: "changes of notes are not heard",
    distortion: (inner) => ({ beat: async (process, leaseMs, at) => ({ ...(await inner.beat(process, leaseMs, at)), notesVersion: 1 }) }),
    caughtBy: ["an edit by another process holds within a heartbeat, and brings no instant back"],
  },
  {
    name: "a schedule's pause is forgotten",
    distortion: plant.notes((note) => (note.key.startsWith(pausedSchedulePrefix) ? undefined : note)),
    caughtBy: ["a paused schedule enqueues nothing in any process, and makes up for nothing when it goes on"],
  },
  {
    name: "a removal is forgotten",
    distortion: plant.notes((note) => (note.key.startsWith(schedulePrefix) && note.value === undefined ? undefined : note)),
    caughtBy: ["a removed schedule enqueues nothing more, though workers that defined it go on"],
  },
  {
    name: "ids of backfills are made anew",
    distortion: ofSlots((job) => (job.rememberMs > 0 ? { ...job, id: `${job.id}.${++others}` } : job)),
    caughtBy: ["a backfill enqueues what is not there, once, and what is there stays"],
  },
  {
    name: "a cursor runs ahead",
    distortion: schedules((stored) => ({ ...stored, cursor: stored.cursor + 3_000 })),
    caughtBy: ["slots that come while the store is away are enqueued within 2 s of its return"],
  },
  {
    name: "nothing comes after anything",
    distortion: plant.jobs((job) => plant.without(job, "after")),
    caughtBy: ["a batch is enqueued at each slot, whole, and what follows it waits for that one"],
  },
  {
    name: "all schedules of a task are one",
    distortion: ofSlots((job) => ({ ...job, id: `${job.task}.${job.slot?.at}` })),
    caughtBy: ["two schedules of one task have their own slots"],
  },
  {
    name: "schedules of tasks that have no code here are left to others",
    distortion: (inner) => ({ find: async (query, at) => withoutSchedules(await inner.find(query, at)) }),
    caughtBy: ["a worker without the task's code enqueues the slot; one that has it runs it"],
  },
];

function withoutSchedules<P extends { readonly rows: readonly unknown[] }>(page: P): P {
  return { ...page, rows: page.rows.filter((row) => !(row as { readonly key?: string }).key?.startsWith(schedulePrefix)) };
}

/** Jobs that a reconciliation enqueues: they keep the one that stands, whatever their task's rule. */
const sent = (change: (job: NewJob) => NewJob): Distortion => plant.jobs((job) => (job.task === "send" ? change(job) : job));

/** What a reconciliation enqueues is enqueued twice. */
const doubled: Distortion = (inner) => ({
  enqueue: async (atoms, at) => {
    const twice = (work: NewWork): readonly NewWork[] =>
      work.kind === "job" && work.task === "send" ? [work, { ...plant.without(work, "unique"), id: `${work.id}.2` }] : [work];
    const answers = await inner.enqueue(
      atoms.map((atom) => ({ ...atom, works: atom.works.flatMap(twice) })),
      at,
    );
    return answers.map(
      (answer, index) =>
        (answer instanceof Error ? answer : atoms[index]?.works.map((work) => answer.find(({ id }) => id === work.id) ?? { id: work.id, isDuplicate: true })) ??
        [],
    );
  },
});

export const reconcileBugs: readonly Bug[] = [
  {
    name: "what was found is enqueued twice",
    distortion: doubled,
    caughtBy: [
      "an array will do, twice the same is once, and what the task refuses is counted and told",
      "a store that is new is filled at once with all that is undone, each once",
    ],
  },
  {
    name: "what is handed back is dead",
    distortion: plant.outcomes((outcome) => (outcome.is === "released" ? { ...outcome, is: "dead", reason: "handed back" } : outcome)),
    caughtBy: ["a stopping worker hands its reconciliation back, whatever it waits for"],
  },
  {
    name: "what failed once is dead",
    distortion: plant.outcomes((outcome) => (outcome.is === "retry" ? { ...plant.without(outcome, "delayMs"), is: "dead", reason: "once" } : outcome)),
    caughtBy: ["a look that fails is tried again, is dead in the end, and the next slot begins anew"],
  },
  {
    name: "a reconciliation waits for its first slot",
    distortion: plant.works((work) =>
      work.kind === "job" && work.task.startsWith(reconcilePrefix) && work.slot === undefined ? { ...work, delayMs: 1e9 } : work,
    ),
    caughtBy: [
      "a store that is new is filled at once with all that is undone, each once",
      "a store that is lost while nobody runs is filled by the first that returns",
      "rebuild runs all of them now, in whichever worker has them, and tells how far they have come",
    ],
  },
  {
    name: "what a reconciliation enqueues is unique to nothing",
    distortion: sent((job) => plant.without(job, "unique")),
    caughtBy: ["only what has no live job is enqueued, and the drift is told as counts"],
  },
  {
    name: "the last job of a key is not found",
    distortion: (inner) => ({
      find: async (query, at) =>
        "where" in query && query.where.unique !== undefined ? { ...(await inner.find(query, at)), rows: [] } : inner.find(query, at),
    }),
    caughtBy: ["what is dead is not tried again by itself; what becomes undone again is", "what ends while it is being looked for gets no second job"],
  },
  {
    name: "all that has ended is taken for done",
    distortion: (inner) => ({
      find: async (query, at) =>
        "where" in query && query.where.unique !== undefined
          ? { ...(await inner.find(query, at)), rows: (await inner.find(query, at)).rows.map((row) => ({ ...row, endedAt: 1e15 })) }
          : inner.find(query, at),
    }),
    caughtBy: ["what is dead is not tried again by itself; what becomes undone again is"],
  },
  { name: "the pace is forgotten", distortion: sent((job) => plant.without(job, "dueAt")), caughtBy: ["starts keep the stated pace, also over several looks"] },
  {
    name: "how far the pace has come is forgotten",
    distortion: plant.notes((note) =>
      note.key.startsWith(reconciliationPrefix) && note.value !== undefined
        ? { ...note, value: JSON.stringify(plant.without(JSON.parse(note.value) as { pacedUntil?: number }, "pacedUntil")) }
        : note,
    ),
    caughtBy: ["starts keep the stated pace, also over several looks"],
  },
  {
    name: "another era is not heard of",
    distortion: (inner) => ({ beat: async (process, leaseMs, at) => ({ ...(await inner.beat(process, leaseMs, at)), era: "always" }) }),
    caughtBy: ["a store that is lost under its workers is filled again: all is done, and only what was in flight is done twice"],
  },
  {
    name: "what was found is not published",
    distortion: plant.works((work) => (work.kind === "event" && work.name === reconciled.name ? { ...work, name: "nothing" } : work)),
    caughtBy: ["each run publishes what it found"],
  },
  {
    name: "dead workers' jobs are never taken back",
    distortion: (inner) => ({ tidy: (pass, at) => inner.tidy({ ...pass, mayExpire: false }, at) }),
    caughtBy: ["a reconciliation whose worker is killed goes on in another, and enqueues nothing twice"],
  },
];
