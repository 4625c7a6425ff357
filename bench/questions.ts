/** What is asked, of whom, with how many jobs. */
import { pgBouncerMissing } from "../test/postgres/pgbouncer.ts";
import type { Durability } from "./redis/durability.ts";
import type { Held, Question, Store } from "./systems/system.ts";

export interface BenchQuestion {
  readonly section: Section;
  readonly name: Question;
  readonly title: string;
  readonly unit: Unit;
  readonly systems: readonly string[];
  /** By system; those of the first stand for the others. */
  readonly jobs: Readonly<Record<string, number>>;
  readonly held?: Held;
  /** Of the server that is started for it; default: memory. Unless `--durability` says so. */
  readonly durability?: Durability;
  /** Default: 30. Unless `--seconds` says so. */
  readonly seconds?: number;
  /** Asked with `--full` only, or when it is asked for by its name. */
  readonly isLong?: true;
}

export type Unit = "jobs/s" | "commits/s" | "ms" | "jobs/s over time" | "bytes" | "commands/s";

/** Of docs/benchmarks.md. */
export type Section =
  | "sqlite"
  | "postgres"
  | "committers"
  | "pinned"
  | "paced"
  | "history"
  | "redis"
  | "redis-aof"
  | "redis-cluster"
  | "redis-due"
  | "redis-idle";
export const sections: Readonly<Record<Section, string>> = {
  sqlite: "SQLite",
  postgres: "PostgreSQL",
  committers: "PostgreSQL, in the app's transactions",
  pinned: "PostgreSQL, while a transaction is held open",
  paced: "PostgreSQL, at 2,000 jobs a second while a transaction is held open",
  history: "PostgreSQL, with a history",
  redis: "Redis",
  "redis-aof": "Redis, each write on disk before it is answered",
  "redis-cluster": "Redis Cluster",
  "redis-due": "Redis, when a million jobs fall due at once",
  "redis-idle": "Redis, with nothing to do",
};

/** With `--full`, on PostgreSQL. */
const fullFactor = 5;

export function questionsFor({ full, question, store }: { full: boolean; question: string | undefined; store: string | undefined }): readonly BenchQuestion[] {
  return questions
    .filter(({ name }) => name !== "latency-pooled" || question === name || pgBouncerMissing === undefined)
    .filter(({ name, isLong }) => (question === undefined ? full || isLong === undefined : name === question))
    .filter(({ section }) => store === undefined || storeOf(section) === store)
    .map((one) => (full ? atFull(one) : one));
}

export function storeOf(section: Section): Store {
  if (section === "sqlite") return "sqlite";
  return section.startsWith("redis") ? "redis" : "postgres";
}

export function jobsOf({ jobs, systems }: BenchQuestion, system: string): number {
  return jobs[system] ?? jobs[systems[0] ?? ""] ?? 1;
}

/** What takes a process of its own to warm up is measured over more jobs; a backlog stays as it is. */
function atFull(question: BenchQuestion): BenchQuestion {
  if (question.section !== "postgres" || question.unit === "ms") return question;
  return { ...question, jobs: Object.fromEntries(Object.entries(question.jobs).map(([system, jobs]) => [system, jobs * fullFactor])) };
}

const all = ["errand", "plainjob", "bare driver"];
/** errand against itself: without a key, and ordered by so many. */
const keyed = ["errand", "errand, 32 keys", "errand, 1,000 keys"];

const onSqlite = { section: "sqlite" } as const;
const sqlite: readonly BenchQuestion[] = [
  { ...onSqlite, name: "bulk", title: "bulk enqueue, 1,000 a call", unit: "jobs/s", systems: all, jobs: { errand: 200_000 } },
  { ...onSqlite, name: "awaiting64", title: "awaited single enqueues, 64 callers", unit: "jobs/s", systems: all, jobs: { errand: 100_000 } },
  { ...onSqlite, name: "single", title: "awaited single enqueue, 1 caller", unit: "jobs/s", systems: all, jobs: { errand: 10_000 } },
  { ...onSqlite, name: "drain", title: "drain of no-op jobs, 1 process", unit: "jobs/s", systems: all, jobs: { errand: 200_000, plainjob: 40_000 } },
  { ...onSqlite, name: "ordered", title: "drain of no-op jobs, ordered by key", unit: "jobs/s", systems: keyed, jobs: { errand: 100_000 } },
  { ...onSqlite, name: "ordered-1ms", title: "drain of jobs of 1 ms, ordered by key", unit: "jobs/s", systems: keyed, jobs: { errand: 50_000 } },
  { ...onSqlite, name: "latency", title: "enqueue to start, idle worker in process, 50/s", unit: "ms", systems: ["errand", "plainjob"], jobs: { errand: 150 } },
];

