/** Loaded one at a time: a peer's process holds that peer only. */
import type { System } from "./systems/system.ts";

export const systems: Readonly<Record<string, () => Promise<System>>> = {
  errand: async () => (await import("./systems/errand.ts")).errand,
  "errand, 32 keys": async () => (await import("./systems/ordered.ts")).orderedBy(32),
  "errand, 1,000 keys": async () => (await import("./systems/ordered.ts")).orderedBy(1_000),
  plainjob: async () => (await import("./systems/plainjob.ts")).plainjob,
  "bare driver": async () => (await import("./systems/raw.ts")).raw,
};
