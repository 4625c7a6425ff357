/** Planted bugs in what holds work back: limits, resources and breakers. */
import type { Claim, Engine, TaskTerms } from "../../src/core/engine.ts";
import type { Bug } from "./bugs.ts";
import * as plant from "./planted.ts";
import type { Distortion } from "./planted.ts";

const everyKey = [
  "over four workers there are never more than 2 at once of each key, through retries and snoozes",
  "over four workers there are never more than 3 starts of each key in any 5 s, through retries and snoozes",
];
const ofTheTask = [
  "over four workers there are never more than 3 at once, through retries and snoozes",
  "over four workers there are never more than 4 starts in any 2 s, through retries and snoozes",
];

/** Each claim with other terms. */
function terms(change: (terms: TaskTerms) => TaskTerms): Distortion {
  const changed = (wanted: Claim): Claim => ({
    ...wanted,
    ...(wanted.terms && { terms: Object.fromEntries(Object.entries(wanted.terms).map(([task, own]) => [task, change(own)])) }),
  });
  return (inner) => ({ claim: (wanted, at) => inner.claim(changed(wanted), at) });
}

const perClaim = (inner: Engine): Partial<Engine> => {
  let claims = 0;
  return { claim: (wanted, at) => inner.claim(++claims % 3 === 0 ? plant.without(wanted, "terms") : wanted, at) };
};

