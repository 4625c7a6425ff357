/** Loaded one at a time, here and in the worker processes: a peer's process holds that peer only. */
import type { RedisSystem } from "./system.ts";

const errand = async (keys?: number, partitions?: number): Promise<RedisSystem> => (await import("../systems/errandRedis.ts")).errandRedis(keys, partitions);
const clusterPartitions = 3;

export const redisSystems: Readonly<Record<string, () => Promise<RedisSystem>>> = {
  "errand (redis)": () => errand(),
  "errand (redis), 1,000 keys": () => errand(1_000),
  "errand (cluster)": () => errand(undefined, clusterPartitions),
  "errand (cluster), 1,000 keys": () => errand(1_000, clusterPartitions),
  BullMQ: async () => (await import("../systems/bullmq.ts")).bullmq,
  "bee-queue": async () => (await import("../systems/beeQueue.ts")).beeQueue,
  "groupmq, 1,000 groups": async () => (await import("../systems/groupmq.ts")).groupmq(1_000),
  "bare redis": async () => (await import("../systems/bareRedis.ts")).bareRedis,
  "bare redis (cluster)": async () => (await import("../systems/bareRedis.ts")).bareCluster,
};
