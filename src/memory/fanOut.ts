/** One event, its subscriptions, one job each (G10). */
import type { NewEvent } from "../core/engine.ts";
import { jobFor } from "../core/fanOut.ts";
import { contentOf, derivedId } from "../core/keys.ts";
import { jobDiedName } from "../core/notes.ts";
import type { JobDiedPayload } from "../core/notes.ts";
import type { Instant } from "../core/runtime.ts";
import { acceptJob } from "./accept.ts";
import type { Job } from "./job.ts";
import type { Store } from "./store.ts";

export function acceptEvent(store: Store, event: NewEvent, now: Instant): { readonly id: string; readonly isDuplicate: boolean } {
  if (store.events.find(event.id)) return { id: event.id, isDuplicate: true };
  store.events.add(event, store.nextSeq(), now);
  for (const subscription of store.notes.subscriptionsTo(event.name)) acceptJob(store, jobFor(event, subscription), now);
  return { id: event.id, isDuplicate: false };
}

/** Published with each death; never for a job that such an event made, which would go on for ever. */
export function publishDeath(store: Store, job: Job, fence: number, now: Instant): void {
  if (job.from?.event === jobDiedName) return;
  const death: JobDiedPayload = {
    jobId: job.id,
    task: job.line.task,
    queue: job.line.queue,
    reason: job.reason ?? "",
    attempts: job.attempts,
    isPoison: job.isPoison,
    isParked: job.state === "parked",
  };
  const payload = JSON.stringify(death);
  const id = derivedId(jobDiedName, job.id, String(fence));
  acceptEvent(store, { kind: "event", id, content: contentOf(jobDiedName, payload), rememberMs: 0, name: jobDiedName, payload }, now);
}
