/** How a running job stands. */
import type { JobRow } from "../engine.ts";
import { inWords } from "../duration.ts";
import type { Instant } from "../runtime.ts";

export function runningWords({ claim }: JobRow, now: Instant): string {
  if (claim === undefined) return "is running";
  const { process, startedAt, leaseUntil, isCancelling } = claim;
  const lease = leaseUntil < now ? `; its lease ended ${inWords(now - leaseUntil)} ago, so it will be taken back` : "";
  return `has been ${isCancelling ? "asked to stop, and still runs," : "running"} for ${inWords(Math.max(0, now - startedAt))} in process ${process}${lease}`;
}