const own = "errand (postgres)";
const peers = [own, "graphile-worker", "pg-boss"];
const bare = [...peers, "bare pg"];
/** queueName is graphile-worker's order by key; its documentation advises against many of them. */
const ordered = [own, "errand (postgres), 32 keys", "errand (postgres), 1,000 keys", "graphile-worker, 32 queues", "graphile-worker, 1,000 queues"];
const perJob = { "graphile-worker": 4_000, "pg-boss": 4_000 };
const inQueues = { "graphile-worker, 32 queues": 5_000, "graphile-worker, 1,000 queues": 5_000 };

const onPostgres = { section: "postgres", unit: "jobs/s" } as const;
const postgres: readonly BenchQuestion[] = [
  { ...onPostgres, name: "bulk", title: "bulk enqueue, 5,000 a call, 2 calls at once", systems: bare, jobs: { [own]: 50_000 } },
  { ...onPostgres, name: "awaiting64", title: "awaited single enqueues, 64 callers", systems: bare, jobs: { [own]: 20_000, ...perJob } },
  { ...onPostgres, name: "single", title: "awaited single enqueue, 1 caller", systems: bare, jobs: { [own]: 1_000 } },
  { ...onPostgres, name: "drain", title: "drain of no-op jobs, 1 process", systems: bare, jobs: { [own]: 50_000 } },
  {
    ...onPostgres,
    name: "drain",
    title: "drain of no-op jobs, 1 process, as it comes",
    systems: [own, "graphile-worker, defaults"],
    jobs: { [own]: 50_000, "graphile-worker, defaults": 5_000 },
    isLong: true,
  },
  { ...onPostgres, name: "drain-2", title: "drain of no-op jobs, 2 processes", systems: peers, jobs: { [own]: 50_000 }, isLong: true },
  { ...onPostgres, name: "drain-4", title: "drain of no-op jobs, 4 processes", systems: peers, jobs: { [own]: 50_000 }, isLong: true },
  { ...onPostgres, name: "drain-1ms", title: "drain of jobs of 1 ms, 100 at once", systems: bare, jobs: { [own]: 50_000 }, isLong: true },
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
];

