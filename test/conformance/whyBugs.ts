/** Planted bugs of what is read, and the laws of `why` that must go red for them. */
import type { Engine, JobRow, Page, Query } from "../../src/core/engine.ts";
import type { Bug } from "./bugs.ts";
import * as plant from "./planted.ts";
import type { Distortion } from "./planted.ts";

type RowOf<Q extends Query> = Page<Q>["rows"][number];

/** Rows of one kind are answered otherwise. */
function rows<Of extends Query["of"]>(of: Of, change: (row: RowOf<Extract<Query, { readonly of: Of }>>) => unknown): Distortion {
  return (inner) => ({
    find: (async (query: Query, at: Parameters<Engine["find"]>[1]) => {
      const page = await inner.find(query, at);
      return query.of === of ? { ...page, rows: page.rows.flatMap((row) => change(row as never) ?? []) } : page;
    }) as Engine["find"],
  });
}

const job = (change: (row: JobRow) => unknown): Distortion => rows("jobs", change);
const unread =
  (prefix: string): Distortion =>
  (inner) => ({
    readNote: (key, at) => (key.startsWith(prefix) ? undefined : inner.readNote(key, at)),
  });
const tellsOf = (...whats: readonly string[]): readonly string[] => whats.map((what) => `why tells of ${what}`);

export const whyBugs: readonly Bug[] = [
  {
    name: "why: all has been waiting for ever",
    distortion: job((row) => (row.waits === undefined ? row : { ...row, waits: { ...row.waits, since: 0 } })),
    caughtBy: tellsOf(
      "a delayed job",
      "a job that is to be tried again",
      "a job behind a delayed one of its key",
      "a job whose death parked its key",
      "a job whose worker went away",
      "a job of a paused queue and a paused task",
      "a job whose task runs as often as it may",
      "a job that needs more than there is",
    ),
  },
  {
    name: "why: due times are those of enqueue",
    distortion: job((row) => ({ ...row, dueAt: row.enqueuedAt })),
    caughtBy: tellsOf("a delayed job", "a snoozed job", "a job that is to be tried again", "a job behind a delayed one of its key"),
  },
  {
    name: "why: a key does not tell who is ahead",
    distortion: laneUnknown,
    caughtBy: tellsOf("a job behind a ready one of its key", "a job of a key that another one's death parked"),
  },
  {
    name: "why: nobody told of tasks",
    distortion: unread("task/"),
    caughtBy: tellsOf(
      "a job for which no hand is free",
      "a job outside its hours",
      "a job that needs what nobody has",
      "a job that needs what the worker has itself, and uses",
      "a job that needs more than the worker has itself",
    ),
  },
  {
    name: "why: what was never told of is known",
    distortion: (inner) => ({
      readNote: async (key, at) =>
        (await inner.readNote(key, at)) ?? (key.startsWith("task/") ? { key, version: 1, value: '{"gates":[]}', writtenAt: 0 } : undefined),
    }),
    caughtBy: tellsOf("a job whose task no worker knows"),
  },
  { name: "why: breakers are not read", distortion: unread("breaker/"), caughtBy: tellsOf("a job whose dependency is failing") },
  {
    name: "why: nobody uses a limit or a resource",
    distortion: rows("gates", (row) => ({ ...row, used: 0 })),
    caughtBy: tellsOf("a job whose task runs as often as it may", "a job whose task was started as often as it may", "a job that needs what is in use"),
  },
  {
    name: "why: limits per key have other numbers",
    distortion: job((row) => ({ ...row, keyLimits: row.keyLimits?.map((limit) => ({ ...limit, is: { running: 7 } })) })),
    caughtBy: tellsOf("a job of whose key as many run as may", "a job of whose key as many were started as may"),
  },
  {
    name: "why: what a job comes after is not told",
    distortion: job((row) => plant.without(row, "after")),
    caughtBy: tellsOf(
      "a job that comes after a running one",
      "a job that comes after a batch",
      "a job that comes after the failure of another",
      "a job that comes after several",
    ),
  },
  {
    name: "why: what a batch comes after is not told",
    distortion: rows("joins", (row) => plant.without(row, "after")),
    caughtBy: tellsOf("a job of a batch that comes after a job", "a batch that waits", "a batch within one that waits"),
  },
  {
    name: "why: every batch is stored",
    distortion: rows("joins", (row) => (row.state === "staged" ? { ...row, state: "waiting" } : row)),
    caughtBy: tellsOf(
      "a job of a batch that is still being stored",
      "a job of a chain in a batch that is still being stored",
      "a batch that is still being stored",
    ),
  },
  {
    name: "why: no batch is cancelled",
    distortion: rows("joins", (row) => ({ ...row, isCancelled: false })),
    caughtBy: tellsOf("a cancelled batch of which a member still runs"),
  },
  {
    name: "why: attempts are not recorded",
    distortion: job((row) => ({ ...row, history: [] })),
    caughtBy: tellsOf("a job that is to be tried again", "a job of a version that no worker knows"),
  },
  {
    name: "why: no member of a batch has ended",
    distortion: rows("joins", (row) => ({ ...row, live: row.members })),
    caughtBy: tellsOf("a job that comes after a batch", "a batch under way"),
  },
  {
    name: "why: every batch has failed",
    distortion: rows("joins", (row) => ({ ...row, failed: row.members + 1 })),
    caughtBy: tellsOf("a batch that succeeded", "an empty batch"),
  },
  {
    name: "why: reasons are lost",
    distortion: job((row) => plant.without(row, "reason")),
    caughtBy: tellsOf("a batch that failed", "a skipped job", "a cancelled job", "a job whose death parked its key"),
  },
  {
    name: "why: crashes are not counted",
    distortion: job((row) => (row.suspects > 1 ? { ...row, suspects: 0 } : row)),
    caughtBy: tellsOf("a job that was in flight at two crashes"),
  },
  { name: "why: what ended never did", distortion: job((row) => plant.without(row, "endedAt")), caughtBy: tellsOf("a completed job") },
  {
    name: "why: a run just began",
    distortion: job((row) => (row.claim === undefined ? row : { ...row, claim: { ...row.claim, startedAt: row.claim.leaseUntil } })),
    caughtBy: tellsOf("a running job"),
  },
  { name: "why: pauses are not read", distortion: unread("pause/"), caughtBy: ["why names the pause and its reason"] },
  {
    name: "why: what is told of a task is never written again",
    distortion: plant.notes((note) => (note.key.startsWith("task/") && note.value?.includes('"gpu":2') ? undefined : note)),
    caughtBy: ["a worker writes down what its tasks depend on when it starts, once for all workers of the same code"],
  },
];

function laneUnknown(inner: Engine): Partial<Engine> {
  return {
    find: (async (query: Query, at: Parameters<Engine["find"]>[1]) => {
      const page = await inner.find(query, at);
      return query.of === "jobs" && "where" in query && query.where.lane !== undefined ? { ...page, rows: [] } : page;
    }) as Engine["find"],
  };
}
