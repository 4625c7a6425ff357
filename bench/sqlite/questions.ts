/** What is asked of the systems on SQLite. */
import type { BenchQuestion } from "../question.ts";
import { topicsOf } from "../topics.ts";

const own = "errand";
const peers = [own, "plainjob"];
const all = [...peers, "bare driver"];
/** errand against itself: without a key, and ordered by so many. */
const keyed = [own, "errand, 32 keys", "errand, 1,000 keys"];
const perJob = { plainjob: 40_000 };

const onSqlite = { section: "sqlite", unit: "jobs/s" } as const;
const sqlite: readonly BenchQuestion[] = [
  { ...onSqlite, name: "bulk", title: "bulk enqueue, 1,000 a call", systems: all, jobs: { [own]: 200_000 } },
  { ...onSqlite, name: "awaiting64", title: "awaited single enqueues, 64 callers", systems: all, jobs: { [own]: 100_000 } },
  { ...onSqlite, name: "single", title: "awaited single enqueue, 1 caller", systems: all, jobs: { [own]: 10_000 } },
  { ...onSqlite, name: "drain", title: "drain of no-op jobs, 1 process", systems: all, jobs: { [own]: 200_000, ...perJob } },
  { ...onSqlite, name: "drain-2", title: "drain of no-op jobs, 2 processes", systems: all, jobs: { [own]: 200_000, ...perJob }, isLong: true },
  { ...onSqlite, name: "drain-4", title: "drain of no-op jobs, 4 processes", systems: all, jobs: { [own]: 200_000, ...perJob }, isLong: true },
  {
    ...onSqlite,
    name: "drain-1ms",
    title: "drain of jobs of 1 ms, 100 at once",
    systems: all,
    jobs: { [own]: 50_000, plainjob: 5_000 },
    isLong: true,
  },
  { ...onSqlite, name: "ordered", title: "drain of no-op jobs, ordered by key", systems: keyed, jobs: { [own]: 100_000 } },
  { ...onSqlite, name: "ordered-1ms", title: "drain of jobs of 1 ms, ordered by key", systems: keyed, jobs: { [own]: 50_000 } },
  { ...onSqlite, name: "latency", title: "enqueue to start, idle worker in process, 50/s", unit: "ms", systems: peers, jobs: { [own]: 150 } },
  {
    ...onSqlite,
    name: "latency-across",
    title: "enqueue to start, idle worker in another process, 50/s",
    unit: "ms",
    systems: peers,
    jobs: { [own]: 150 },
    isLong: true,
  },
  {
    ...onSqlite,
    name: "stored",
    title: "file of a waiting job, its payload a number",
    unit: "bytes",
    systems: all,
    jobs: { [own]: 100_000 },
    isLong: true,
  },
  {
    ...onSqlite,
    name: "in-flight",
    title: "memory of a worker for a job that runs, 500 and 1,000 of them",
    unit: "bytes",
    systems: [own],
    jobs: { [own]: 500 },
    isLong: true,
  },
];

/** The jobs are those that are due. */
const due: BenchQuestion = {
  section: "sqlite-due",
  name: "due",
  title: "they are drained, 1 process",
  unit: "jobs/s",
  systems: peers,
  jobs: { [own]: 1_000_000, plainjob: 200_000 },
  isLong: true,
};

/** The jobs are those that are kept. */
const kept: BenchQuestion = {
  section: "sqlite-history",
  name: "history",
  title: "completed jobs are kept",
  unit: "ms",
  systems: peers,
  jobs: { [own]: 1_000_000, plainjob: 500_000 },
  isLong: true,
};

/** The jobs are those before. */
const idle: BenchQuestion = {
  section: "sqlite-idle",
  name: "idle",
  title: "an idle worker",
  unit: "% of a core",
  systems: peers,
  jobs: { [own]: 100 },
  seconds: 10,
  isLong: true,
};

export const sqliteQuestions: readonly BenchQuestion[] = [
  ...sqlite,
  ...topicsOf({ store: "sqlite", systems: peers, quick: peers, jobs: { [own]: 50_000, plainjob: 20_000 } }),
  due,
  kept,
  idle,
];
