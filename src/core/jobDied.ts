/** The event that errand itself publishes: a job died. Subscribe to it like to any other. */
import { event, type DomainEvent } from "./event.ts";
import { jobDiedName, type JobDiedPayload } from "./notes.ts";

/**
 * A job died, or was parked by its death.
 *
 *     export const alerts = when(jobDied, page);
 *
 * The death of a job that this event made publishes nothing, so an alert that fails cannot call itself.
 */
export const jobDied: DomainEvent<JobDiedPayload> = event<JobDiedPayload>(jobDiedName);
