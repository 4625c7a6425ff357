/** Cancel is final (G4): at once for a job that waits, with its worker's next beat for one that runs. */
import { isEnded } from "../core/states.ts";
import type { Job } from "./job.ts";
import { end } from "./life.ts";
import type { Transaction } from "./transaction.ts";

/** By rowid. */
const markCancelling = "UPDATE errand_running SET is_cancelling = 1 WHERE seq = ?";
const tellReason = "UPDATE errand_jobs SET reason = coalesce(reason, ?) WHERE seq = ?";

export function cancelLive(tx: Transaction, job: Job, reason: string): "cancelled" | "cancelling" | "ended" {
  if (isEnded(job.state)) return "ended";
  if (job.state !== "running") {
    end(tx, job, "cancelled", { reason });
    return "cancelled";
  }
  // Its worker hears of it with its next beat; whatever it settles, the job ends cancelled.
  tx.sql.run(markCancelling, job.seq);
  tx.sql.run(tellReason, reason, job.seq);
  return "cancelling";
}
