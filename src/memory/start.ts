/** A job is handed out: it runs, under the lease of its process. */
import type { Ms } from "../core/runtime.ts";
import type { Instant } from "../core/runtime.ts";
import type { TaskTerms } from "../core/engine.ts";
import type { Job } from "./job.ts";
import type { Store } from "./store.ts";

/** In whose hands. */
export interface Hands {
  readonly process: string;
  readonly leaseMs: Ms;
  readonly claim: string;
  readonly fence: number;
  readonly isAlone: boolean;
}

export function start(store: Store, job: Job, hands: Hands, terms: TaskTerms | undefined, isFollower: boolean, now: Instant): void {
  const { claim, fence, isAlone } = hands;
  const process = store.processes.of(hands.process, hands.leaseMs, now);
  const gates = terms?.gates ?? [];
  const needs = terms?.needs ?? {};
  job.lease = { process, claim, fence, startedAt: now, isAlone, isFollower, gates, needs, starts: [], isCancelling: false };
  store.move(job, "running", now);
  job.starts += 1;
}

/** A gated job takes a slot, and is never held ahead. */
export function isGated(terms: TaskTerms | undefined): boolean {
  return terms !== undefined && ((terms.gates?.length ?? 0) > 0 || Object.keys(terms.needs ?? {}).length > 0);
}
