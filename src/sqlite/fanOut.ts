/** One event, its subscriptions, one job each (G10). */
import { eventsKeptMs } from "../core/defaults.ts";
import type { Enqueued, NewEvent } from "../core/engine.ts";
import { jobFor } from "../core/fanOut.ts";
import { contentOf, derivedId } from "../core/keys.ts";
import { jobDiedName } from "../core/notes.ts";
import type { JobDiedPayload } from "../core/notes.ts";
import { acceptJob } from "./accept.ts";
import type { Job } from "./job.ts";
import type { Transaction } from "./transaction.ts";

/** By UNIQUE (id). */
const eventKnown = "SELECT 1 FROM errand_events WHERE id = ?";
const addEvent = "INSERT INTO errand_events (id, name, payload, content, published_at, purge_at, ordered_by) VALUES (?, ?, ?, ?, ?, ?, ?)";

export function acceptEvent(tx: Transaction, event: NewEvent): Enqueued {
  if (tx.sql.value(eventKnown, event.id) !== undefined) return { id: event.id, isDuplicate: true };
  const orderedBy = event.orderedBy ? JSON.stringify(event.orderedBy) : null;
  tx.sql.run(addEvent, event.id, event.name, event.payload, event.content, tx.now, tx.now + Math.max(eventsKeptMs, event.rememberMs), orderedBy);
  for (const subscription of tx.notices.subscriptionsTo.get(event.name) ?? []) acceptJob(tx, jobFor(event, subscription));
  return { id: event.id, isDuplicate: false };
}

/** Published with each death; never for a job that such an event made, which would go on for ever. */
export function publishDeath(tx: Transaction, job: Job): void {
  if (job.fromEvent === jobDiedName) return;
  const line = tx.dictionary.lineById(tx.sql, job.line);
  const death: JobDiedPayload = {
    jobId: job.id,
    task: line.task,
    queue: line.queue,
    reason: job.reason ?? "",
    attempts: job.attempts,
    isPoison: job.isPoison === 1,
    isParked: job.state === "parked",
  };
  const payload = JSON.stringify(death);
  // The fence of its last claim makes each death an event of its own, also of a job that was redriven.
  const id = derivedId(jobDiedName, job.id, String(job.fence));
  acceptEvent(tx, { kind: "event", id, content: contentOf(jobDiedName, payload), rememberMs: 0, name: jobDiedName, payload });
}
