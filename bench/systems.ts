/** Loaded one at a time: a peer's process holds that peer only. */
import type { PostgresSystem } from "./postgres/system.ts";
import { postgresSystems } from "./postgres/systems.ts";
import type { RedisSystem } from "./redis/system.ts";
import { redisSystems } from "./redis/systems.ts";
import { sqliteSystems } from "./sqlite/systems.ts";
import type { System } from "./systems/system.ts";
import type { WorkingSystem } from "./working.ts";

export const systems: Readonly<Record<string, () => Promise<System>>> = {
  ...Object.fromEntries(Object.entries(sqliteSystems).map(([name, system]) => [name, () => onSqlite(system)])),
  ...Object.fromEntries(Object.entries(postgresSystems).map(([name, system]) => [name, () => onPostgres(system)])),
  ...Object.fromEntries(Object.entries(redisSystems).map(([name, system]) => [name, () => onRedis(system)])),
};

async function onSqlite(system: () => Promise<WorkingSystem>): Promise<System> {
  return (await import("./sqlite/answers.ts")).answersOf(await system());
}

async function onPostgres(system: () => Promise<PostgresSystem>): Promise<System> {
  return (await import("./postgres/answers.ts")).answersOf(await system());
}

async function onRedis(system: () => Promise<RedisSystem>): Promise<System> {
  return (await import("./redis/answers.ts")).answersOf(await system());
}
