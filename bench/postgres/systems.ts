/** Loaded one at a time, here and in the worker processes: a peer's process holds that peer only. */
import type { PostgresSystem } from "./system.ts";

const errand = async (keys?: number): Promise<PostgresSystem> => (await import("../systems/errandPostgres.ts")).errandPostgres(keys);
const graphile = async (isTuned: boolean, queues?: number): Promise<PostgresSystem> =>
  (await import("../systems/graphileWorker.ts")).graphileWorker({ isTuned, ...(queues !== undefined && { queues }) });

export const postgresSystems: Readonly<Record<string, () => Promise<PostgresSystem>>> = {
  "errand (postgres)": () => errand(),
  "errand (postgres), 32 keys": () => errand(32),
  "errand (postgres), 1,000 keys": () => errand(1_000),
  "graphile-worker": () => graphile(true),
  "graphile-worker, defaults": () => graphile(false),
  "graphile-worker, 32 queues": () => graphile(true, 32),
  "graphile-worker, 1,000 queues": () => graphile(true, 1_000),
  "pg-boss": async () => (await import("../systems/pgBoss.ts")).pgBoss,
  "BullMQ (postgres)": async () => (await import("../systems/bullmqPostgres.ts")).bullmqPostgres,
  Agenda: async () => (await import("../systems/agenda.ts")).agenda,
  "bare pg": async () => (await import("../systems/barePg.ts")).barePg,
  "the app's own insert": async () => (await import("../systems/appInsert.ts")).appInsert,
};
