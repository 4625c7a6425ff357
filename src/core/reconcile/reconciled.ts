/** The event that errand publishes when a reconciliation has ended. */
import { event, type DomainEvent } from "../event.ts";

export interface ReconciledPayload {
  /** The reconciliation's, and its task's. */
  readonly name: string;
  readonly task: string;
  /** By the store's clock, as ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** What `find` answered. */
  readonly found: number;
  /** Of that, what had no live job: the drift between your tables and the store. */
  readonly missing: number;
  readonly enqueued: number;
  /** Of the missing, what its task refuses. */
  readonly refused: number;
  /** What has a dead job, and waits for a redrive. */
  readonly dead: number;
}

/**
 * A reconciliation has ended, with what it found.
 *
 *     export const drifts = when(reconciled, report);
 */
export const reconciled: DomainEvent<ReconciledPayload> = event<ReconciledPayload>("errand.reconciled");
