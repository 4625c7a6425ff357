/** Held jobs: whether one may go on, and what it does then. */
import type { Instant } from "../core/runtime.ts";
import { judge } from "./after.ts";
import type { Job } from "./job.ts";
import { end, wait } from "./life.ts";
import type { Store } from "./store.ts";

/** Lets it go if nothing holds it any more, or ends it if that can never be. Answers what became of it. */
export function lookAtJob(store: Store, job: Job, now: Instant): "held" | "dropped" | "released" {
  if (job.hold === undefined) return "held";
  const verdict = judge(store, job.after);
  if (verdict.is === "unmet") {
    end(store, job, verdict.fate.is, { reason: verdict.fate.reason }, now);
    return "dropped";
  }
  if (verdict.is === "open" || job.hold.isByJoin || job.join?.cancelled !== undefined) return "held";
  letGo(store, job, now);
  return "released";
}

/** Its own times count from here. In its lane it takes its place among those that wait; who is admitted is seen when all are let go. */
function letGo(store: Store, job: Job, now: Instant): void {
  const { delayMs, startWithinMs } = job.hold ?? {};
  job.hold = undefined;
  store.afters.leave(job);
  job.dueAt = delayMs === undefined ? Math.max(now, job.dueAt) : now + delayMs;
  job.startBy ??= startWithinMs === undefined ? undefined : now + startWithinMs;
  if (job.lane === undefined) {
    wait(store, job, now);
    return;
  }
  const lane = store.lanes.of(job.lane.key);
  store.move(job, lane.queueUp(job), now);
  store.lanes.toAdmit.add(lane);
}
