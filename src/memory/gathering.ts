/** Jobs that take the payloads of those that come while they wait. */
import type { NewJob } from "../core/engine.ts";
import { gathered } from "../core/gather.ts";
import type { Job } from "./job.ts";

export interface Gathering {
  elements: number;
  /** It takes no more: it has the most it may, or one more did not fit. */
  isFull: boolean;
}

export function isGathering(job: Job): boolean {
  return job.gathering !== undefined && !job.gathering.isFull && job.state !== "running" && job.state !== "parked";
}

/** The payload with that of a newcomer; undefined where it does not fit, is of another version, or the job has saved how far it came with its own. */
export function payloadWith(job: Job, work: NewJob): string | undefined {
  return job.version === work.version && job.checkpoint === undefined ? gathered(job.payload, work.payload) : undefined;
}

/** Counts one more element. */
export function gather(job: Job, work: NewJob): void {
  const mode = work.unique?.mode;
  if (mode?.is !== "gather") {
    job.gathering = undefined;
    return;
  }
  const elements = (job.gathering?.elements ?? 0) + 1;
  job.gathering = { elements, isFull: elements >= mode.most };
}
