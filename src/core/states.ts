/**
 * A job's life, as data. Engines, the reference model and the tests all read this table; nothing else says what may follow what.
 *
 *   scheduled  due later: a delay, a retry or a snooze           waits for time
 *   blocked    behind its key, a limit, a join, a predecessor    waits for what is ahead of it
 *   ready      due, and nothing before it                        waits for a worker
 *   running    claimed, under a lease                            waits for its outcome
 *   parked     its key's head died; waits for a person           waits for a redrive
 *   completed, skipped, cancelled, dead                          ended
 */
export const liveStates = ["scheduled", "blocked", "ready", "running", "parked"] as const;
export const endedStates = ["completed", "skipped", "cancelled", "dead"] as const;
export const jobStates: readonly [...typeof liveStates, ...typeof endedStates] = [...liveStates, ...endedStates];

export type LiveState = (typeof liveStates)[number];
export type EndedState = (typeof endedStates)[number];
export type JobState = (typeof jobStates)[number];

/** Every legal transition, with the verb of the Engine port that may make it. */
export const transitions: readonly { readonly from: JobState | "new"; readonly to: JobState; readonly by: readonly Verb[] }[] = [
  { from: "new", to: "scheduled", by: ["enqueue"] },
  { from: "new", to: "blocked", by: ["enqueue"] },
  { from: "new", to: "ready", by: ["enqueue"] },
  { from: "new", to: "running", by: ["enqueue"] }, // born leased
  { from: "new", to: "parked", by: ["enqueue"] }, // its lane is parked
  { from: "new", to: "cancelled", by: ["enqueue"] }, // what it comes after has ended badly
  { from: "new", to: "skipped", by: ["enqueue"] }, // what it comes after has ended well, or it is too late already
  { from: "scheduled", to: "ready", by: ["tidy", "claim", "change", "enqueue"] }, // due; retried now; replaced with an earlier due time
  { from: "scheduled", to: "scheduled", by: ["enqueue", "change"] }, // replaced, debounced
  { from: "scheduled", to: "skipped", by: ["tidy", "claim"] }, // startBy passed
  { from: "scheduled", to: "cancelled", by: ["change", "tidy"] }, // tidy: the rest of a join that was cancelled
  { from: "scheduled", to: "parked", by: ["settle", "tidy"] },
  { from: "scheduled", to: "blocked", by: ["tidy", "claim", "change", "enqueue"] }, // due, but its key limit has no room
  { from: "blocked", to: "ready", by: ["settle", "tidy", "change", "claim", "enqueue"] }, // what was ahead of it ended
  { from: "blocked", to: "scheduled", by: ["settle", "tidy", "change", "claim", "enqueue"] }, // let go, but not due yet
  { from: "blocked", to: "blocked", by: ["settle", "tidy", "change", "claim", "enqueue"] }, // let go, and behind the next thing
  { from: "blocked", to: "running", by: ["claim"] }, // in a row behind another of its lane
  { from: "blocked", to: "skipped", by: ["settle", "tidy", "change", "claim", "enqueue"] }, // too late, or not needed
  { from: "blocked", to: "parked", by: ["settle", "tidy", "change", "claim", "enqueue"] }, // the job ahead died; its lane is parked
  { from: "blocked", to: "cancelled", by: ["settle", "tidy", "change", "claim", "enqueue"] }, // cancelled; or what it comes after ended badly
  { from: "ready", to: "running", by: ["claim"] },
  { from: "ready", to: "scheduled", by: ["enqueue"] }, // debounced
  { from: "ready", to: "ready", by: ["enqueue", "change"] }, // replaced, reprioritised
  { from: "ready", to: "skipped", by: ["claim", "tidy"] }, // startBy passed
  { from: "ready", to: "parked", by: ["settle", "tidy"] }, // another member of its lane died
  { from: "ready", to: "cancelled", by: ["change", "tidy"] },
  { from: "running", to: "running", by: ["settle"] }, // saved
  { from: "running", to: "completed", by: ["settle"] },
  { from: "running", to: "skipped", by: ["settle"] },
  { from: "running", to: "cancelled", by: ["settle", "tidy"] }, // cancel was asked for while it ran
  { from: "running", to: "dead", by: ["settle", "tidy"] }, // out of attempts, given up, or quarantined
  { from: "running", to: "parked", by: ["settle", "tidy"] }, // died at the head of a lane that parks or blocks
  { from: "running", to: "scheduled", by: ["settle"] }, // retry, snooze
  { from: "running", to: "ready", by: ["settle", "tidy"] }, // released, a retry without delay, or its lease was taken back
  { from: "running", to: "blocked", by: ["settle", "tidy"] }, // the same, where its key limit has no room or an earlier one of its lane lives
  { from: "parked", to: "ready", by: ["change", "tidy", "settle", "claim"] },
  { from: "parked", to: "blocked", by: ["change", "tidy", "settle", "claim"] },
  { from: "parked", to: "scheduled", by: ["change", "tidy", "settle", "claim"] },
  { from: "parked", to: "skipped", by: ["change", "tidy", "settle", "claim"] },
  { from: "parked", to: "cancelled", by: ["change", "tidy"] },
  { from: "dead", to: "ready", by: ["change"] }, // redriven
  { from: "dead", to: "blocked", by: ["change"] }, // redriven behind its key
  { from: "dead", to: "parked", by: ["change"] }, // redriven into a parked lane
];

export type Verb = "enqueue" | "claim" | "settle" | "tidy" | "change";

export function isEnded(state: JobState): state is EndedState {
  return (endedStates as readonly string[]).includes(state);
}
