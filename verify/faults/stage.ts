/** Where a run takes place: servers of its own, and what can be done to them. */
import type { ServerFault } from "../../src/verify/faults/fault.ts";
import type { Seeded } from "../../src/verify/seeded.ts";
import type { Place } from "../../src/verify/stores/place.ts";

/** What a fault of the server came to. */
export interface Made {
  readonly from: number;
  readonly to: number;
  /** What was acknowledged since then may be gone, and the store never said otherwise. */
  readonly forgetsFrom?: number;
}

export interface Disturbance {
  readonly kind: ServerFault;
  /** Resolves when the server is well again. */
  make(chance: Seeded): Promise<Made>;
}

/** The database of the app, whose transactions hand in jobs: the store's own, or beside it as an outbox. */
export type AppDatabase = { readonly by: "sqlite"; readonly file: string; readonly isOutbox?: boolean } | { readonly by: "postgres"; readonly url: string };

export interface Stage extends AsyncDisposable {
  readonly place: Place;
  /** Another store on the same server. */
  readonly neighbour: Place | undefined;
  readonly app: AppDatabase | undefined;
  /** Of Redis: how many replicas have what is acknowledged. */
  readonly replicas: number;
  readonly disturbances: readonly Disturbance[];
  /** Whether acknowledged jobs may be lost by them. */
  readonly mayForget: boolean;
}

export interface Topology {
  readonly name: string;
  readonly what: string;
  /** Why it cannot be had on this machine; undefined if it can. */
  readonly missing: string | undefined;
  start(leaseMs: number): Promise<Stage>;
}
