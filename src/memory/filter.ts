/** Whether a job is among those that a filter means. */
import type { JobFilter } from "../core/engine.ts";
import type { Job } from "./job.ts";

export function matches(job: Job, where: JobFilter): boolean {
  return (
    (where.states === undefined || where.states.includes(job.state)) &&
    (where.queue === undefined || where.queue === job.line.queue) &&
    (where.task === undefined || where.task === job.line.task) &&
    (where.lane === undefined || where.lane === job.lane?.key) &&
    (where.unique === undefined || where.unique === job.uniqueKey)
  );
}
