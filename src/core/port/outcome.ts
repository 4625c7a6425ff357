/** How a run ended, and what became of writing that. Part of the Engine port. */
import type { ErrandError } from "../errors.ts";
import type { Ms } from "../runtime.ts";
import type { JobState } from "../states.ts";
import type { NewWork } from "./work.ts";

/** Written only if `id` is running under `claim` and `fence`; else nothing changes and the answer is `lease-lost` (G3). */
export interface Outcome {
  readonly id: string;
  readonly claim: string;
  readonly fence: number;
  /**
   * completed, skipped, dead: it ends (a death at a lane with "park" or "block" parks it). retry: an attempt is spent, due after delayMs.
   * snoozed: no attempt spent, due after delayMs. released: handed back, ready, as if never claimed (`starts` is taken back, suspects stay).
   * saved: the checkpoint is written, the lease goes on. All but released and saved clear the suspicion.
   * If cancel was asked for meanwhile, all but saved end the job `cancelled`, and the answer says so (G4); follow-up work and result are dropped,
   * and the suspicion is cleared.
   * completed, skipped, dead and retry spend an attempt; a snooze, a release, a crash and a quarantine do not.
   */
  readonly is: "completed" | "skipped" | "dead" | "retry" | "snoozed" | "released" | "saved";
  /** Of a skip, a snooze, a death. */
  readonly reason?: string;
  readonly error?: StoredError;
  readonly delayMs?: Ms;
  /** Kept with the job by any `is`; undefined keeps what is stored. */
  readonly checkpoint?: string;
  readonly result?: string;
  /** How long the run took. */
  readonly ranMs: Ms;
  /** Stored in the same atom, after the outcome is applied and before its joins count it, or the outcome is `refused` whole. At most 500. Only with completed, skipped, retry, snoozed. */
  readonly follow?: readonly NewWork[];
  /** A death by killing its process. */
  readonly isPoison?: boolean;
}

export interface StoredError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
}

export interface Settled {
  readonly id: string;
  readonly is: "settled" | "cancelled" | "lease-lost" | "refused";
  /** The job's state after the call and all that follows from it (a claim: before it hands out); absent when it is unknown to the store. */
  readonly state?: JobState;
  /** Why it was refused: its follow-up work's error. */
  readonly error?: ErrandError;
}
