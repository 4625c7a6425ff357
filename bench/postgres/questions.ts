/** What is asked of the systems on PostgreSQL. */
import type { BenchQuestion } from "../question.ts";
import type { Held } from "../systems/system.ts";
import { topicsOf } from "../topics.ts";

const own = "errand (postgres)";
const peers = [own, "graphile-worker", "pg-boss", "BullMQ (postgres)", "Agenda"];
/** Those that are quick enough for large numbers. */
const quick = [own, "graphile-worker", "pg-boss"];
const bare = [...peers, "bare pg"];
/** queueName is graphile-worker's order by key; its documentation advises against many of them. */
const ordered = [own, "errand (postgres), 32 keys", "errand (postgres), 1,000 keys", "graphile-worker, 32 queues", "graphile-worker, 1,000 queues"];
const perJob = { "graphile-worker": 4_000, "pg-boss": 4_000, "BullMQ (postgres)": 4_000, Agenda: 2_000 };
/** By those that take and settle them one by one. */
const oneByOne = { "BullMQ (postgres)": 5_000, Agenda: 2_000 };
const inQueues = { "graphile-worker, 32 queues": 5_000, "graphile-worker, 1,000 queues": 5_000 };

const onPostgres = { section: "postgres", unit: "jobs/s", slow: ["BullMQ (postgres)", "Agenda"] } as const;
const postgres: readonly BenchQuestion[] = [
  { ...onPostgres, name: "bulk", title: "bulk enqueue, 5,000 a call, 2 calls at once", systems: bare, jobs: { [own]: 50_000, Agenda: 2_000 } },
  { ...onPostgres, name: "awaiting64", title: "awaited single enqueues, 64 callers", systems: bare, jobs: { [own]: 20_000, ...perJob } },
  { ...onPostgres, name: "single", title: "awaited single enqueue, 1 caller", systems: bare, jobs: { [own]: 1_000 } },
  { ...onPostgres, name: "drain", title: "drain of no-op jobs, 1 process", systems: bare, jobs: { [own]: 50_000, ...oneByOne } },
  {
    ...onPostgres,
    name: "drain",
    title: "drain of no-op jobs, 1 process, as it comes",
    systems: [own, "graphile-worker, defaults"],
    jobs: { [own]: 50_000, "graphile-worker, defaults": 5_000 },
    isLong: true,
  },
  { ...onPostgres, name: "drain-2", title: "drain of no-op jobs, 2 processes", systems: peers, jobs: { [own]: 50_000, ...oneByOne }, isLong: true },
  { ...onPostgres, name: "drain-4", title: "drain of no-op jobs, 4 processes", systems: peers, jobs: { [own]: 50_000, ...oneByOne }, isLong: true },
  { ...onPostgres, name: "drain-1ms", title: "drain of jobs of 1 ms, 100 at once", systems: bare, jobs: { [own]: 50_000, ...oneByOne }, isLong: true },
  { ...onPostgres, name: "ordered", title: "drain of no-op jobs, ordered by key", systems: ordered, jobs: { [own]: 50_000, ...inQueues }, isLong: true },
  { ...onPostgres, name: "ordered-1ms", title: "drain of jobs of 1 ms, ordered by key", systems: ordered, jobs: { [own]: 50_000, ...inQueues }, isLong: true },
  { ...onPostgres, name: "latency", title: "enqueue to start, idle worker in process, 50/s", unit: "ms", systems: peers, jobs: { [own]: 100 } },
  {
    ...onPostgres,
    name: "latency-across",
    title: "enqueue to start, idle worker in another process, 50/s",
    unit: "ms",
    systems: peers,
    jobs: { [own]: 150 },
    isLong: true,
  },
  {
    ...onPostgres,
    name: "latency-pooled",
    title: "enqueue to start, idle worker in another process, through PgBouncer, at random",
    unit: "ms",
    systems: [own],
    jobs: { [own]: 150 },
    isLong: true,
  },
  {
    ...onPostgres,
    name: "stored",
    title: "database of a waiting job, its payload a number",
    unit: "bytes",
    systems: bare,
    jobs: { [own]: 100_000, Agenda: 10_000 },
    isLong: true,
  },
  {
    ...onPostgres,
    name: "in-flight",
    title: "memory of a worker for a job that runs, 500 and 1,000 of them",
    unit: "bytes",
    systems: peers,
    jobs: { [own]: 500 },
    isLong: true,
  },
];

/** The first is what the others are compared with; the jobs are its commits. */
const committing: readonly BenchQuestion[] = [
  {
    section: "committers",
    name: "committers",
    title: "BEGIN, one insert, COMMIT, 64 callers",
    unit: "commits/s",
    systems: ["the app's own insert", ...quick],
    jobs: { "the app's own insert": 20_000 },
    isLong: true,
  },
];

const holders: readonly { readonly title: string; readonly held: Held }[] = [
  { title: "nothing is held", held: "nothing" },
  { title: "an idle REPEATABLE READ snapshot is held", held: "snapshot" },
  { title: "a transaction that wrote is held", held: "writer" },
  { title: "a transaction that enqueued is held", held: "enqueue" },
];

/** The jobs are those that wait all the time. */
const overTime = { section: "pinned", name: "pinned", unit: "jobs/s over time", systems: quick, jobs: { [own]: 30_000 }, isLong: true } as const;
const pinned: readonly BenchQuestion[] = holders.map((holder) => ({ ...overTime, ...holder }));

/** The jobs are those of a second; the goal is a million of them: `--seconds 500`. */
const steady = { section: "paced", name: "paced-pinned", unit: "ms", systems: quick, jobs: { [own]: 2_000 }, seconds: 60, isLong: true } as const;
const paced: readonly BenchQuestion[] = holders.map((holder) => ({ ...steady, ...holder }));

/** The jobs are those that are kept. */
const kept: readonly BenchQuestion[] = [
  {
    section: "postgres-history",
    name: "history",
    title: "completed jobs are kept",
    unit: "ms",
    systems: [own, "pg-boss"],
    jobs: { [own]: 1_000_000 },
    isLong: true,
  },
];

/** The jobs are those that are due. */
const due: BenchQuestion = {
  section: "postgres-due",
  name: "due",
  title: "they are drained, 1 process",
  unit: "jobs/s",
  systems: quick,
  jobs: { [own]: 1_000_000 },
  isLong: true,
};

/** The jobs are those before. */
const idle: BenchQuestion = {
  section: "postgres-idle",
  name: "idle",
  title: "an idle worker",
  unit: "% of a core",
  systems: peers,
  jobs: { [own]: 100 },
  seconds: 10,
  isLong: true,
};

export const postgresQuestions: readonly BenchQuestion[] = [
  ...postgres,
  ...topicsOf({ store: "postgres", systems: peers, quick, jobs: { [own]: 50_000, ...oneByOne } }),
  due,
  idle,
  ...committing,
  ...pinned,
  ...paced,
  ...kept,
];
