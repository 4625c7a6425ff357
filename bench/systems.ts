/** Loaded one at a time: a peer's process holds that peer only. */
import type { PostgresSystem } from "./postgres/system.ts";
import { postgresSystems } from "./postgres/systems.ts";
import type { RedisSystem } from "./redis/system.ts";
import { redisSystems } from "./redis/systems.ts";
import type { System } from "./systems/system.ts";

export const systems: Readonly<Record<string, () => Promise<System>>> = {
  errand: async () => (await import("./systems/errand.ts")).errand,
  "errand, 32 keys": async () => (await import("./systems/ordered.ts")).orderedBy(32),
  "errand, 1,000 keys": async () => (await import("./systems/ordered.ts")).orderedBy(1_000),
  plainjob: async () => (await import("./systems/plainjob.ts")).plainjob,
  "bare driver": async () => (await import("./systems/raw.ts")).raw,
  ...Object.fromEntries(Object.entries(postgresSystems).map(([name, system]) => [name, () => onPostgres(system)])),
  ...Object.fromEntries(Object.entries(redisSystems).map(([name, system]) => [name, () => onRedis(system)])),
};

async function onPostgres(system: () => Promise<PostgresSystem>): Promise<System> {
  return (await import("./postgres/answers.ts")).answersOf(await system());
}

async function onRedis(system: () => Promise<RedisSystem>): Promise<System> {
  return (await import("./redis/answers.ts")).answersOf(await system());
}
