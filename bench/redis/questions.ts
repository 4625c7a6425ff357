/** What is asked of the systems on Redis. */
import type { BenchQuestion } from "../question.ts";
import { topicsOf } from "../topics.ts";

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
  { ...onRedis, name: "drain-4", title: "drain of no-op jobs, 4 processes", systems: redisPeers, jobs: many, isLong: true },
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
  {
    ...onRedis,
    name: "in-flight",
    title: "memory of a worker for a job that runs, 500 and 1,000 of them",
    unit: "bytes",
    systems: redisPeers,
    jobs: { [ownRedis]: 500 },
    isLong: true,
  },
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

/** The jobs are those that are kept. */
const redisKept: BenchQuestion = {
  section: "redis-history",
  name: "history",
  title: "completed jobs are kept",
  unit: "ms",
  systems: [ownRedis],
  jobs: { [ownRedis]: 1_000_000 },
  isLong: true,
};

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

export const redisQuestions: readonly BenchQuestion[] = [
  ...redis,
  ...topicsOf({ store: "redis", systems: redisPeers, quick: redisPeers, jobs: { [ownRedis]: 50_000 } }),
  ...redisDue,
  redisKept,
  ...redisIdle,
  ...redisAof,
  ...redisCluster,
];
