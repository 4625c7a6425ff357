/** Planted bugs of tries, results, merged payloads and versions, and the laws that must go red for them. */
import type { JobRow, NewJob, Page, Query } from "../../src/core/engine.ts";
import type { Bug } from "./bugs.ts";
import * as plant from "./planted.ts";
import type { Distortion } from "./planted.ts";

type Gather = Extract<NonNullable<NewJob["unique"]>["mode"], { readonly is: "gather" }>;

const gathering = (change: (mode: Gather) => NonNullable<NewJob["unique"]>["mode"]): Distortion =>
  plant.jobs((job) => (job.unique?.mode.is === "gather" ? { ...job, unique: { ...job.unique, mode: change(job.unique.mode) } } : job));

const rows =
  (change: (row: JobRow) => JobRow): Distortion =>
  (inner) => ({
    find: async <Q extends Query>(query: Q, at: Parameters<typeof inner.find>[1]) => {
      const page = await inner.find(query, at);
      return (query.of === "jobs" ? { ...page, rows: (page.rows as readonly JobRow[]).map(change) } : page) as Page<Q>;
    },
  });

export const togetherBugs: readonly Bug[] = [
  {
    name: "no job is born leased",
    distortion: plant.jobs((job) => plant.without(job, "lease")),
    caughtBy: ["a job tried at once that returns is told as completed", "a job that is cancelled while it is tried is told as cancelled"],
  },
  {
    name: "a job is born leased whatever the limits",
    distortion: plant.jobs((job) => (job.lease ? { ...job, lease: plant.without(job.lease, "terms") } : job)),
    caughtBy: ["a job that is tried counts for the limits that workers are held to"],
  },
  {
    name: "what is handed back stays leased",
    distortion: (inner) => ({
      settle: async (outcomes, at) => {
        const answers = await inner.settle(
          outcomes.filter(({ is }) => is !== "released"),
          at,
        );
        return outcomes.map(({ id }) => answers.find((answer) => answer.id === id) ?? { id, is: "settled", state: "ready" });
      },
    }),
    caughtBy: [
      "a slow one is told to stop at the timeout, its caller is answered then, and a worker runs it, uncharged",
      "a job whose storing got no answer is not stranded: a worker runs it, and repeating the call makes no second one",
      "closing a broker hands back what it tries, uncharged",
    ],
  },
  {
    name: "a job that is tried has spent an attempt, whatever came of it",
    distortion: plant.outcomes((outcome) => (outcome.is === "released" ? { ...outcome, is: "retry", delayMs: 0 } : outcome)),
    caughtBy: ["a slow one is told to stop at the timeout, its caller is answered then, and a worker runs it, uncharged"],
  },
  {
    name: "gathered payloads replace each other",
    distortion: gathering((mode) => ({ is: "debounce", quietMs: mode.quietMs, atMostMs: mode.atMostMs })),
    caughtBy: ["gathered payloads reach one run, merged in the order of enqueue", "what comes while a gathering job runs is gathered for the next"],
  },
  {
    name: "a gathering job is never full",
    distortion: gathering((mode) => ({ ...mode, most: 1_000 })),
    caughtBy: ["a full job is due at once, and the next payload begins another"],
  },
  {
    name: "gathering has no deadline",
    distortion: gathering((mode) => ({ ...mode, atMostMs: 1e9 })),
    caughtBy: ["a gathering job waits until it is quiet, and no longer than atMost"],
  },
  {
    name: "gathering does not wait",
    distortion: gathering((mode) => ({ ...mode, quietMs: 0 })),
    caughtBy: ["a gathering job waits until it is quiet, and no longer than atMost"],
  },
  {
    name: "all keys gather in one",
    distortion: plant.jobs((job) => (job.unique?.mode.is === "gather" ? { ...job, unique: { ...job.unique, key: "one" } } : job)),
    caughtBy: ["payloads of other keys are gathered apart"],
  },
  {
    name: "a subscription gathers nothing",
    distortion: plant.subscriptions((subscription) => ({ ...subscription, ...(subscription.uniqueMode && { uniqueMode: { is: "keep" } }) })),
    caughtBy: ["events are gathered too, though their publisher has none of the subscriber's code"],
  },
  {
    name: "a version is forgotten",
    distortion: (inner) => ({ ...plant.jobs((job) => plant.without(job, "version"))(inner) }),
    caughtBy: [
      "a payload of a newer version is left by a worker that does not know it, uncharged and with a reason, and runs where it is known",
      "payloads of older versions are upgraded before the schema sees them, and those of today are not",
    ],
  },
  {
    name: "a subscription's version is forgotten",
    distortion: plant.subscriptions((subscription) => plant.without(subscription, "version")),
    caughtBy: ["jobs of events carry the version that their task had when it subscribed"],
  },
  {
    name: "results are not told",
    distortion: rows((row) => plant.without(row, "result")),
    caughtBy: ["the result of a job that completes is told in another process", "one that asks for what runs already joins it and gets its result"],
  },
  {
    name: "an ending is never told",
    distortion: rows((row) => ({ ...row, state: row.state === "completed" ? "running" : row.state })),
    caughtBy: ["the result of a job that completes is told in another process", "a worker's own process is told of a result at once"],
  },
];
