/** What the questions use of a store, whichever it is. */
import type { Figures } from "./systems/system.ts";

export interface Kit {
  /** Jobs in a call of bulk, and such calls at once: what the systems of the store document. */
  readonly batch: number;
  readonly callsAtOnce: number;
  /** Every system of the store enqueues as many jobs in a millisecond, and more. */
  readonly leastPerMs: number;
  meterOn(url: string): Promise<Meter>;
}

export interface Meter {
  /** Per job. `clientSeconds`: CPU of the clients until now; this process, unless there are others. */
  during(jobs: number, part: () => Promise<unknown>, clientSeconds?: () => Promise<number>): Promise<Figures>;
  /** As the store would be after a quiet while. */
  settle(): Promise<void>;
  /** What the store holds, where nobody else is connected any more. */
  storedBytes(): Promise<number>;
  /** From now on, `steps` tells how long the server took for one. */
  watch(): Promise<void>;
  steps(): Promise<Figures>;
  close(): Promise<void>;
}
