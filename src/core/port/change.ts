/** What a person or a program changes about stored jobs. Part of the Engine port. */
import type { Ms } from "../runtime.ts";
import type { JobFilter } from "./look.ts";

/**
 * join: all members of it, and of the joins within it; join by join in the order of storing, the members of each by order of enqueue. Cancelling by join also
 * cancels these joins, in the first call: they take no members any more, none of their blocked members is let go, and the members that are left when `limit`
 * is reached are cancelled by tidy, unless the caller goes on.
 */
export type Selection = { readonly ids: readonly string[] } | { readonly jobs: JobFilter } | { readonly join: string };

export type Change =
  /** Live and not running: cancelled. Running: marked, heard by its worker's beat. */
  | { readonly do: "cancel"; readonly reason: string }
  /**
   * dead → live again; parked → its lane opens; scheduled → due now. Attempts, starts and suspicion begin anew; history, checkpoint and, but for a
   * scheduled job, the due time stay. `taken` where a live job holds the unique key; an open throttle window alone does not.
   */
  | { readonly do: "retry" }
  /** Urgency becomes due - headStartMs. */
  | { readonly do: "prioritise"; readonly headStartMs: Ms }
  /** Ended jobs are removed at once. */
  | { readonly do: "delete" };

export interface ChangedJob {
  readonly id: string;
  /**
   * cancel: cancelled, cancelling, ended. retry: retried, taken (a live job holds its unique key), running, ended (completed, skipped or cancelled: not retried),
   * waiting (ready or blocked: nothing to do). prioritise: prioritised, running, ended. delete: deleted, live. All: unknown.
   */
  readonly is: "cancelled" | "cancelling" | "ended" | "retried" | "taken" | "running" | "waiting" | "prioritised" | "deleted" | "live" | "unknown";
}

export interface Changed {
  readonly jobs: readonly ChangedJob[];
  /** The selection may hold more than `limit`: call again. */
  readonly hasMore: boolean;
}
