/** A job for scripts. The shape is documented in docs/guide/cli.md and only grows: every field is always there, null where there is nothing to tell. */
import type { JobView } from "../index.ts";

export function jobJson(job: JobView): Readonly<Record<string, unknown>> {
  return {
    id: job.id,
    task: job.task,
    queue: job.queue,
    state: job.state,
    input: job.input,
    enqueuedAt: job.enqueuedAt,
    dueAt: job.dueAt,
    startBy: job.startBy ?? null,
    endedAt: job.endedAt ?? null,
    attempts: job.attempts,
    starts: job.starts,
    suspects: job.suspects,
    orderedBy: job.orderedBy ?? null,
    uniqueBy: job.uniqueBy ?? null,
    waits: job.waits ?? null,
    running: job.running ?? null,
    reason: job.reason ?? null,
    isPoison: job.isPoison,
    history: job.history.map(attemptJson),
    from: job.from ?? null,
    batch: job.batch ?? null,
    after: job.after,
    expecting: job.expecting ?? null,
    version: job.version ?? null,
    slotAt: job.slotAt ?? null,
    checkpointBytes: job.checkpointBytes ?? null,
    result: job.result ?? null,
  };
}

function attemptJson({ start, is, at, ranMs, reason, error }: JobView["history"][number]): Readonly<Record<string, unknown>> {
  return {
    start,
    is,
    at,
    ranMs: ranMs ?? null,
    reason: reason ?? null,
    error: error === undefined ? null : { name: error.name, message: error.message, code: error.code ?? null, stack: error.stack ?? null },
  };
}
