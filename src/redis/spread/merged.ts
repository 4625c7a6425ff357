/** What several homes answered, as one answer. */
import type { Heard, Tidied } from "../../core/engine.ts";

/** Notes are decided in the first. `era`: of them all. */
export function heardOf(all: readonly Heard[], era: string): Heard {
  const [first] = all;
  return {
    now: Math.max(...all.map(({ now }) => now)),
    isLost: all.some(({ isLost }) => isLost),
    cancelled: [...new Set(all.flatMap(({ cancelled }) => cancelled))],
    notesVersion: first?.notesVersion ?? 0,
    era,
  };
}

/** Of those that answered, who must be of one era: no other is begun while one is away. */
export function partlyHeard(all: readonly Heard[], failed: readonly unknown[]): Heard {
  const [era = "", ...others] = new Set(all.map((heard) => heard.era));
  if (others.length > 0) throw failed[0];
  return { ...heardOf(all, era), isPartial: true };
}

export function tidiedOf(all: readonly Tidied[]): Tidied {
  const sum = (name: Exclude<keyof Tidied, "now" | "hasMore">): number => all.reduce((total, one) => total + one[name], 0);
  return {
    now: Math.max(...all.map(({ now }) => now)),
    promoted: sum("promoted"),
    skipped: sum("skipped"),
    takenBack: sum("takenBack"),
    quarantined: sum("quarantined"),
    parked: sum("parked"),
    admitted: sum("admitted"),
    released: sum("released"),
    closed: sum("closed"),
    dropped: sum("dropped"),
    replayed: sum("replayed"),
    purged: sum("purged"),
    hasMore: all.some(({ hasMore }) => hasMore),
  };
}
