/** What an ending means for those that come after it. Pure, so that all engines judge and explain alike. */
import type { After } from "./engine.ts";
import { ErrandError } from "./errors.ts";
import type { JobState } from "./states.ts";

/** How a job or a join stands to what comes after it; undefined: it has not ended. */
export type Ended = "well" | "badly" | undefined;

/** Parked counts as ended: nobody waits for ever for a person. */
export function endedAs(state: JobState): Ended {
  if (state === "completed" || state === "skipped") return "well";
  return state === "dead" || state === "cancelled" || state === "parked" ? "badly" : undefined;
}

/** What an ending does to one that asked for `when`: nothing any more, or it ends so. */
export function answerTo(when: After["when"], ended: "well" | "badly"): "met" | "cancelled" | "skipped" {
  if (when === "ended" || when === ended) return "met";
  return when === "well" ? "cancelled" : "skipped";
}

/** `what` is "job 7, which is dead" or "batch 9, which failed". */
export function unmetReason(answer: "cancelled" | "skipped", what: string): string {
  return answer === "cancelled" ? `not started: it comes after ${what}` : `not needed: it was for the failure of ${what}`;
}

export function jobBefore(id: string, state: JobState): string {
  return `job ${id}, which is ${state}`;
}

export function joinBefore(name: string, id: string, ended: "well" | "badly"): string {
  return `${name} ${id}, which ${ended === "well" ? "succeeded" : "failed"}`;
}

export function afterUnknown(id: string, by: string): ErrandError {
  return new ErrandError("after-unknown", `${by} names ${id}, which is not stored, or no more; name what is stored, or stands earlier in the same call`, {
    details: { id },
  });
}

export function afterItself(member: string, joinId: string): ErrandError {
  return new ErrandError(
    "graph-cycle",
    `${member} is a member of batch ${joinId} and comes after it, so both would wait for ever; take ${joinId} out of its \`after\``,
    {
      details: { id: joinId },
    },
  );
}

export function joinClosed(id: string): ErrandError {
  return new ErrandError("join-closed", `batch ${id} has ended or was cancelled, so it takes no more members; enqueue a batch of its own`, { details: { id } });
}

export function joinIncomplete(id: string, given: number, size: number): ErrandError {
  return new ErrandError("join-incomplete", `batch ${id} was given ${given} of ${size} members before it was sealed; store all of it again`, {
    details: { id, given, size },
  });
}
