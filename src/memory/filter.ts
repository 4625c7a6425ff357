/** Whether a job is among those that a filter means. */
import type { JobFilter } from "../core/engine.ts";
import type { Held } from "./hold.ts";
import type { Job } from "./job.ts";
import type { Store } from "./store.ts";

export function matches(store: Store, job: Job, where: JobFilter): boolean {
  return (
    (where.states === undefined || where.states.includes(job.state)) &&
    (where.queue === undefined || where.queue === job.line.queue) &&
    (where.task === undefined || where.task === job.line.task) &&
    (where.lane === undefined || where.lane === job.lane?.key) &&
    (where.unique === undefined || where.unique === job.uniqueKey) &&
    (where.join === undefined || job.joins.some(({ id }) => id === where.join)) &&
    (where.after === undefined || isAfter(job, store.jobs.get(where.after) ?? store.joins.find(where.after))) &&
    (where.before === undefined || isBefore(job, store.jobs.get(where.before) ?? store.joins.find(where.before)))
  );
}

function isAfter(job: Job, before: Held | undefined): boolean {
  return before !== undefined && job.after.some(({ held }) => held === before);
}

/** What `later` came after: the job itself, or a join that it is a member of. */
function isBefore(job: Job, later: Held | undefined): boolean {
  return later !== undefined && later.after.some(({ held }) => held === job || (held?.kind === "join" && job.joins.includes(held)));
}
