/** Loaded one at a time: a peer's process holds that peer only. */
import type { System } from "./systems/system.ts";

export const systems: Readonly<Record<string, () => Promise<System>>> = {
  errand: async () => (await import("./systems/errand.ts")).errand,
  plainjob: async () => (await import("./systems/plainjob.ts")).plainjob,
  "bare driver": async () => (await import("./systems/raw.ts")).raw,
};
