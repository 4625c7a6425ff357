/** Everywhere that a run can take place. */
import { pgBouncerMissing } from "../../test/postgres/pgbouncer.ts";
import { installation as postgresInstallation } from "../../test/postgres/installations.ts";
import { installation as redisInstallation } from "../../test/redis/installations.ts";
import type { Topology } from "./stage.ts";
import { postgresPairStage } from "./stages/postgresPairStage.ts";
import { pooledStage, postgresStage } from "./stages/postgresStage.ts";
import { redisClusterStage } from "./stages/redisClusterStage.ts";
import { redisPairStage } from "./stages/redisPairStage.ts";
import { redisStage } from "./stages/redisStage.ts";
import { sqliteStage } from "./stages/sqliteStage.ts";

const noPostgres = postgresInstallation() === undefined ? "no PostgreSQL server is installed here; npm ci brings one" : undefined;
const noRedis = redisInstallation() === undefined ? "no redis-server is installed here; apt-get install redis-server brings one" : undefined;
const partitions = 3;

export const topologies: readonly Topology[] = [
  { name: "sqlite", what: "a file", missing: undefined, start: sqliteStage },
  { name: "postgres", what: "a server: killed, paused, its backends ended", missing: noPostgres, start: postgresStage },
  { name: "postgres-pooled", what: "the same behind PgBouncer", missing: noPostgres ?? pgBouncerMissing, start: pooledStage },
  {
    name: "postgres-synchronous",
    what: "a primary and a synchronous standby that is promoted",
    missing: noPostgres,
    start: () => postgresPairStage("synchronous"),
  },
  {
    name: "postgres-asynchronous",
    what: "a primary and an asynchronous standby that is promoted: it lacks the last commits",
    missing: noPostgres,
    start: () => postgresPairStage("asynchronous"),
  },
  { name: "redis", what: "a server with appendfsync always: killed, paused", missing: noRedis, start: redisStage },
  {
    name: "redis-partitions",
    what: `the same, the store spread over ${partitions} partitions`,
    missing: noRedis,
    start: (leaseMs) => redisStage(leaseMs, partitions),
  },
  {
    name: "redis-everysec",
    what: "a primary with appendfsync everysec and a replica that is promoted, or all emptied: it may forget",
    missing: noRedis,
    start: () => redisPairStage({ appendonly: "yes" }),
  },
  { name: "redis-memory", what: "the same without a file: it forgets all when it is killed", missing: noRedis, start: () => redisPairStage({}) },
  { name: "redis-cluster", what: "three masters, three replicas: killed and failed over, slots moved", missing: noRedis, start: redisClusterStage },
];