/** The first is what the others are compared with; the jobs are its commits. */
const committing: readonly BenchQuestion[] = [
  {
    section: "committers",
    name: "committers",
    title: "BEGIN, one insert, COMMIT, 64 callers",
    unit: "commits/s",
    systems: ["the app's own insert", ...peers],
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
const overTime = { section: "pinned", name: "pinned", unit: "jobs/s over time", systems: peers, jobs: { [own]: 30_000 }, isLong: true } as const;
const pinned: readonly BenchQuestion[] = holders.map((holder) => ({ ...overTime, ...holder }));

/** The jobs are those of a second; the goal is a million of them: `--seconds 500`. */
const steady = { section: "paced", name: "paced-pinned", unit: "ms", systems: peers, jobs: { [own]: 2_000 }, seconds: 60, isLong: true } as const;
const paced: readonly BenchQuestion[] = holders.map((holder) => ({ ...steady, ...holder }));

/** The jobs are those that are kept. */
const kept: readonly BenchQuestion[] = [
  { section: "history", name: "history", title: "completed jobs are kept", unit: "ms", systems: [own, "pg-boss"], jobs: { [own]: 1_000_000 }, isLong: true },
];

const ownRedis = "errand (redis)";
const redisPeers = [ownRedis, "BullMQ", "bee-queue"];
const redisBare = [...redisPeers, "bare redis"];
const redisOrdered = [ownRedis, "errand (redis), 1,000 keys", "groupmq, 1,000 groups"];
const perCall = { BullMQ: 100_000, "bee-queue": 100_000, "groupmq, 1,000 groups": 50_000 };
const many = { [ownRedis]: 200_000, ...perCall };

const onRedis = { section: "redis", unit: "jobs/s" } as const;
const redis: readonly BenchQuestion[] = [
  { ...onRedis, name: "bulk", title: "bulk enqueue, 1,000 a call, 2 calls at once", systems: redisBare, jobs: { ...many, "bare redis": 500_000 } },
  { ...onRedis, name: "awaiting64", title: "awaited single enqueues, 64 callers", systems: redisBare, jobs: many },
  { ...onRedis, name: "single", title: "awaited single enqueue, 1 caller", systems: redisBare, jobs: { [ownRedis]: 10_000 } },
  { ...onRedis, name: "drain", title: "drain of no-op jobs, 1 process", systems: redisBare, jobs: { ...many, "bare redis": 500_000 } },
  { ...onRedis, name: "drain-2", title: "drain of no-op jobs, 2 processes", systems: redisPeers, jobs: many, isLong: true },
  { ...onRedis, name: "drain-1ms", title: "drain of jobs of 1 ms, 100 at once", systems: redisBare, jobs: { [ownRedis]: 100_000, "bare redis": 200_000 } },
  { ...onRedis, name: "ordered", title: "drain of no-op jobs, ordered by key", systems: redisOrdered, jobs: many },
  {
    ...onRedis,
    name: "ordered-1ms",
    title: "drain of jobs of 1 ms, ordered by key",
    systems: redisOrdered,
    jobs: { [ownRedis]: 100_000, ...perCall },
    isLong: true,
  },
  { ...onRedis, name: "latency", title: "enqueue to start, idle worker in process, 50/s", unit: "ms", systems: redisPeers, jobs: { [ownRedis]: 250 } },
  {
    ...onRedis,
    name: "latency-across",
    title: "enqueue to start, idle worker in another process, 50/s",
    unit: "ms",
    systems: redisPeers,
    jobs: { [ownRedis]: 250 },
    isLong: true,
  },
  { ...onRedis, name: "stored", title: "memory of a waiting job, its payload a number", unit: "bytes", systems: redisBare, jobs: { [ownRedis]: 100_000 } },
];

const onDisk = { section: "redis-aof", unit: "jobs/s", systems: [ownRedis, "BullMQ", "bare redis"], durability: "aof-always", isLong: true } as const;
const redisAof: readonly BenchQuestion[] = [
  { ...onDisk, name: "bulk", title: "bulk enqueue, 1,000 a call, 2 calls at once, aof-always", jobs: many },
  { ...onDisk, name: "awaiting64", title: "awaited single enqueues, 64 callers, aof-always", jobs: many },
  { ...onDisk, name: "single", title: "awaited single enqueue, 1 caller, aof-always", jobs: { [ownRedis]: 5_000 } },
  { ...onDisk, name: "drain", title: "drain of no-op jobs, 1 process, aof-always", jobs: many },
];

/** The cluster's three masters and three replicas, and its clients, have the cores that the one server has. */
const onCluster = { section: "redis-cluster", unit: "jobs/s", isLong: true } as const;
const spread = [ownRedis, "errand (cluster)"];
const bareSpread = [...spread, "bare redis", "bare redis (cluster)"];
const bareMany = { ...many, "bare redis": 500_000, "bare redis (cluster)": 500_000 };
const redisCluster: readonly BenchQuestion[] = [
  { ...onCluster, name: "bulk", title: "bulk enqueue, 1,000 a call, 2 calls at once", systems: bareSpread, jobs: bareMany },
  { ...onCluster, name: "awaiting64", title: "awaited single enqueues, 64 callers", systems: bareSpread, jobs: many },
  { ...onCluster, name: "drain", title: "drain of no-op jobs, 1 process", systems: bareSpread, jobs: bareMany },
  { ...onCluster, name: "drain-2", title: "drain of no-op jobs, 2 processes", systems: bareSpread, jobs: bareMany },
  {
    ...onCluster,
    name: "ordered",
    title: "drain of no-op jobs, ordered by key",
    systems: ["errand (redis), 1,000 keys", "errand (cluster), 1,000 keys"],
    jobs: { "errand (redis), 1,000 keys": 200_000 },
  },
];

/** The jobs are those that are due. */
const atOnce = { section: "redis-due", jobs: { [ownRedis]: 1_000_000 }, isLong: true } as const;
const redisDue: readonly BenchQuestion[] = [
  { ...atOnce, name: "due", title: "they are drained, 1 process", unit: "jobs/s", systems: redisPeers },
  { ...atOnce, name: "due-claims", title: "they are claimed, one claim after the other", unit: "ms", systems: [ownRedis, "BullMQ"] },
];

/** The jobs are those before. */
const redisIdle: readonly BenchQuestion[] = [
  {
    section: "redis-idle",
    name: "idle",
    title: "an idle worker",
    unit: "commands/s",
    systems: [...redisPeers, "groupmq, 1,000 groups"],
    jobs: { [ownRedis]: 100 },
    seconds: 10,
    isLong: true,
  },
];

export const questions: readonly BenchQuestion[] = [
  ...sqlite,
  ...postgres,
  ...committing,
  ...pinned,
  ...paced,
  ...kept,
  ...redis,
  ...redisAof,
  ...redisCluster,
  ...redisDue,
  ...redisIdle,
];
