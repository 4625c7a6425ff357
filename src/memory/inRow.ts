/** Members of a lane that are handed out behind another of it, so that a lane is not one claim for each job. */
import type { Instant } from "../core/runtime.ts";
import { isLate } from "./job.ts";
import type { Job } from "./job.ts";
import type { Store } from "./store.ts";

/** In their order, each admitted when it is asked for, so that it must be handed out. The row ends at the first that waits for more than the one before it. */
export function* followers(store: Store, head: Job, most: number, now: Instant): Generator<Job> {
  const lane = head.lane?.width === 1 ? store.lanes.laneOf(head) : undefined;
  if (lane === undefined || lane.closed || lane.isShared) return;
  let last = head;
  for (let given = 0; given < most; given += 1) {
    const next = lane.behind(last);
    if (next === undefined || !isFollowing(next, head, now)) return;
    lane.admit(next);
    yield next;
    last = next;
  }
}

function isFollowing(job: Job, head: Job, now: Instant): boolean {
  const isSameKind = job.line === head.line && job.lane?.width === 1 && job.keyLimits.length === 0;
  return isSameKind && job.suspects === 0 && job.dueAt <= now && !isLate(job, now);
}
