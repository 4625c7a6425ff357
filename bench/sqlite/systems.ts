/** Loaded one at a time, here and in the worker processes: a peer's process holds that peer only. */
import type { WorkingSystem } from "../working.ts";

const errand = async (keys?: number): Promise<WorkingSystem> => (await import("../systems/errandSqlite.ts")).errandSqlite(keys);

export const sqliteSystems: Readonly<Record<string, () => Promise<WorkingSystem>>> = {
  errand: () => errand(),
  "errand, 32 keys": () => errand(32),
  "errand, 1,000 keys": () => errand(1_000),
  plainjob: async () => (await import("../systems/plainjob.ts")).plainjob,
  "bare driver": async () => (await import("../systems/bareSqlite.ts")).bareSqlite,
};
