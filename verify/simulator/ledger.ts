/** What the app knows, apart from the store, over all its processes: what runs did, and its own tables. Nothing of it is ever lost. */

interface Effect {
  /** How often it was carried out. */
  times: number;
  /** The largest fence under which it was: the table refuses all below. */
  fence: number;
}

export interface Ledger {
  /** By task and number: how many runs came to their end. */
  readonly done: Map<string, number>;
  /** What is read, changed and written under a lock, and how often. */
  readonly counter: { value: number; fence: number; writes: number };
  readonly leader: { fence: number; by: string };
  /** What is to be done once at least, by number: a table of the app, which outlives the store. */
  readonly effects: Map<number, Effect>;
  /** Of what a run relies on, by number. */
  readonly versions: Map<number, number>;
  /** How often a job killed its process. */
  readonly deaths: Map<number, number>;
  readonly complaints: string[];
}

export const firstVersion = 1;

export function newLedger(): Ledger {
  return {
    done: new Map(),
    counter: { value: 0, fence: 0, writes: 0 },
    leader: { fence: 0, by: "" },
    effects: new Map(),
    versions: new Map(),
    deaths: new Map(),
    complaints: [],
  };
}

export function versionOf({ versions }: Ledger, n: number): number {
  return versions.get(n) ?? firstVersion;
}

export function undone({ effects }: Ledger): number[] {
  return [...effects].flatMap(([n, { times }]) => (times === 0 ? [n] : []));
}

/** As the app's table does it: `UPDATE … WHERE fence < $1`. */
export function act({ effects, complaints }: Ledger, n: number, fence: number): void {
  const effect = effects.get(n);
  if (effect === undefined || fence < effect.fence) return;
  if (fence === effect.fence) complaints.push(`I22 effect ${n} was carried out twice under fence ${fence}`);
  effect.fence = fence;
  effect.times++;
}

export function lead({ leader, complaints }: Ledger, by: string, fence: number): void {
  if (fence < leader.fence) return;
  if (fence === leader.fence && by !== leader.by) complaints.push(`I17 ${by} and ${leader.by} led under fence ${fence}`);
  leader.fence = fence;
  leader.by = by;
}