export const flowBugs: readonly Bug[] = [
  {
    name: "limits per key are not kept",
    distortion: plant.jobs((job) => plant.without(job, "keyLimits")),
    caughtBy: [
      ...everyKey,
      "a key without room takes neither a slot nor an attempt, and why names the limit",
      "a tenant with a long line does not starve the others: they take turns",
    ],
  },
  {
    name: "limits per key are one limit",
    distortion: plant.jobs((job) => (job.keyLimits ? { ...job, keyLimits: job.keyLimits.map((limit) => ({ ...limit, key: "all" })) } : job)),
    caughtBy: [
      "a tenant with a long line does not starve the others: they take turns",
      "a key without room takes neither a slot nor an attempt, and why names the limit",
    ],
  },
  {
    name: "exceptions are forgotten",
    distortion: plant.jobs((job) =>
      job.keyLimits ? { ...job, keyLimits: job.keyLimits.map((limit) => ({ ...limit, is: "running" in limit.is ? { running: 9 } : limit.is })) } : job,
    ),
    caughtBy: ["over four workers there are never more than 1 at once of each key, 3 of one that is excepted, through retries and snoozes"],
  },
  {
    name: "a subscription's limits per key are forgotten",
    distortion: plant.subscriptions((subscription) => plant.without(subscription, "keyLimits")),
    caughtBy: ["a publisher without the task's code keeps its limits per key"],
  },
  { name: "the notes of limits are lost", distortion: plant.notes((note) => (note.key.startsWith("limit/task/") ? undefined : note)), caughtBy: ofTheTask },
  {
    name: "gates are not asked",
    distortion: terms((own) => plant.without(own, "gates")),
    caughtBy: [
      ...ofTheTask,
      "while what a task depends on is down, one job at a time tries it, over all workers",
      "tasks that depend on one thing are held back together, others are not",
    ],
  },
  {
    name: "each third claim knows no terms",
    distortion: perClaim,
    caughtBy: [...ofTheTask, "there are never more than 4 starts in any 2 s, though workers are killed, stopped and started"],
  },
  {
    name: "a limit of starts is a limit of runs",
    distortion: plant.notes((note) =>
      note.value?.startsWith('{"starts":') ? { ...note, value: note.value.replace(/^\{"starts":(\d+),"everyMs":\d+/, '{"running":$1') } : note,
    ),
    caughtBy: ["over four workers there are never more than 4 starts in any 2 s, through retries and snoozes", "starts come at the rate, without gaps"],
  },
  {
    name: "what a killed worker held is never free again",
    distortion: (inner) => ({ tidy: (pass, at) => inner.tidy({ ...pass, mayExpire: false }, at) }),
    caughtBy: [
      "what a killed worker held is free again with its lease, and not before",
      "a job that is killed while it tries gives its place to another, with its lease",
    ],
  },
  {
    name: "what a killed worker held is free at once",
    distortion: (inner) => ({
      tidy: (pass, at) => inner.tidy({ ...pass, mayExpire: true }, at),
      claim: (wanted, at) => inner.claim({ ...wanted, leaseMs: 1_000 }, at),
      beat: (process, _, at) => inner.beat(process, 1_000, at),
    }),
    caughtBy: ["what a killed worker held is free again with its lease, and not before"],
  },
  {
    name: "an edit looks like the code's own number",
    distortion: plant.notes((note) => (note.value === undefined ? note : { ...note, value: note.value.replace(',"isEdited":true', "") })),
    caughtBy: [
      "an edit of a limit is held to by all workers at once, and outlives them",
      "a resource's capacity can be edited while workers run; the calendar waits until it is as defined again",
    ],
  },
  {
    name: "edits of limits are lost",
    distortion: plant.notes((note) => (note.value?.includes("isEdited") ? undefined : note)),
    caughtBy: [
      "an edit of a limit is held to by all workers at once, and outlives them",
      "a limit that the code does not have can be set, and is heard within a heartbeat",
    ],
  },
  {
    name: "a limit is never taken away",
    distortion: plant.notes((note) => (note.key.startsWith("limit/task/") && note.value === undefined ? undefined : note)),
    caughtBy: ["a deploy changes a limit that nobody edited, and takes it away"],
  },
  {
    name: "a worker does not hear that notes changed",
    distortion: (inner) => ({ beat: async (process, leaseMs, at) => ({ ...(await inner.beat(process, leaseMs, at)), notesVersion: 1 }) }),
    caughtBy: ["a limit that the code does not have can be set, and is heard within a heartbeat"],
  },
  {
    name: "needs are not asked",
    distortion: terms((own) => plant.without(own, "needs")),
    caughtBy: [
      "tasks that need different amounts of one resource never hold more than there is, though workers are killed",
      "a resource follows its calendar, by the store's clock",
    ],
  },
  {
    name: "every need is of one",
    distortion: terms((own) => (own.needs ? { ...own, needs: Object.fromEntries(Object.keys(own.needs).map((name) => [name, 1])) } : own)),
    caughtBy: ["tasks that need different amounts of one resource never hold more than there is, though workers are killed"],
  },
  {
    name: "a calendar is never applied",
    distortion: plant.notes((note) => (note.key.startsWith("resource/") && (note.ifVersion ?? 0) > 0 ? undefined : note)),
    caughtBy: ["a resource follows its calendar, by the store's clock"],
  },
  {
    name: "what a worker has itself is not counted",
    distortion: terms((own) => plant.without(own, "most")),
    caughtBy: ["what a worker has itself is counted by that worker alone", "workers that have a resource each use all of it"],
  },
  {
    name: "breakers are not shared",
    distortion: plant.notes((note) => (note.key.startsWith("limit/breaker/") ? undefined : note)),
    caughtBy: [
      "while what a task depends on is down, one job at a time tries it, over all workers",
      "when it is back all is done, at a rate that grows; and each job is done once",
    ],
  },
  {
    name: "second tries are not bound",
    distortion: terms((own) => plant.without(own, "retriesMost")),
    caughtBy: ["while it comes back at most a fifth of the starts are second tries, though they stand before others"],
  },
  {
    name: "an open breaker stays open",
    distortion: plant.notes((note) => (note.key.startsWith("limit/breaker/") ? { ...note, value: '{"running":0}' } : note)),
    caughtBy: ["when it is back all is done, at a rate that grows; and each job is done once"],
  },
  {
    name: "the store's time is an hour ahead",
    distortion: (inner) => ({
      claim: async (wanted, at) => ({ ...(await inner.claim(wanted, at)), now: (at.now ?? 0) + 3_600_000 }),
      find: async (query, at) => ({ ...(await inner.find(query, at)), now: (at.now ?? 0) + 3_600_000 }),
    }),
    caughtBy: ["a task whose hours are over midnight starts when they begin, and not before", "a resource follows its calendar, by the store's clock"],
  },
];
